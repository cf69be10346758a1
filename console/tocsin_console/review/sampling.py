"""How likely each call is to be drawn: a quarter by chance alone, the rest by confidence and from segments that moved. Pure.

Most of the rest comes from the most confident tenth, where next to nothing was wrong: an answer that is wrong there is news,
while among the unsure it is what was expected. A few unsure ones stay, since without wrong answers a judge's misses
cannot be measured. bench/detect.py says how much sooner a changed concept is seen by it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

BY_REASON: Final = 0.75  # of the sample; the rest is uniform
FROM_SEGMENTS: Final = 0.2  # of the sample, where a segment has moved
OF_THE_SURE: Final = (
    0.87  # of what is left of it, from the most confident tenth; the rest from the least confident fifth
)
SURE: Final = 0.9  # quantile of confidence above which a call is among the most confident
UNSURE: Final = 0.2  # below it, among the least


class Cell(NamedTuple):
    """Calls that are equally likely to be drawn."""

    confident: bool  # among the most confident tenth
    unsure: bool  # among the least confident fifth
    moved: bool  # in a segment that moved

    @property
    def stratum(self) -> str:
        """The first reason for which it is likelier than others."""
        return "segment" if self.moved else "confident" if self.confident else "unsure" if self.unsure else "others"


@dataclass(frozen=True, slots=True, kw_only=True)
class Inclusion:
    """The chance of one call of a cell."""

    cell: Cell
    probability: float


def inclusions(calls: Mapping[Cell, int], *, size: int) -> list[Inclusion]:
    """Spread a sample over the cells.

    Every call keeps at least a quarter of the chance that it had in a uniform draw, so that no call stands for more than four
    times as many as there. Where a cell is used up, the others take its place.

    Args:
        calls: How many calls each cell has; cells without any are left out.
        size: Calls to draw; when there are fewer, all are taken.

    Returns:
        Probabilities that sum, over all calls, to the size of the sample.
    """
    cells = [cell for cell, count in calls.items() if count > 0]
    total = sum(calls[cell] for cell in cells)
    if total <= size:
        return [Inclusion(cell=cell, probability=1.0) for cell in cells]
    wishes = _wishes(calls, cells, total)
    full: set[Cell] = set()
    while True:
        left = size - sum(calls[cell] for cell in full)
        free = [cell for cell in cells if cell not in full]
        scale = left / sum(calls[cell] * wishes[cell] for cell in free)
        over = {cell for cell in free if scale * wishes[cell] >= 1}
        if not over:
            break
        full |= over
    return [Inclusion(cell=cell, probability=1.0 if cell in full else scale * wishes[cell]) for cell in cells]


def _wishes(calls: Mapping[Cell, int], cells: Sequence[Cell], total: int) -> dict[Cell, float]:
    """Give each cell the share of the sample that one of its calls should have."""
    moved = [cell for cell in cells if cell.moved]
    by_confidence = BY_REASON - (FROM_SEGMENTS if moved else 0)
    reasons = (
        (by_confidence * OF_THE_SURE, [cell for cell in cells if cell.confident]),
        (by_confidence * (1 - OF_THE_SURE), [cell for cell in cells if cell.unsure]),
        (FROM_SEGMENTS, moved),
    )
    by_chance = 1 - sum(share for share, its in reasons if its)
    wishes = dict.fromkeys(cells, by_chance / total)
    for share, its in reasons:
        for cell in its:
            wishes[cell] += share / sum(calls[each] for each in its)
    return wishes
