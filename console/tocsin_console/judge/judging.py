"""One turn of the judge: the day's sample drawn, money set aside, the model asked, its verdict recorded as an outcome."""

import hashlib
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from datetime import time as day_time
from decimal import Decimal
from typing import Any, Final, Protocol

from tocsin_console.errors import UsageProblem
from tocsin_console.judge.asking import Reply, messages_of
from tocsin_console.judge.money import Tariff
from tocsin_console.judge.settings import JudgeSettings
from tocsin_console.review.calls import find, handle_of
from tocsin_console.review.draw import Store, sample
from tocsin_console.statements import statement

_SETTLES: Final = timedelta(minutes=15)  # after midnight, until yesterday's calls are here
_MOST_ATTEMPTS: Final = 3
_DAY: Final = timedelta(days=1)
SCORED: Final = date(1970, 1, 1)  # the "day" of calls that people had scored

Record = Callable[[Sequence[Mapping[str, Any]]], Mapping[str, Any]]


class Asks(Protocol):
    """A model that can be asked."""

    def ask(self, messages: Sequence[Mapping[str, str]], /) -> Reply:
        """Ask one question."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What one turn came to."""

    judged: int = 0
    failed: int = 0
    spent_today: Decimal = Decimal(0)
    stopped: str = ""  # why there is more to judge and it is not judged now


class Judge:
    """Works through the samples; everything it knows is in its table, so a restart forgets nothing.

    Args:
        store: A client of its own.
        settings: What was configured.
        asker: The model.
        tariff: What it costs; asked at each turn, since prices change.
        record: Makes outcomes durable.
        clock: What time it is for the calls: the day before is sampled.
        now: The time of day, for the cap.
        timer_s: Counts seconds.
    """

    def __init__(
        self,
        store: Store,
        settings: JudgeSettings,
        asker: Asks,
        *,
        tariff: Callable[[], Tariff],
        record: Record,
        clock: Callable[[], datetime],
        now: Callable[[], datetime],
        timer_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._settings = settings
        self._asker = asker
        self._tariff = tariff
        self._record = record
        self._clock = clock
        self._now = now
        self._timer_s = timer_s
        self._one_at_a_time = threading.Lock()
        self._empty: set[tuple[Any, ...]] = set()  # samples of days without calls

    def turn(self) -> Turn:
        """Judge what is due, as far as the cap goes; a second turn at the same time waits for the first.

        Raises:
            UsageProblem: the model's price is unknown, or the key or the rubric cannot be used: nothing was asked.
        """
        with self._one_at_a_time:  # two would hand out the same money
            return self._turn()

    def _turn(self) -> Turn:
        tariff = self._tariff()
        judged = failed = 0
        spent = self._spent()
        for project, use_case in self._use_cases():
            for item in self._due(project, use_case):
                call = find(
                    self._store,
                    project=project,
                    use_case=use_case,
                    call_id=item["call_id"],
                    started_at=item["started_at"],
                )
                if call is None:
                    self._write(item, state="failed", reason="the call is not there any more")
                    failed += 1
                    continue
                messages = messages_of(self._settings, call.shown(), use_case=use_case)
                texts = [each["content"] for each in messages]
                most = tariff.most(
                    texts, output_tokens=self._settings.max_output_tokens, seconds=self._settings.timeout_s
                )
                if spent + most > self._settings.cap_per_day:
                    said = f"the cap of {self._settings.cap_per_day} {self._settings.currency} a day is reached"
                    return Turn(judged=judged, failed=failed, spent_today=spent, stopped=said)
                reply, cost = self._ask(item, messages, most, tariff)
                spent += most if cost is None else cost
                if reply.correct is not None:
                    self._say(project, use_case, item, call.facts, reply)
                    judged += 1
                elif reply.may_retry:
                    return Turn(judged=judged, failed=failed, spent_today=spent, stopped=reply.reason)
                else:
                    failed += 1
        return Turn(judged=judged, failed=failed, spent_today=spent)

    def _spent(self) -> Decimal:
        asked = {"day": self._now().astimezone(UTC).date(), "currency": self._settings.currency}
        return Decimal(self._store.rows(statement("judge_spent"), asked)[0]["spent"])

    def _use_cases(self) -> list[tuple[str, str]]:
        known = self._store.rows(statement("known_use_cases"))
        return sorted((row["project"], row["use_case"]) for row in known if self._settings.covers(row["use_case"]))

    def _due(self, project: str, use_case: str) -> list[dict[str, Any]]:
        """List the calls to judge: those that people have scored first, then the day's sample."""
        common = {"project": project, "use_case": use_case, "source": self._settings.source}
        unseen = self._store.rows(statement("judge_unseen"), {**common, "now": self._now()})
        scored = {**common, "day": SCORED}
        self._open(scored, [(row["call_id"], row["its_start"], row["chance"]) for row in unseen])
        midnight = datetime.combine((self._clock() - _SETTLES).astimezone(UTC).date(), day_time(), tzinfo=UTC)
        sampled = {**common, "day": midnight.date()}
        held = self._store.rows(statement("judge_items"), sampled)
        if not held and tuple(sampled.values()) not in self._empty:
            drawn = sample(
                self._store,
                project=project,
                use_case=use_case,
                since=midnight - _DAY,
                until=midnight,
                size=self._settings.per_day,
                seed=f"judge\0{project}\0{use_case}\0{midnight.date()}",
            )
            self._open(
                sampled,
                [(each["call_id"], each["started_at"], each["selection_probability"]) for each in drawn.items],
            )
            if not drawn.items:
                self._empty.add(tuple(sampled.values()))
            held = self._store.rows(statement("judge_items"), sampled)
        return [row for row in (*self._store.rows(statement("judge_items"), scored), *held) if row["state"] == "open"]

    def _open(self, about: Mapping[str, Any], calls: Sequence[tuple[str, datetime, float]]) -> None:
        blank = {
            "state": "open",
            "correct": None,
            "reason": "",
            "attempts": 0,
            "currency": self._settings.currency,
            "reserved": Decimal(0),
            "cost": None,
            "input_tokens": None,
            "output_tokens": None,
            "spent_on": SCORED,
            "version": 0,
            "at": self._now(),
        }
        self._store.insert(
            "judge_verdicts",
            [
                {**about, "call_id": call_id, "started_at": started_at, "selection_probability": chance, **blank}
                for call_id, started_at, chance in calls
            ],
        )

    def _ask(
        self, item: dict[str, Any], messages: Sequence[Mapping[str, str]], most: Decimal, tariff: Tariff
    ) -> tuple[Reply, Decimal | None]:
        """Set the money aside, ask, and write down what it did cost: after a crash in between, it counts as spent."""
        item = self._write(
            item,
            state="reserved",
            attempts=item["attempts"] + 1,
            reserved=most,
            currency=self._settings.currency,
            spent_on=self._now().astimezone(UTC).date(),
        )
        began_s = self._timer_s()
        reply = self._asker.ask(messages)
        cost = Decimal(0) if reply.is_free else None
        if reply.input_tokens is not None and reply.output_tokens is not None:
            seconds = self._timer_s() - began_s
            cost = tariff.actual(input_tokens=reply.input_tokens, output_tokens=reply.output_tokens, seconds=seconds)
        again = reply.may_retry and item["attempts"] < _MOST_ATTEMPTS
        self._write(
            item,
            state="judged" if reply.correct is not None else "open" if again else "failed",
            correct=None if reply.correct is None else int(reply.correct),
            reason=reply.reason,
            cost=cost,
            input_tokens=reply.input_tokens,
            output_tokens=reply.output_tokens,
        )
        return reply, cost

    def _say(
        self, project: str, use_case: str, item: Mapping[str, Any], facts: Mapping[str, Any], reply: Reply
    ) -> None:
        source = self._settings.source
        outcome = {
            "handle": handle_of(facts, use_case=use_case, selection_probability=item["selection_probability"]),
            "project": project,
            "kind": "judge",
            "source": source,
            "outcome_id": hashlib.sha256(f"judge\0{source}\0{item['call_id']}".encode()).hexdigest()[:32],
            "correct": reply.correct,
            "comment": reply.reason,
        }
        answer = self._record([outcome])
        if answer["rejected"]:
            raise UsageProblem(f"the collector refused the judge's verdict: {'; '.join(answer['errors'])}")

    def _write(self, item: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
        written = {**item, **changes, "version": item["version"] + 1, "at": self._now()}
        self._store.insert("judge_verdicts", [written])
        return written
