"""How soon a channel hears of what joins an incident, and how often of what nobody has taken. Pure.

Alerts of one slot come together, so nothing has to be waited for by default; what joins later may come slot by slot.

Source: Alertmanager's documentation, "group_wait", "group_interval", "repeat_interval".
"""

from datetime import datetime, timedelta
from typing import Final

from pydantic import BaseModel, ConfigDict

from tocsin_alerts.durations import Duration

_NONE: Final = timedelta(0)


class Grouping(BaseModel):
    """The pauses of one installation."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    wait: Duration = _NONE
    """Before an incident is told first, for what fires with it."""
    interval: Duration = timedelta(minutes=5)
    """Between two messages about what joins one incident; an end never waits."""
    repeat: Duration = _NONE
    """Until an open page that nobody took is told again; `0s`: never."""

    def holds_back(self, *, is_first: bool, opened: datetime, told: datetime | None, now: datetime) -> datetime | None:
        """Say until when a message has to wait; None: it may go.

        Args:
            is_first: Of its incident, to its channel.
            opened: When the incident was first heard of here.
            told: When the channel was told last.
            now: The time of day.
        """
        due = opened + self.wait if is_first or told is None else told + self.interval
        return due if due > now else None

    def next_repetition(self, first_told: datetime, now: datetime) -> datetime | None:
        """Say when a page is told again next; None: never."""
        if self.repeat <= _NONE:
            return None
        return first_told + (self.repetition(first_told, now) + 1) * self.repeat

    def repetition(self, first_told: datetime, now: datetime) -> int:
        """Count how often a page has to have been told again by now: the same at every replay."""
        return (now - first_told) // self.repeat if self.repeat > _NONE else 0


IMMEDIATE: Final = Grouping(interval=_NONE)
