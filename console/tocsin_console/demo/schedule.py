"""What happens on which day of the story: how worn each scanner is, and when it is replaced."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np

from tocsin_console.demo.images import Floats

START = date(2026, 6, 1)  # a Monday; the data's clock, not the wall's
DEVICES = ("scanner-a", "scanner-b", "scanner-c")
DEVICE_SHARES = (0.4, 0.35, 0.25)
REFERENCE_DAYS = 28  # what tocsin needs to know a use case
_WEAR_STARTS = (0, 10, 22)  # days after the reference, by device
_WEAR_IN_THE_END = (0.72, 0.67, 0.6)
_WEAR_CURVE = 0.5  # below 1: fast at first, so that accuracy, which falls slowly at first, falls about evenly


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """The days of one run of the story."""

    decay_days: int = 60
    recovery_days: int = 16
    decays: bool = True
    start: date = START

    @property
    def days(self) -> int:
        """Days in all."""
        return REFERENCE_DAYS + self.decay_days + self.recovery_days

    @property
    def replaced_on(self) -> int:
        """The first day with new scanners."""
        return REFERENCE_DAYS + self.decay_days

    def wear(self, day: int) -> Floats:
        """Say how worn each device is on a day, 0 (new) to 1, in the order of :data:`DEVICES`."""
        if not self.decays or not REFERENCE_DAYS <= day < self.replaced_on:
            return np.zeros(len(DEVICES))
        starts = np.array(_WEAR_STARTS) * self.decay_days / 60
        passed = (day + 1 - REFERENCE_DAYS - starts) / (self.decay_days - starts)
        return np.asarray(np.array(_WEAR_IN_THE_END) * np.clip(passed, 0.0, 1.0) ** _WEAR_CURVE)

    def midnight(self, day: int) -> datetime:
        """The instant at which a day begins, in UTC."""
        return datetime.combine(self.start, datetime.min.time(), UTC) + timedelta(days=day)
