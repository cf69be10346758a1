"""Accuracy estimated for each day of a reference window: its week, and how far a day strays of itself. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

WEEK: Final = 7
MIN_DAYS: Final = 14
HIGHEST_NEARNESS: Final = 0.9

_MONDAY: Final = 3  # days from 1970-01-01, a Thursday, back to its Monday


@dataclass(frozen=True, slots=True, kw_only=True)
class DayEstimate:
    """One day: what share of its calls is estimated to be right."""

    day: int  # since 1970-01-01, UTC
    share: float
    calls: int  # above 0


@dataclass(frozen=True, slots=True, kw_only=True)
class DailyEstimates:
    """What a day's estimate is held against."""

    by_weekday: tuple[float, ...]  # Monday first
    spread: float  # standard deviation of a day about its weekday's
    nearness: float  # autocorrelation of neighbouring days, 0 to 0.9
    doubt: float  # standard error of what days are held against
    calls: float  # of a day, on the mean

    def as_figures(self) -> list[float]:
        """Give the eleven numbers as ``reference_profiles`` keeps them."""
        return [*self.by_weekday, self.spread, self.nearness, self.doubt, self.calls]


def daily_estimates(days: Sequence[DayEstimate]) -> DailyEstimates | None:
    """Describe the days of a reference window; None when they are fewer than fourteen.

    Weekdays are shrunk towards their common level as far as chance explains their differences. The autocorrelation is
    corrected for what so short a window hides of it. The level is known the less, the more neighbouring days are alike.

    Args:
        days: Ascending, one each.

    Source:
        Efron and Morris (1973), Stein's Estimation Rule and Its Competitors; Kendall (1954), Note on Bias in the
        Estimation of Autocorrelation; Bartlett (1946), On the Theoretical Specification and Sampling Properties of
        Autocorrelated Time-Series.
    """
    n = len(days)
    if n < MIN_DAYS:
        return None
    level = sum(each.share for each in days) / n
    by_weekday: list[list[float]] = [[] for _ in range(WEEK)]
    for each in days:
        by_weekday[_weekday(each)].append(each.share - level)
    means = [sum(found) / len(found) if found else 0.0 for found in by_weekday]
    seen = sum(bool(found) for found in by_weekday)
    within = sum((x - mean) ** 2 for found, mean in zip(by_weekday, means, strict=True) for x in found)
    between = sum(len(found) * mean**2 for found, mean in zip(by_weekday, means, strict=True))
    kept = 0.0
    if seen > 1 and n > seen and between > 0:
        kept = max(0.0, 1 - within / (n - seen) * (seen - 1) / between)
    effects = [kept * mean for mean in means]
    rest = [each.share - level - effects[_weekday(each)] for each in days]
    freedom = n - 1 - kept * (seen - 1)
    spread = math.sqrt(sum(x * x for x in rest) / freedom)
    nearness = _nearness(days, rest)
    level_share = (1 + nearness) / (1 - nearness) / n
    weekday_share = kept * kept * seen / n / 4  # about four days carry the smoothed figure, each of another weekday
    return DailyEstimates(
        by_weekday=tuple(level + effect for effect in effects),
        spread=spread,
        nearness=nearness,
        doubt=spread * math.sqrt(min(1.0, level_share + weekday_share)),
        calls=sum(each.calls for each in days) / n,
    )


def _weekday(each: DayEstimate) -> int:
    return (each.day + _MONDAY) % WEEK


def _nearness(days: Sequence[DayEstimate], rest: Sequence[float]) -> float:
    by_day = {each.day: x for each, x in zip(days, rest, strict=True)}
    pairs = [(x, by_day[day + 1]) for day, x in by_day.items() if day + 1 in by_day]
    variance = sum(x * x for x in rest) / len(rest)
    if not pairs or variance <= 0:
        return 0.0
    raw = sum(a * b for a, b in pairs) / len(pairs) / variance
    return min(HIGHEST_NEARNESS, max(0.0, raw + (1 + 3 * raw) / len(rest)))
