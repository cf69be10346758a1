"""What tocsin sets off outside: retrainings, the week's report, and a sign of life."""

from datetime import time
from typing import Final, Literal, Self
from zoneinfo import available_timezones

from pydantic import Field, field_validator, model_validator

from tocsin_console.sections.section import Section

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]

_KEYS_OF_ACTION: Final[dict[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {  # needed, and further
    "webhook": (("url",), ("secret",)),
    "github": (("repository", "event_type", "token"), ("api",)),
    "command": (("command",), ()),
}


class RetrainingAction(Section):
    """Something that starts a retraining; a plan names it. Commands stand here, never in a plan."""

    name: str = Field(min_length=1)
    """Name by which a plan's `retraining.action` means it."""
    type: Literal["webhook", "github", "command"]
    """A webhook (signed as Standard Webhooks), GitHub's `repository_dispatch`, or a program."""
    url: str | None = Field(default=None, pattern="^https?://")
    """Of `webhook`: where the order is posted to."""
    secret: str | None = None
    """Of `webhook`: the secret it is signed with, as `env:NAME` or `file:PATH`; left out, it is not signed."""
    repository: str | None = Field(default=None, pattern=r"^[\w.-]+/[\w.-]+$")
    """Of `github`: `OWNER/NAME`."""
    event_type: str | None = None
    """Of `github`: the event that its workflow waits for."""
    token: str | None = None
    """Of `github`: a token that may dispatch, as `env:NAME` or `file:PATH`."""
    api: str | None = Field(default=None, pattern="^https?://")
    """Of `github`: the address of GitHub Enterprise; left out, github.com's."""
    command: tuple[str, ...] | None = None
    """Of `command`: a program and its arguments; no shell reads them, and the order comes as JSON on stdin."""
    timeout_s: float | None = Field(default=None, gt=0, le=3600)
    """Seconds that one attempt may take; left out, 30, and 300 of a command, which is killed then."""

    @model_validator(mode="after")
    def _fits_its_type(self) -> Self:
        needed, more = _KEYS_OF_ACTION[self.type]
        given = {key for key in type(self).model_fields if getattr(self, key)} - {"name", "type", "timeout_s"}
        if wrong := sorted(given - {*needed, *more}):
            raise ValueError(
                f"a {self.type} action has no {wrong[0]!r}: its own keys are {', '.join((*needed, *more))}"
            )
        if missing := [key for key in needed if key not in given]:
            raise ValueError(f"a {self.type} action needs {missing[0]!r}")
        return self


class ReportSection(Section):
    """When the week's report is mailed. Without this section it is not."""

    day: Weekday
    """Day of the week."""
    time: time
    """Time of the day, such as `"08:00"`."""
    zone: str = "UTC"
    """Time zone of that, such as `Europe/Berlin`."""
    channels: tuple[str, ...] = ()
    """Channels of type `smtp` that it goes to; left out, all of them."""

    @field_validator("zone")
    @classmethod
    def _is_a_zone(cls, said: str) -> str:
        if said not in available_timezones():
            raise ValueError(f"expected a time zone such as Europe/Berlin, got {said!r}")
        return said


class DeadManSection(Section):
    """Something outside that is told after each round of evaluation, and raises the alarm when it no longer is."""

    url: str = Field(pattern="^(https?://|env:|file:)")
    """Where it is posted to: `env:NAME`, `file:PATH`, or the address itself."""
    timeout_s: float = Field(default=10.0, gt=0, le=60)
    """Seconds that one post may take."""
