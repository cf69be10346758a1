"""Times at which nobody is told, declared in advance: maintenance windows of ``tocsin.yaml`` and the mute times of plans. Pure.

Each time such a window comes round it is a silence like one that a person made: listed, ended, and told afterwards what
still fires.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Final, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tocsin_alerts.matchers import Matcher, Matching, narrow
from tocsin_alerts.plan import Plan
from tocsin_alerts.silences import LONGEST, Silence
from tocsin_alerts.weekly import Span, Weekly, Zone

_FORMAT: Final = "%Y-%m-%dT%H:%M"


class Window(BaseModel):
    """A maintenance window: every week, or once."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=60)
    """Name of the window; each time that it comes round, its silence is called by this and the time."""
    matchers: tuple[Matching, ...]
    """What is silenced, such as `use_case=x`; never everything, and in every project unless one says which."""
    author: str = Field(min_length=1)
    """Who declared it."""
    reason: str = Field(min_length=1)
    """Why."""
    zone: Zone = "UTC"
    """Time zone of its times, such as `Europe/Berlin`."""
    weekly: Weekly | None = None
    """Every week at this time; either this, or `from` and `until`."""
    since: datetime | None = Field(default=None, alias="from")
    """Once, from then on, in the zone unless it names another."""
    until: datetime | None = None
    """The end of that, at most 30 days after."""

    @model_validator(mode="after")
    def _is_a_window(self) -> Self:
        once = (self.since, self.until)
        if (self.weekly is None) == (once == (None, None)) or (once != (None, None) and None in once):
            raise ValueError("expected either weekly, or from and until")
        if not narrow(self.matchers):
            raise ValueError(
                "expected matchers of something in particular, such as use_case=x: nobody may silence everything"
            )
        if self.since is not None and self.until is not None and not timedelta(0) < self.until - self.since <= LONGEST:
            raise ValueError(f"expected an end after the beginning and within {LONGEST.days} days of it")
        return self

    def spans(self, since: datetime, until: datetime) -> Iterator[Span]:
        """Give each time, in UTC, of which something lies in a range."""
        if self.weekly is not None:
            yield from self.weekly.occurrences(self.zone, since, until)
        elif self.since is not None and self.until is not None:
            begins, ends = (_in_zone(when, self.zone) for when in (self.since, self.until))
            if begins < until and ends > since:
                yield begins, ends


def declared(windows: Iterable[Window], plans: Iterable[Plan], *, since: datetime, until: datetime) -> list[Silence]:
    """List the silences of which something lies in a range.

    Args:
        windows: Of ``tocsin.yaml``; they hold for every project unless a matcher says which.
        plans: With their mute times, each in its own zone and for its own use case.
        since: Beginning.
        until: End.
    """
    found = [
        Silence(
            silence=f"{window.name}.{begins:{_FORMAT}}",
            project="",
            use_case="",
            rule="",
            matchers=window.matchers,
            author=window.author,
            reason=window.reason,
            since=begins,
            until=ends,
        )
        for window in windows
        for begins, ends in window.spans(since, until)
    ]
    found += [
        Silence(
            silence=f"{plan.use_case}.{number}.{begins:{_FORMAT}}",
            project=plan.project,
            use_case=plan.use_case,
            rule="",
            matchers=(Matcher.parse(f"severity=~{'|'.join(mute.severities)}"),),
            author=plan.owner or "the plan",
            reason="the plan does not want it told at this time",
            since=begins,
            until=ends,
        )
        for plan in plans
        for number, mute in enumerate(plan.mute)
        for begins, ends in mute.occurrences(plan.zone, since, until)
    ]
    return found


def _in_zone(when: datetime, zone: str) -> datetime:
    return (when if when.tzinfo else when.replace(tzinfo=ZoneInfo(zone))).astimezone(UTC)
