"""Pure mathematics of references: buckets, isotonic calibration, ordinary silence."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

BELOW_EVERY_BIN: Final = -32768
WEEK_H: Final = 168

_FEW_BINS: Final = 10
_DECILES: Final = 10
_RARE_SHARE: Final = 0.01  # of a field's calls: rarer categories share one bucket
_ORDINARY: Final = -math.log(0.01)  # calls expected in a silence that chance gives once in a hundred times


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """A step function from doubt bins to the share of right answers, never rising with doubt."""

    knots: tuple[int, ...]  # ascending; a bin belongs to the last knot not above it, the first is 0
    precision: tuple[float, ...]
    labels: tuple[int, ...]

    def estimate(self, histogram: Sequence[tuple[int, int]]) -> float | None:
        """Say what share of a confidence histogram's calls is right; None when it is empty."""
        total = sum(count for _, count in histogram)
        if not total or not self.knots:
            return None
        return sum(count * self._at(doubt) for doubt, count in histogram) / total

    def _at(self, doubt: int) -> float:
        below = [share for knot, share in zip(self.knots, self.precision, strict=True) if knot <= doubt]
        return below[-1] if below else self.precision[0]


def isotonic(cells: Sequence[tuple[int, int, int]], *, least: int = 1) -> Calibration:
    """Fit the share of right answers to doubt, so that more doubt never means more of them.

    Args:
        cells: Doubt bin, labels in it (above 0), right answers among them; bins ascending.
        least: Steps on fewer labels are merged with the nearest in precision: a step on three labels says nothing.

    Source:
        Ayer et al. (1955), An Empirical Distribution Function for Sampling with Incomplete Information (PAVA).
    """
    blocks: list[tuple[int, int, int]] = []
    for cell in cells:
        start, labels, hits = cell
        while blocks and hits * blocks[-1][1] >= blocks[-1][2] * labels:
            start, before_labels, before_hits = blocks.pop()
            labels, hits = labels + before_labels, hits + before_hits
        blocks.append((start, labels, hits))
    _merge_thin(blocks, least)
    return Calibration(
        knots=tuple(0 if index == 0 else start for index, (start, _, _) in enumerate(blocks)),
        precision=tuple(hits / labels for _, labels, hits in blocks),
        labels=tuple(labels for _, labels, _ in blocks),
    )


def _merge_thin(blocks: list[tuple[int, int, int]], least: int) -> None:
    while len(blocks) > 1:
        thin = min(range(len(blocks)), key=lambda index: blocks[index][1])
        if blocks[thin][1] >= least:
            return
        share = [hits / labels for _, labels, hits in blocks]
        beside = [index for index in (thin - 1, thin + 1) if 0 <= index < len(blocks)]
        low, high = sorted((thin, min(beside, key=lambda index: abs(share[index] - share[thin]))))
        (start, labels, hits), (_, more, right) = blocks[low], blocks[high]
        blocks[low : high + 1] = [(start, labels + more, hits + right)]


def number_buckets(cells: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Cut a histogram into about ten buckets: where each starts, and its count.

    The cuts are the deciles of the middles of the bins, so a heavy bin stays alone. Ten bins and fewer stay as they are,
    with empty buckets between and around them for what the reference has never seen.

    Args:
        cells: Bin and count (above 0), bins ascending.
    """
    if len(cells) <= _FEW_BINS:
        return _singles(cells)
    total = sum(count for _, count in cells)
    buckets: list[tuple[int, int]] = []
    passed, last = 0, -1
    for start, count in cells:
        decile = (_DECILES * (2 * passed + count)) // (2 * total)
        passed += count
        if decile > last:
            buckets.append((start if buckets else BELOW_EVERY_BIN, count))
            last = decile
        else:
            buckets[-1] = (buckets[-1][0], buckets[-1][1] + count)
    return buckets


def _singles(cells: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    buckets = [(BELOW_EVERY_BIN, 0)]
    for start, count in cells:
        if buckets[-1] == (start, 0):
            buckets.pop()
        buckets += [(start, count), (start + 1, 0)]
    return buckets


def category_buckets(cells: Sequence[tuple[str, int]]) -> tuple[list[tuple[str, int]], int]:
    """Split categories into those worth a bucket of their own, and the count of the rest."""
    total = sum(count for _, count in cells)
    kept = [(name, count) for name, count in cells if count >= _RARE_SHARE * total]
    return kept, total - sum(count for _, count in kept)


def ordinary_silence_s(means: Sequence[float]) -> list[int]:
    """Say how long a silence may be, ending with each hour of the week, before chance alone no longer explains it.

    Args:
        means: Mean calls in each of the 168 hours of the week.

    Returns:
        Seconds, a multiple of an hour: the longest silence that a Poisson stream of these rates still shows in one of a
        hundred cases; 0 for a busy hour. Beyond a week, by the week's mean. All 0 gives a year.
    """
    week = sum(means)
    if week <= 0:
        return [365 * 86_400] * WEEK_H
    silences = []
    for hour in range(WEEK_H):
        weeks = math.floor(_ORDINARY / week)
        expected = weeks * week
        hours = weeks * WEEK_H
        while expected < _ORDINARY:
            expected += means[(hour - hours) % WEEK_H]
            hours += 1
        silences.append((hours - 1) * 3600)
    return silences
