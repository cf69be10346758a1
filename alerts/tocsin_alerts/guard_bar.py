"""The bar: how sure a model must say it is for its answer to be served unseen. Pure.

An answer's confidence is a promise; reviews say how far it can be believed. Twenty cuts through the reviewed calls are
tried. The bar is the lowest whose calls at or above it are right more often than the plan's floor even at the lower end of
the interval. Below the lower bar, every slice of calls is right less often than the floor even at the upper end. Between
the two nobody knows, and somebody should look.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import sqrt
from typing import Final

CANDIDATES: Final = 20
MIN_LABELS: Final = 50
Z: Final = 2.807  # one-sided 5 % over 20 cuts (Bonferroni): the chance that any cut passes that should not


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """Reviewed calls of about the same confidence."""

    lowest: float  # confidence among them
    labels: int
    weight: float  # calls that they stand for
    squares: float  # sum of the squared weights
    hits: float  # weight of those that were right


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """From where on answers may be served unseen."""

    bar: float | None = None  # confidence at or above it: answer; None is "no bar yet", and never a green light
    precision: float | None = None  # of the reviewed calls at or above it
    lower: float | None = None  # of its interval
    share: float | None = None  # of the reviewed calls that lie at or above it
    low_bar: float | None = None  # confidence below it: fall back; None where nothing is known to be that bad
    labels: int = 0  # verdicts behind it all


class _Tally:
    """What lies on one side of a cut."""

    def __init__(self) -> None:
        self.weight = self.squares = self.hits = 0.0
        self.labels = 0

    def add(self, cell: Cell) -> None:
        self.weight += cell.weight
        self.squares += cell.squares
        self.hits += cell.hits
        self.labels += cell.labels

    @property
    def precision(self) -> float:
        return self.hits / self.weight

    def end(self, z: float) -> float:
        """Give one end of the interval; weighted verdicts count as the equal ones that would say as much (Kish)."""
        n = self.weight * self.weight / self.squares
        return wilson(self.precision * n, n, z)


def find_bar(cells: Sequence[Cell], floor: float) -> Bar:
    """Find the bar of one version.

    Args:
        cells: Reviewed calls by confidence, in any order.
        floor: The share of right answers that the plan asks for.

    Source:
        Geifman and El-Yaniv (2017), Selective Classification for Deep Neural Networks, with Wilson's interval.
    """
    known = sorted((cell for cell in cells if cell.labels), key=lambda cell: -cell.lowest)
    labels = sum(cell.labels for cell in known)
    bar = Bar(labels=labels)
    above, step = _Tally(), 0
    for cell in known:
        above.add(cell)
        # Where the cuts lie follows from the confidences alone: cuts that followed the verdicts would flatter themselves.
        reached = CANDIDATES * above.labels // labels
        if reached > step and above.labels >= MIN_LABELS:
            step = reached
            if (lower := above.end(-Z)) >= floor:
                share = above.labels / labels
                bar = Bar(bar=cell.lowest, precision=above.precision, lower=lower, share=share, labels=labels)
    low_bar = _low_bar(known[::-1], floor, max(MIN_LABELS, labels // CANDIDATES))
    if low_bar is not None and bar.bar is not None:
        low_bar = min(low_bar, bar.bar)
    return replace(bar, low_bar=low_bar)


def _low_bar(ascending: Sequence[Cell], floor: float, slice_labels: int) -> float | None:
    """Go up slice by slice for as long as each is known to be worse than the floor."""
    low_bar, part = None, _Tally()
    for at, cell in enumerate(ascending, start=1):
        part.add(cell)
        if part.labels < slice_labels:
            continue
        if part.end(Z) >= floor:
            break
        low_bar, part = ascending[at].lowest if at < len(ascending) else 1.0, _Tally()
    return low_bar


def wilson(hits: float, n: float, z: float) -> float:
    """Give one end of the Wilson score interval: z below 0 the lower, above 0 the upper."""
    return (hits + z * z / 2 + z * sqrt(hits / n * (n - hits) + z * z / 4)) / (n + z * z)
