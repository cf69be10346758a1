"""Finds calls, and tells of one what happened around it."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from tocsin_collector.errors import StoreUnavailable
from tocsin_console.calls.filters import Asked, cursor
from tocsin_console.errors import UsageProblem
from tocsin_console.review.draw import Store
from tocsin_console.statements import statement

_HOUR: Final = timedelta(hours=1)
_TOO_LONG: Final = "TIMEOUT_EXCEEDED"
_A_MOMENT: Final = timedelta(milliseconds=1)  # the store counts nanoseconds
_WIDER: Final = 8  # each time that a stretch had too few calls, the next has so many times more


@dataclass(frozen=True, slots=True, kw_only=True)
class CallsDesk:
    """The calls of one store. One question at a time.

    Args:
        store: A client of its own: a question may take seconds.
    """

    store: Store
    _one_at_a_time: threading.Lock = field(default_factory=threading.Lock)

    def listed(self, project: str, use_case: str, asked: Asked) -> dict[str, Any]:
        """List calls of one use case, or of all where it is empty.

        By time, it is looked for in ever wider stretches, so that what it costs depends on how rare the calls are and not on
        how many there are.

        Returns:
            ``since``, ``until``, ``in_range`` (calls without any condition), ``calls``, and ``next``, empty at the end; all None or
            empty where there are no calls.

        Raises:
            UsageProblem: the time range is none, or it took longer than ten seconds.
        """
        about = {"project": project, "use_case": use_case}
        with self._one_at_a_time:
            [last] = self.store.rows(statement("calls_last_hour"), about)
            if not last["hours"]:
                return {"since": None, "until": None, "in_range": 0, "calls": [], "next": ""}
            since, until = asked.bounds(_utc(last["last_hour"]) + _HOUR)
            range_of = {**about, "since": since, "until": until}
            hours = self.store.rows(statement("calls_by_hour"), range_of)
            found = self._found(about, asked, since, until, hours)
            shown = found[: asked.limit]
            verdicts = self._verdicts(shown)
        for each in shown:
            each["outcome"], each["outcome_kind"] = verdicts.get((each["project"], each["call_id"]), (None, None))
        following = cursor(shown[-1]) if len(found) > len(shown) else ""
        kept = [{name: value for name, value in each.items() if name not in ("place", "moment")} for each in shown]
        in_range = sum(row["calls"] for row in hours)
        return {"since": since, "until": until, "in_range": int(in_range), "calls": kept, "next": following}

    def _found(
        self,
        about: Mapping[str, str],
        asked: Asked,
        since: datetime,
        until: datetime,
        hours: Sequence[Mapping[str, Any]],
    ) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        wanted = asked.limit + 1
        for begin, end in stretches(asked, since, until, hours):
            how = {**about, **asked.parameters(), "since": begin, "until": end, "most": wanted}
            try:
                found = self.store.rows(statement("calls_listed"), how)
            except StoreUnavailable as error:
                if _TOO_LONG not in str(error):
                    raise
                raise UsageProblem(
                    "expected so few calls that they are looked through in ten seconds: ask for a shorter time, or for one use case"
                ) from error
            if len(found) >= wanted:
                break
        return found

    def _verdicts(self, calls: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str], tuple[str, str]]:
        if not calls:
            return {}
        times = [each["started_at"] for each in calls]
        names = [(each["project"], each["call_id"]) for each in calls]
        rows = self.store.rows(
            statement("calls_verdicts"), {"calls": names, "since": min(times), "until": max(times) + _A_MOMENT}
        )
        return {
            (row["project"], row["call_id"]): ("right" if row["is_right"] else "wrong", row["kind"]) for row in rows
        }


def stretches(
    asked: Asked, since: datetime, until: datetime, hours: Sequence[Mapping[str, Any]]
) -> Iterator[tuple[datetime, datetime]]:
    """Say in which stretches of a time range to look, the last being all of it; hours are the latest first. Pure."""
    if asked.sort not in ("newest", "oldest"):
        yield since, until
        return
    if asked.after:  # what was shown needs not be looked at again
        at = datetime.fromtimestamp(abs(asked.after[1]) / 1e9, UTC)
        since, until = (max(since, at - _HOUR), until) if asked.sort == "oldest" else (since, min(until, at + _HOUR))
    left = [row for row in hours if since - _HOUR < _utc(row["hour"]) < until]
    wanted, seen = 2 * asked.limit, 0
    for row in left if asked.sort == "newest" else reversed(left):
        seen += int(row["calls"])
        if seen >= wanted:
            hour = _utc(row["hour"])
            part = (max(since, hour), until) if asked.sort == "newest" else (since, min(until, hour + _HOUR))
            if part != (since, until):
                yield part
            wanted = seen * _WIDER
    yield since, until


def _utc(at: datetime) -> datetime:
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
