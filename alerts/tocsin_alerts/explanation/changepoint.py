"""When a daily series began to fall: at once or gradually, with an interval. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

LEAST_DAYS: Final = 10
_EDGE: Final = 2  # days on either side, at least
_GAIN: Final = 16.0  # of T log(RSS0 / RSS1): chance alone gives it to one series in some hundred, wandering ones too
_REACH: Final = 7.35  # 95 % of the likelihood ratio of a break's place

Shape = Literal["at once", "gradually"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DayShare:
    """What was measured of one day."""

    day: date
    value: float
    n: float  # its weight


@dataclass(frozen=True, slots=True, kw_only=True)
class Onset:
    """The first day of a fall."""

    day: date
    earliest: date  # 95 % interval
    latest: date
    shape: Shape
    before: float  # fitted: until then ...
    now: float  # ... and on the last day


def find_onset(days: Sequence[DayShare], *, least_drop: float = 0.01) -> Onset | None:
    """Find where a series begins to fall, if it does.

    Two shapes are fitted at every day by weighted least squares: a level that drops, and a level that turns into a slope.
    The better of all is taken when it explains far more than no change, and falls by at least ``least_drop``.

    Args:
        days: Ascending; days without a measurement are left out.
        least_drop: From before to the last day.

    Returns:
        None when there are too few days, or nothing fell.

    Source:
        Bai (1997), Estimation of a Change Point in Multiple Regression Models; the interval by inverting the likelihood
        ratio, Hansen (2000), Sample Splitting and Threshold Estimation, table I.
    """
    if len(days) < LEAST_DAYS:
        return None
    weights = [day.n for day in days]
    values = [day.value for day in days]
    flat = max(_residual(values, weights, [1.0] * len(days))[0], 1e-300)
    fits: list[tuple[float, int, Shape, float, float]] = []
    for at in range(_EDGE, len(days) - _EDGE + 1):
        elapsed = [max(0, (day.day - days[at].day).days + 1) for day in days]
        shapes: tuple[tuple[Shape, list[float]], ...] = (
            ("at once", [float(each > 0) for each in elapsed]),
            ("gradually", [float(each) for each in elapsed]),
        )
        for shape, x in shapes:
            rest, level, slope = _residual(values, weights, x)
            fits.append((rest, at, shape, level, level + slope * x[-1]))
    floor = flat * 1e-9  # of a series without noise the logarithm has no end
    rest, at, shape, before, now = min(fits, key=lambda fit: fit[0])
    if len(days) * math.log(flat / max(rest, floor)) < _GAIN or before - now < least_drop:
        return None
    near = [
        other
        for each, other, kind, _, _ in fits
        if kind == shape and len(days) * math.log(max(each, floor) / max(rest, floor)) <= _REACH
    ]
    return Onset(
        day=days[at].day,
        earliest=days[min(near)].day,
        latest=days[max(near)].day,
        shape=shape,
        before=before,
        now=now,
    )


def _residual(values: Sequence[float], weights: Sequence[float], x: Sequence[float]) -> tuple[float, float, float]:
    """Fit a level and a slope on x by weighted least squares: what is left, the level at x = 0, and the slope."""
    total = math.fsum(weights)
    mean_x = math.fsum(w * a for w, a in zip(weights, x, strict=True)) / total
    mean_y = math.fsum(w * b for w, b in zip(weights, values, strict=True)) / total
    spread = math.fsum(w * (a - mean_x) ** 2 for w, a in zip(weights, x, strict=True))
    both = math.fsum(w * (a - mean_x) * (b - mean_y) for w, a, b in zip(weights, x, values, strict=True))
    slope = both / spread if spread > 0 else 0.0
    level = mean_y - slope * mean_x
    rest = math.fsum(w * (b - level - slope * a) ** 2 for w, a, b in zip(weights, x, values, strict=True))
    return rest, level, slope
