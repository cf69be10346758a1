"""Times of the week, in a zone: working hours, and times at which something is not told. Pure.

A time that does not exist on a day, or exists twice, since clocks are changed, is the first that is meant by it.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any, Final, Literal, Self, TypeAlias
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, model_validator

Weekday: TypeAlias = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEK: Final[tuple[Weekday, ...]] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY: Final = timedelta(days=1)
_LONGEST: Final = 9 * _DAY  # until the next of any time of a week, whatever clocks do

Span: TypeAlias = tuple[datetime, datetime]


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (OSError, ValueError) as error:  # ZoneInfoNotFoundError is a KeyError, which says nothing
        raise ValueError(f"expected a zone such as Europe/Berlin or UTC, got {name!r}") from error
    except KeyError as error:
        raise ValueError(f"expected a zone such as Europe/Berlin or UTC, got {name!r}") from error
    return name


def _minutes(given: Any) -> Any:
    if not isinstance(given, str):
        return given
    hours, colon, minutes = given.strip().partition(":")
    is_time = hours.isdigit() and minutes.isdigit() and len(minutes) == 2 and bool(colon)
    total = int(hours) * 60 + int(minutes) if is_time else -1
    if not (is_time and int(minutes) < 60 and 0 <= total <= 24 * 60):
        raise ValueError(f"expected a time such as 09:00 or 24:00, got {given!r}")
    return total


Zone: TypeAlias = Annotated[str, AfterValidator(_known_zone)]
Minutes: TypeAlias = Annotated[
    int,
    Field(ge=0, le=24 * 60),
    BeforeValidator(_minutes, json_schema_input_type=str),
    PlainSerializer(lambda said: f"{said // 60:02}:{said % 60:02}", return_type=str),
]


class Weekly(BaseModel):
    """From a time to a time on some days of the week; to the next day where the end is not after the beginning."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    days: tuple[Weekday, ...] = WEEK
    """Days on which it begins; left out, every day."""
    since: Minutes = Field(default=0, alias="from", json_schema_extra={"default": "00:00"})
    """Time of the day at which it begins."""
    until: Minutes = Field(default=24 * 60, json_schema_extra={"default": "24:00"})
    """Time of the day at which it ends: of the next day where that is not after the beginning."""

    @model_validator(mode="after")
    def _has_days(self) -> Self:
        if not self.days:
            raise ValueError(f"expected days among {', '.join(WEEK)}, got none")
        return self

    def occurrences(self, zone: str, since: datetime, until: datetime) -> Iterator[Span]:
        """Give each time, in UTC, of which something lies in a range; in order."""
        first, last = since.astimezone(ZoneInfo(zone)).date(), until.astimezone(ZoneInfo(zone)).date()
        overnight = self.until <= self.since
        for number in range(-1, (last - first).days + 1):
            day = first + number * _DAY
            if WEEK[day.weekday()] not in self.days:
                continue
            begins = _at(day, self.since, zone)
            ends = _at(day + overnight * _DAY, self.until, zone)
            if begins < until and ends > since and begins < ends:
                yield begins, ends


def holds(times: Iterable[Weekly], zone: str, at: datetime) -> bool:
    """Whether a time lies in any of some times of the week."""
    moment = timedelta(microseconds=1)
    return any(True for each in times for _ in each.occurrences(zone, at, at + moment))


def next_beginning(times: Iterable[Weekly], zone: str, at: datetime) -> datetime:
    """Say when any of some times of the week begins next, after a time.

    Raises:
        ValueError: there are none.
    """
    begun = (begins for each in times for begins, _ in each.occurrences(zone, at, at + _LONGEST) if begins > at)
    return min(begun)


def _at(day: date, minutes: int, zone: str) -> datetime:
    day, minutes = day + (minutes // (24 * 60)) * _DAY, minutes % (24 * 60)
    return datetime.combine(day, time(minutes // 60, minutes % 60), ZoneInfo(zone)).astimezone(UTC)
