"""What keeps failing is tried again ever more rarely, counted in ticks, and put on record once an hour."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

_LONGEST_PAUSE: Final = 16  # ticks between two attempts
_ON_RECORD: Final = timedelta(hours=1)
_NEVER: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(slots=True)
class _Failing:
    times: int = 0
    pause: int = 0
    recorded_at: datetime = _NEVER


@dataclass(slots=True)
class Failures:
    """Jobs that fail, by name."""

    _by_name: dict[str, _Failing] = field(default_factory=dict)

    def is_on_record(self, name: str, now: datetime) -> bool:
        """Whether it failed the last time too, and that was written down lately."""
        failing = self._by_name.get(name)
        return failing is not None and timedelta(0) <= now - failing.recorded_at < _ON_RECORD

    def rests(self, name: str) -> bool:
        """Whether to leave it out of this tick; each question counts as a tick."""
        failing = self._by_name.get(name)
        if failing is None or not failing.pause:
            return False
        failing.pause -= 1
        return True

    def note(self, *, attempted: Iterable[str], failed: Mapping[str, str], now: datetime) -> None:
        """Take in one tick: who was tried, and who failed with what."""
        for name in attempted:
            if name not in failed:
                self._by_name.pop(name, None)
        for name in failed:
            is_on_record = self.is_on_record(name, now)
            failing = self._by_name.setdefault(name, _Failing())
            failing.recorded_at = failing.recorded_at if is_on_record else now
            failing.pause = min(2**failing.times - 1, _LONGEST_PAUSE)
            failing.times = min(failing.times + 1, 10)
