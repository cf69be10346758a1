"""Logical time: the slots at which a schedule wants to be evaluated, and which of them are due.

Slots lie on the UTC epoch's grid; a slot names the *end* of the window it speaks of. An offset makes a slot due later,
so that what is still under way can arrive; it never moves the slot.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """How often, and how long after a slot's end."""

    every: timedelta
    offset: timedelta = timedelta(0)

    def __post_init__(self) -> None:
        if self.every <= timedelta(0) or self.offset < timedelta(0):
            raise ValueError(f"expected a positive interval and an offset of at least 0, got {self}")

    def newest(self, now: datetime, watermark: datetime) -> datetime:
        """Give the newest slot that may be evaluated: floor((now - offset) / every), complete to its end."""
        return self.floor(min(now - self.offset, watermark))

    def floor(self, when: datetime) -> datetime:
        """Give the last slot not after an instant."""
        return _EPOCH + (when - _EPOCH) // self.every * self.every

    def due(
        self, *, done_to: datetime | None, now: datetime, watermark: datetime, first: datetime | None = None
    ) -> list[datetime]:
        """List the slots to evaluate, oldest first.

        Args:
            done_to: The last slot that was done; None when none ever was.
            now: The clock.
            watermark: Data are complete to here.
            first: Without a done slot, begin with the first slot after this; None begins with the newest alone.
        """
        newest = self.newest(now, watermark)
        after = done_to if done_to is not None else first if first is not None else newest - self.every
        slot = self.floor(after) + self.every
        count = max(0, (newest - slot) // self.every + 1)
        return [slot + index * self.every for index in range(count)]
