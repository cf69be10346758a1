"""Things timed in turns, so that what else the machine does meets all of them alike.

Imports nothing of ours: the peers run it in an environment of their own.
"""

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

_WARM_UP = 50  # enough for the interpreter to have specialised what a turn's beginning has patched


@dataclass(slots=True)
class Taken:
    """What one thing took."""

    wall_us: list[float] = field(default_factory=list)  # of each single time
    cpu_us: list[float] = field(default_factory=list)  # of the calling thread, a mean per round

    @property
    def p50_us(self) -> float:
        """The median of single times."""
        return statistics.median(self.wall_us)

    @property
    def p10_us(self) -> float:
        """The tenth percentile of single times: what other processes on the same cores touch least."""
        return statistics.quantiles(self.wall_us, n=10)[0]

    @property
    def p99_us(self) -> float:
        """The 99th percentile of single times."""
        return statistics.quantiles(self.wall_us, n=100)[98]

    @property
    def cpu_p50_us(self) -> float:
        """The median of rounds."""
        return statistics.median(self.cpu_us)


def in_turns(
    works: Mapping[str, Callable[[], Any]],
    *,
    rounds: int,
    repeats: int,
    before: Mapping[str, Callable[[], Any]] | None = None,
    after: Callable[[], Any] | None = None,
) -> dict[str, Taken]:
    """Time each of some things so many times a round.

    Args:
        works: By name.
        rounds: How often each has its turn.
        repeats: Single times in one turn.
        before: What to do, untimed, before the turn of some of them.
        after: What to do, untimed, after each turn: a flush, so that nobody's leftovers meet the next.
    """
    taken = {name: Taken() for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            if before is not None and name in before:
                before[name]()
            for _ in range(_WARM_UP):
                work()
            _time(work, repeats, taken[name])
            if after is not None:
                after()
    return taken


def ratios(one: Taken, other: Taken) -> tuple[float, float]:
    """Compare two by wall time and by CPU time of the calling thread: the median of each round's own ratio."""
    size = len(one.wall_us) // len(one.cpu_us)
    walls = [
        statistics.median(one.wall_us[at : at + size]) / statistics.median(other.wall_us[at : at + size])
        for at in range(0, len(one.wall_us), size)
    ]
    cpus = [mine / theirs for mine, theirs in zip(one.cpu_us, other.cpu_us, strict=True)]
    return statistics.median(walls), statistics.median(cpus)


def added_us(one: Taken, other: Taken) -> float:
    """Say how much longer one takes: the median of each round's own difference of medians."""
    size = len(one.wall_us) // len(one.cpu_us)
    return statistics.median(
        statistics.median(one.wall_us[at : at + size]) - statistics.median(other.wall_us[at : at + size])
        for at in range(0, len(one.wall_us), size)
    )


def _time(work: Callable[[], Any], repeats: int, into: Taken) -> None:
    clock = time.perf_counter_ns
    stamps = [0] * (2 * repeats)
    cpu_ns = time.thread_time_ns()
    for at in range(0, 2 * repeats, 2):
        stamps[at] = clock()
        work()
        stamps[at + 1] = clock()
    into.cpu_us.append((time.thread_time_ns() - cpu_ns) / repeats / 1e3)
    into.wall_us += [(stamps[at + 1] - stamps[at]) / 1e3 for at in range(0, 2 * repeats, 2)]
