"""How far a draw has come, what it tells, and when the next is due. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from tocsin_console.review.draw import PICKED, week_of
from tocsin_console.review.estimate import share_right
from tocsin_console.review.verdict import is_right

_OVERDUE: Final = timedelta(days=8)
_WEEK: Final = timedelta(days=7)


def standing_of(held: Mapping[str, Any], items: Sequence[Mapping[str, Any]], *, now: datetime) -> dict[str, Any]:
    """Say how far a draw has come.

    Calls that a person picked cost minutes as others do, and are no part of the sample: no chance led to them.

    Args:
        held: The draw, a row of ``reviews``.
        items: Its calls, rows of ``review_items``.
        now: What time it is for the calls.
    """
    drawn = [each for each in items if each["stratum"] != PICKED]
    picked = [each for each in items if each["stratum"] == PICKED]
    scored = [each for each in drawn if each["state"] == "scored"]
    is_done = len(scored) == len(drawn)
    return {
        "project": held["project"],
        "use_case": held["use_case"],
        "week": held["week"],
        "since": held["since"],
        "until": held["until"],
        "calls": held["calls"],
        "drawable": held["drawable"],
        "size": len(drawn),
        "scored": len(scored),
        "skipped": sum(each["state"] == "skipped" for each in drawn),
        "picked": len(picked),
        "picked_scored": sum(each["state"] == "scored" for each in picked),
        "minutes": sum(each["minutes"] or 0.0 for each in items if each["state"] == "scored"),
        "is_this_week": held["week"] >= week_of(now),
        "overdue": is_overdue(held["week"], held["until"], is_done, now),
        "due": due(held["week"], held["until"], is_done),
        "estimate": asdict(share_right([(1 / each["selection_probability"], is_right(each)) for each in scored])),
    }


def due(week: date, until: datetime, is_done: bool) -> datetime:
    """Say when a review is overdue: this one by the end of its week, the next one eight days after this one's calls."""
    if is_done:
        return until.astimezone(UTC) + _OVERDUE
    begun = week - timedelta(days=week.weekday())
    return datetime(begun.year, begun.month, begun.day, tzinfo=UTC) + _WEEK


def is_overdue(week: date, until: datetime, is_done: bool, now: datetime) -> bool:
    """Whether the review of a week should have been done, or the next one drawn."""
    return now - until.astimezone(UTC) > _OVERDUE or (not is_done and week < week_of(now))


def lessons(items: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Count what was found wrong, by why a call was drawn; only strata of which something was scored."""
    scored = [each for each in items if each["state"] == "scored"]
    return [
        {"stratum": stratum, "scored": len(own), "wrong": sum(not is_right(each) for each in own)}
        for stratum in ("confident", "unsure", "segment", "others", PICKED)
        if (own := [each for each in scored if each["stratum"] == stratum])
    ]
