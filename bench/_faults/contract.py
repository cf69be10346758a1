"""What a fault is given and what it answers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeAlias, TypeVar

_Size = TypeVar("_Size")


class Scale(Enum):
    """How much of a fault to run."""

    full = "full"  # what the figures are taken from
    short = "short"  # seconds: for the tests

    def pick(self, *, full: _Size, short: _Size) -> _Size:
        """Choose a size."""
        return full if self is Scale.full else short


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultResult:
    """What was left after a fault. The first three must be 0."""

    missing: int  # acknowledged and not stored
    duplicates: int  # stored more than once, in any table, or counted twice in a rollup
    crashes: int  # of the collector, by itself; hangs too, and wrong exit codes
    counters: Mapping[str, float]  # printed and written
    goals: Mapping[str, str] = field(default_factory=dict)  # of counters: "== 0"
    timed_goals: Mapping[str, str] = field(default_factory=dict)  # as goals, but of the machine too: at full scale only


Fault: TypeAlias = Callable[[Scale, int], FaultResult]  # the int seeds everything random in it
