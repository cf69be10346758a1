"""Hands out the calls of a draw, takes their scores as outcomes, and says what all of them tell."""

import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal, TypeAlias

from tocsin_console.errors import UsageProblem
from tocsin_console.review.calls import find, outcome_of
from tocsin_console.review.draw import OPEN, PICKED, SIZE, Store, draw
from tocsin_console.review.standing import is_overdue, lessons, standing_of
from tocsin_console.review.verdict import minutes_of, verdict_of
from tocsin_console.statements import statement

_LOCK: Final = timedelta(minutes=15)
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
            items: dict[tuple[str, str], list[dict[str, Any]]] = {}
            for each in self._store.rows(statement("review_items_latest"), asked):
                items.setdefault((each["project"], each["use_case"]), []).append(each)
            return [
                standing_of(held, items.get((held["project"], held["use_case"]), []), now=self._clock())
                for held in self._store.rows(statement("review_latest"), asked)
            ]

    def whole(self, project: str, use_case: str) -> dict[str, Any] | None:
        """Give the latest draw of a use case with its calls and what was found wrong; None where there is none."""
        with self._one_at_a_time:
            found = self._store.rows(statement("review_latest"), {"project": project, "use_case": use_case})
            if not found:
                return None
            items = self._items(found[0])
            made = standing_of(found[0], items, now=self._clock())
            return {**made, "items": items, "lessons": lessons(items)}

    def read(self, project: str, use_case: str, call_id: str) -> dict[str, Any] | None:
        """Give one call of the latest draw as a reviewer reads it; None where it is not in it, or gone."""
        with self._one_at_a_time:
            held = self._held(project, use_case)
            item = next((each for each in self._items(held) if each["call_id"] == call_id), None)
            return None if item is None else self._shown(project, use_case, item)

    def pick(self, project: str, use_case: str, call_id: str, started_at: datetime) -> dict[str, Any]:
        """Put a call that a person chose into the latest draw, behind the drawn ones; one that is in it stays as it is.

        No chance led to it, so no estimate counts it: its score is kept with the draw, and its outcome says no verdict.

        Raises:
            UsageProblem: nothing was drawn, or there is no such call.
        """
        with self._one_at_a_time:
            held = self._held(project, use_case)
            items = self._items(held)
            if call_id not in {each["call_id"] for each in items}:
                item = {name: held[name] for name in ("project", "use_case", "week", "draw")} | {
                    "call_id": call_id,
                    "started_at": started_at,
                }
                self._call(project, use_case, item)
                place = max(each["position"] for each in items) + 1
                item |= {"position": place, "stratum": PICKED, "selection_probability": 0.0, **OPEN, "version": 0}
                self._store.insert("review_items", [{**item, "at": self._now()}])
            return self._standing(held)

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
                if is_overdue(row["week"], row["last_hour"], row["scored"] == row["size"], now)
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
                shown = self._shown(project, use_case, item)
                if shown is None:  # forgotten on purpose, or past its retention: nobody can score it
                    continue
                self._write(item, locked_by=by, locked_until=now + _LOCK)
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
            if item["state"] == "scored" and item["reviewer"] != by:
                raise UsageProblem(f"{item['reviewer']} has scored {item['call_id']} meanwhile: ask for the next one")
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
            whole = outcome_of(call.facts, item, outcome, by=by)
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

    def last(self, project: str, use_case: str, *, by: str) -> str:
        """Give the call of the latest draw that a reviewer scored last; empty where there is none."""
        with self._one_at_a_time:
            items = self._items(self._held(project, use_case))
        own = [each for each in items if each["state"] == "scored" and each["reviewer"] == by]
        return str(max(own, key=lambda each: each["at"])["call_id"]) if own else ""

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
                whole = outcome_of(call.facts, item, {"comment": "withdrawn"}, by=by)
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

    def _shown(self, project: str, use_case: str, item: Mapping[str, Any]) -> dict[str, Any] | None:
        asked = {"call_id": item["call_id"], "started_at": item["started_at"]}
        call = find(self._store, project=project, use_case=use_case, **asked)
        about = {name: item[name] for name in ("stratum", "position", "state", "reviewer", "locked_by")}
        return None if call is None else {**call.shown(), **about}

    def _call(self, project: str, use_case: str, item: Mapping[str, Any]) -> Any:
        call = find(
            self._store, project=project, use_case=use_case, call_id=item["call_id"], started_at=item["started_at"]
        )
        if call is None:
            raise UsageProblem(f"the call {item['call_id']} is not there any more: ask for the next one")
        return call

    def _say(self, outcome: Mapping[str, Any]) -> None:
        answer = self._record([outcome])
        if answer["rejected"]:
            raise UsageProblem(f"the collector refused the score: {'; '.join(answer['errors'])}")

    def _write(self, item: Mapping[str, Any], **changes: Any) -> None:
        self._store.insert("review_items", [{**item, **changes, "version": item["version"] + 1, "at": self._now()}])

    def _is_free(self, item: Mapping[str, Any], by: str, now: datetime) -> bool:
        return item["locked_by"] in ("", by) or item["locked_until"].astimezone(UTC) <= now

    def _standing(self, held: Mapping[str, Any]) -> dict[str, Any]:
        return standing_of(held, self._items(held), now=self._clock())
