"""The error to expect of a predicted number, learnt in the reference window: what estimates errors where no truth is known."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tocsin_alerts.statistics import BELOW_EVERY_BIN

MIN_LABELS: Final = 200
_LEAST: Final = 20  # labels behind each bucket


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """The predictions of one bin."""

    bin: int
    labels: int
    total: float  # of the absolute errors
    squares: float
    calls: int  # with or without a label


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedErrors:
    """The mean absolute error by bucket of the prediction."""

    edges: tuple[int, ...]  # bin in which each bucket starts; the first holds everything below
    means: tuple[float, ...]
    variances: tuple[float, ...]  # of the errors, not of their means
    labels: tuple[int, ...]
    estimate: float  # over every call of the reference window

    def as_figures(self) -> list[float]:
        """Lay it out as ``reference_profiles`` keeps it: means, variances, labels, estimate."""
        return [*self.means, *self.variances, *map(float, self.labels), self.estimate]


def expected_errors(cells: Sequence[Cell]) -> ExpectedErrors | None:
    """Cut predictions into at most ten buckets of about as many labels each; None under 200 labels.

    Args:
        cells: Bins ascending.
    """
    total = sum(cell.labels for cell in cells)
    if total < MIN_LABELS:
        return None
    size = max(_LEAST, total / 10)
    buckets: list[list[Cell]] = [[]]
    for cell in cells:
        if sum(each.labels for each in buckets[-1]) >= size:
            buckets.append([])
        buckets[-1].append(cell)
    if len(buckets) > 1 and sum(each.labels for each in buckets[-1]) < _LEAST:
        buckets[-2:] = [buckets[-2] + buckets[-1]]
    labels = [sum(each.labels for each in bucket) for bucket in buckets]
    means = [sum(each.total for each in bucket) / n for bucket, n in zip(buckets, labels, strict=True)]
    squares = [sum(each.squares for each in bucket) / n for bucket, n in zip(buckets, labels, strict=True)]
    calls = [sum(each.calls for each in bucket) for bucket in buckets]
    weights = calls if sum(calls) else labels
    return ExpectedErrors(
        edges=(BELOW_EVERY_BIN, *(bucket[0].bin for bucket in buckets[1:])),
        means=tuple(means),
        variances=tuple(max(0.0, square - mean * mean) for square, mean in zip(squares, means, strict=True)),
        labels=tuple(labels),
        estimate=sum(weight * mean for weight, mean in zip(weights, means, strict=True)) / sum(weights),
    )
