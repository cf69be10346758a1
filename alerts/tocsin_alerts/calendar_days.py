"""Days that are not ordinary: holidays, declared campaigns. They are left out of references, and drift is not judged on them."""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Final, TypeAlias

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

_SPELLED: Final = re.compile(r"(\d{4}-\d{2}-\d{2})(?:\s*\.\.\s*(\d{4}-\d{2}-\d{2}))?")
_DAY: Final = timedelta(days=1)
_HOUR: Final = timedelta(hours=1)


def parse_days(given: Any) -> tuple[date, date]:
    """Read ``2026-12-24`` or ``2026-12-24..2026-12-26``, the last day included.

    Raises:
        ValueError: it is neither.
    """
    if isinstance(given, tuple):
        return given
    found = _SPELLED.fullmatch(given.strip()) if isinstance(given, str) else None
    if found is None:
        raise ValueError(f"expected a day such as 2026-12-24, or days such as 2026-12-24..2026-12-26, got {given!r}")
    first = date.fromisoformat(found[1])
    last = date.fromisoformat(found[2]) if found[2] else first
    if last < first:
        raise ValueError(f"expected the first day before the last, got {given!r}")
    return first, last


def spell_days(days: tuple[date, date]) -> str:
    """Write days as they are read."""
    first, last = days
    return f"{first}" if first == last else f"{first}..{last}"


Days: TypeAlias = Annotated[
    tuple[date, date],
    BeforeValidator(parse_days),
    PlainSerializer(spell_days, return_type=str),
    WithJsonSchema({"type": "string", "pattern": f"^{_SPELLED.pattern}$", "examples": ["2026-12-24..2026-12-26"]}),
]
DaysOf: TypeAlias = Callable[[str, str], Sequence[tuple[date, date]]]
"""The days of a project's use case."""


def spans(calendar: Sequence[tuple[date, date]]) -> list[tuple[datetime, datetime]]:
    """Give each range's beginning and end, UTC, the end not included."""
    return [(_midnight(first), _midnight(last) + _DAY) for first, last in calendar]


def overlaps(calendar: Sequence[tuple[date, date]], since: datetime, until: datetime) -> bool:
    """Whether a window has any of the days in it."""
    return any(begun < until and since < ended for begun, ended in spans(calendar))


def left_out(calendar: Sequence[tuple[date, date]]) -> dict[str, list[int]]:
    """Give the days as parameters of the statements about references: seconds since 1970."""
    found = spans(calendar)
    return {
        "left_out_since": [int(begun.timestamp()) for begun, _ in found],
        "left_out_until": [int(ended.timestamp()) for _, ended in found],
    }


def ordinary_hours(calendar: Sequence[tuple[date, date]], since: datetime, until: datetime) -> list[int]:
    """Count the hours of a window that are of none of the days, by hour of the week, Monday's first at 0 (UTC)."""
    found, counts = spans(calendar), [0] * 168
    for at in range(int((until - since) / _HOUR)):
        start = since + at * _HOUR
        if not any(begun <= start < ended for begun, ended in found):
            counts[start.weekday() * 24 + start.hour] += 1
    return counts


def ordinary(calendar: Sequence[tuple[date, date]], since: datetime, until: datetime) -> timedelta:
    """Say how much of a window is of none of the days, in whole hours."""
    return sum(ordinary_hours(calendar, since, until)) * _HOUR


def no_days(_project: str, _use_case: str) -> Sequence[tuple[date, date]]:
    """No calendar: every day is ordinary."""
    return ()


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
