"""Hands out the calls of a draw, takes their scores as outcomes, and says what all of them tell."""

import hashlib
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, Literal, TypeAlias

from tocsin_console.errors import UsageProblem
from tocsin_console.review.calls import find, handle_of
from tocsin_console.review.draw import SIZE, Store, draw, week_of
from tocsin_console.review.estimate import share_right
from tocsin_console.review.verdict import is_right, minutes_of, verdict_of
from tocsin_console.statements import statement

SOURCE: Final = "review"
_LOCK: Final = timedelta(minutes=15)
_OVERDUE: Final = timedelta(days=8)
_MOST_TEXT: Final = 16_384
_FREE: Final = datetime(1970, 1, 1, tzinfo=UTC)

Record = Callable[[Sequence[Mapping[str, Any]]], Mapping[str, Any]]
Recording: TypeAlias = Literal["here", "asked", "done"]
"""Who makes a score an outcome: this process; the caller, who asks for it first; the caller, who has done it."""


class ReviewDesk:
    """The reviews of one store. One request at a time, so that two reviewers never get one call.

    Args:
        store: A client of its own.
        record: Makes outcomes durable, as :func:`~tocsin_console.outcomes.record_outcomes`.
        clock: What time it is for the calls: their week is drawn.
        now: The time of day, for locks.
    """

    def __init__(
        self, store: Store, record: Record, *, clock: Callable[[], datetime], now: Callable[[], datetime]
    ) -> None:
        self._store = store
        self._record = record
        self._clock = clock
        self._now = now
        self._one_at_a_time = threading.Lock()

    def draw(
        self, project: str, use_case: str = "", *, size: int = SIZE, by: str, daily: bool = False
    ) -> list[dict[str, Any]]:
        """Draw this week's sample or today's part of it, of one use case or of each that has calls; it stays as it is.

        Raises:
            UsageProblem: there is nothing to draw from.
        """
        with self._one_at_a_time:
            names = [use_case] if use_case else self._with_calls(project)
            asked: dict[str, Any] = {"size": size, "by": by, "daily": daily}
            made = [
                self._standing(held)
                for name in names
                if (held := draw(self._store, project=project, use_case=name, now=self._clock(), **asked))
            ]
        if not made:
            raise UsageProblem(
                f"expected calls in the last seven days to draw from, found none{f' of {use_case!r}' if use_case else ''}:"
                f" see 'tocsin use-cases ls' for what has calls"
            )
        return made

    def status(self, project: str = "", use_case: str = "") -> list[dict[str, Any]]:
        """Say how far each use case's latest draw has come, what it tells, and whether this week's is overdue."""
        with self._one_at_a_time:
            asked = {"project": project, "use_case": use_case}
            return [self._standing(held) for held in self._store.rows(statement("review_latest"), asked)]

    def standings(self) -> list[dict[str, Any]]:
        """Say how far the latest draw of each use case has come, in one question."""
        with self._one_at_a_time:
            return self._store.rows(statement("review_standings"))

    def overdue(self) -> list[dict[str, Any]]:
        """List the use cases whose review is overdue, in one question: it is asked whenever anybody looks."""
        with self._one_at_a_time:
            now = self._clock()
            return [
                row
                for row in self._store.rows(statement("review_standings"))
                if _is_overdue(row["week"], row["last_hour"], row["scored"] == row["size"], now)
            ]

    def next(self, project: str, use_case: str, *, by: str) -> dict[str, Any]:
        """Lock and give the next call to score: those nobody has seen first, then those that were skipped.

        Returns:
            The draw's standing, and under ``item`` the call; None when nothing is left for this reviewer.
        """
        with self._one_at_a_time:
            held = self._held(project, use_case)
            items, now = self._items(held), self._now()
            free = [each for each in items if each["state"] != "scored" and self._is_free(each, by, now)]
            free.sort(key=lambda each: (each["state"] == "skipped", each["locked_by"] != by, each["position"]))
            for item in free:
                call = find(
                    self._store,
                    project=project,
                    use_case=use_case,
                    call_id=item["call_id"],
                    started_at=item["started_at"],
                )
                if call is None:  # forgotten on purpose, or past its retention: nobody can score it
                    continue
                self._write(item, locked_by=by, locked_until=now + _LOCK)
                shown = {**call.shown(), "stratum": item["stratum"], "position": item["position"]}
                return {**self._standing(held), "item": shown}
            return {**self._standing(held), "item": None}

    def score(
        self, project: str, use_case: str, said: Mapping[str, Any], *, by: str, recording: Recording = "here"
    ) -> dict[str, Any]:
        """Take one score: it is a recorded outcome when this returns.

        Args:
            project: The call's.
            use_case: The call's.
            said: ``call_id``, and ``score`` (0 to 1), ``correct`` or ``label``; also ``minutes`` and ``comment``.
            by: The reviewer.
            recording: Where this process has no spool, the caller asks for the outcome, has a collector record it, and
                says that it is done.

        Returns:
            The draw's standing; of what is asked only ``outcome``, and nothing is noted yet.

        Raises:
            UsageProblem: it says nothing, or the call is not in the draw or with another reviewer.
        """
        with self._one_at_a_time:
            held = self._held(project, use_case)
            item = self._item(held, said, by)
            verdict = verdict_of(said)
            minutes = minutes_of(said.get("minutes"))
            call = self._call(project, use_case, item)
            outcome = {
                **verdict,
                **({} if minutes is None else {"minutes": minutes}),
                "comment": str(said.get("comment") or "")[:_MOST_TEXT],
            }
            if verdict.get("label") and "correct" not in verdict and "score" not in verdict:
                outcome["correct"] = verdict["label"] == call.facts["output_label"]
            whole = self._outcome(project, use_case, item, call.facts, outcome, by=by)
            if recording == "asked":
                return {"outcome": whole}
            if recording == "here":
                self._say(whole)
            self._write(
                item,
                state="scored",
                reviewer=by,
                locked_by="",
                locked_until=_FREE,
                score=outcome.get("score"),
                correct=None if outcome.get("correct") is None else int(outcome["correct"]),
                minutes=minutes,
            )
            return self._standing(held)

    def skip(self, project: str, use_case: str, call_id: str, *, by: str) -> dict[str, Any]:
        """Put a call back: it comes again after the others."""
        with self._one_at_a_time:
            held = self._held(project, use_case)
            item = self._item(held, {"call_id": call_id}, by)
            if item["state"] == "scored":
                raise UsageProblem(f"expected a call that is not scored, but {call_id} is: undo its score first")
            self._write(item, state="skipped", locked_by="", locked_until=_FREE)
            return self._standing(held)

    def undo(
        self, project: str, use_case: str, call_id: str, *, by: str, recording: Recording = "here"
    ) -> dict[str, Any]:
        """Take back one's own score, or a skip: the call is open again, and its outcome says nothing any more.

        What is asked gives None as ``outcome`` where there is none to take back; otherwise as :meth:`score`.
        """
        with self._one_at_a_time:
            held = self._held(project, use_case)
            item = self._item(held, {"call_id": call_id}, by)
            whole = None
            if item["state"] == "scored":
                if item["reviewer"] != by:
                    raise UsageProblem(
                        f"expected a score of {by}'s own, but {item['reviewer']} gave it: ask them to undo it"
                    )
                call = self._call(project, use_case, item)
                whole = self._outcome(project, use_case, item, call.facts, {"comment": "withdrawn"}, by=by)
            if recording == "asked":
                return {"outcome": whole}
            if whole is not None and recording == "here":
                self._say(whole)
            cleared = {"state": "open", "reviewer": "", "score": None, "correct": None, "minutes": None}
            self._write(item, **cleared, locked_by=by, locked_until=self._now() + _LOCK)
            return self._standing(held)

    def _with_calls(self, project: str) -> list[str]:
        known = self._store.rows(statement("known_use_cases"))
        return sorted(row["use_case"] for row in known if row["project"] == project)

    def _held(self, project: str, use_case: str) -> dict[str, Any]:
        found = self._store.rows(statement("review_latest"), {"project": project, "use_case": use_case})
        if not use_case or not found:
            raise UsageProblem(
                f"expected a use case with a draw, got {use_case!r}: draw one with 'tocsin review draw --use-case NAME'"
            )
        return found[0]

    def _items(self, held: Mapping[str, Any]) -> list[dict[str, Any]]:
        asked = {name: held[name] for name in ("project", "use_case", "week", "draw")}
        return self._store.rows(statement("review_items"), asked)

    def _item(self, held: Mapping[str, Any], said: Mapping[str, Any], by: str) -> dict[str, Any]:
        call_id = str(said.get("call_id") or "")
        found = [each for each in self._items(held) if each["call_id"] == call_id]
        if not found:
            raise UsageProblem(f"expected a call of the draw of {held['week']}, got {call_id!r}: ask for the next one")
        if not self._is_free(found[0], by, self._now()):
            raise UsageProblem(f"{found[0]['locked_by']} is scoring {call_id} right now: ask for the next one")
        return found[0]

    def _call(self, project: str, use_case: str, item: Mapping[str, Any]) -> Any:
        call = find(
            self._store, project=project, use_case=use_case, call_id=item["call_id"], started_at=item["started_at"]
        )
        if call is None:
            raise UsageProblem(f"the call {item['call_id']} is not there any more: ask for the next one")
        return call

    def _outcome(
        self,
        project: str,
        use_case: str,
        item: Mapping[str, Any],
        facts: Mapping[str, Any],
        said: Mapping[str, Any],
        *,
        by: str,
    ) -> dict[str, Any]:
        named = hashlib.sha256(f"review\0{item['draw']}\0{item['call_id']}".encode()).hexdigest()[:32]
        return {
            "handle": handle_of(facts, use_case=use_case, selection_probability=item["selection_probability"]),
            "project": project,
            "kind": "review",
            "source": SOURCE,
            "outcome_id": named,  # one a call and draw: what is said last replaces what was said before
            "author": by,
            **said,
        }

    def _say(self, outcome: Mapping[str, Any]) -> None:
        answer = self._record([outcome])
        if answer["rejected"]:
            raise UsageProblem(f"the collector refused the score: {'; '.join(answer['errors'])}")

    def _write(self, item: Mapping[str, Any], **changes: Any) -> None:
        self._store.insert("review_items", [{**item, **changes, "version": item["version"] + 1, "at": self._now()}])

    def _is_free(self, item: Mapping[str, Any], by: str, now: datetime) -> bool:
        return item["locked_by"] in ("", by) or item["locked_until"].astimezone(UTC) <= now

    def _standing(self, held: Mapping[str, Any]) -> dict[str, Any]:
        items = self._items(held)
        scored = [each for each in items if each["state"] == "scored"]
        judged = [(1 / each["selection_probability"], is_right(each)) for each in scored]
        now = self._clock()
        is_done = len(scored) == len(items)
        return {
            "project": held["project"],
            "use_case": held["use_case"],
            "week": held["week"],
            "since": held["since"],
            "until": held["until"],
            "calls": held["calls"],
            "drawable": held["drawable"],
            "size": len(items),
            "scored": len(scored),
            "skipped": sum(each["state"] == "skipped" for each in items),
            "minutes": sum(each["minutes"] or 0.0 for each in scored),
            "is_this_week": held["week"] >= week_of(now),
            "overdue": _is_overdue(held["week"], held["until"], is_done, now),
            "estimate": asdict(share_right(judged)),
        }


def _is_overdue(week: date, until: datetime, is_done: bool, now: datetime) -> bool:
    return now - until.astimezone(UTC) > _OVERDUE or (not is_done and week < week_of(now))
