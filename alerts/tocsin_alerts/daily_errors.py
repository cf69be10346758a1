"""The share of wrong answers by day in a reference window: its week, and how much it moves of its own."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

WEEK: Final = 7
MIN_DAYS: Final = 14
MIN_LABELS_A_DAY: Final = 20  # on the mean: below it a day's share is too coarse to be compared

_LAGS: Final = 3  # days over which a slow wander still shows in so short a window
_MONDAY: Final = 3  # days from 1970-01-01, a Thursday, back to its Monday


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """The labels of one day of calls."""

    day: int  # since 1970-01-01, UTC
    labels: int  # above 0
    errors: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DailyErrors:
    """What a day's share of wrong answers is held against."""

    by_weekday: tuple[float, ...]  # expected share, Monday first
    wander: float  # variance of a day's share beyond the binomial
    doubt: float  # standard error of the level, autocorrelation included


def daily_errors(days: Sequence[Day]) -> DailyErrors | None:
    """Describe the days of a reference window; None when there are too few, or too few labels in them.

    Weekdays are shrunk towards the common level as far as chance alone explains their differences (F is the ratio of
    variance between weekdays to variance within them). What remains beyond the binomial is wander; where neighbouring
    days wander together, the level itself is less certain.

    Args:
        days: Ascending; days without labels are left out.

    Source:
        Efron and Morris (1973), Stein's Estimation Rule and Its Competitors; Bartlett (1946), On the Theoretical
        Specification and Sampling Properties of Autocorrelated Time-Series.
    """
    total = sum(each.labels for each in days)
    if len(days) < MIN_DAYS or total < MIN_LABELS_A_DAY * len(days):
        return None
    level = (sum(each.errors for each in days) + 0.5) / (total + 1)
    effects, spread = _weekdays(days, level)
    rest = [each.errors / each.labels - level - effects[_weekday(each)] for each in days]
    wander = max(0.0, spread - level * (1 - level)) * len(days) / total
    shared = wander + 2 * _LAGS * max(0.0, _autocovariance(days, rest))
    least = 0.5 / (total + 1)
    return DailyErrors(
        by_weekday=tuple(min(1 - least, max(least, level + effect)) for effect in effects),
        wander=wander,
        doubt=math.sqrt(level * (1 - level) / total + shared / len(days)),
    )


def _weekday(each: Day) -> int:
    return (each.day + _MONDAY) % WEEK


def _weekdays(days: Sequence[Day], level: float) -> tuple[list[float], float]:
    """Give each weekday's difference from the level, and the variance within weekdays, as of one label."""
    labels, errors = [0] * WEEK, [0] * WEEK
    for each in days:
        labels[_weekday(each)] += each.labels
        errors[_weekday(each)] += each.errors
    raw = [wrong / n - level if n else 0.0 for n, wrong in zip(labels, errors, strict=True)]
    seen = sum(n > 0 for n in labels)
    within = sum(each.labels * (each.errors / each.labels - level - raw[_weekday(each)]) ** 2 for each in days)
    between = sum(n * effect * effect for n, effect in zip(labels, raw, strict=True))
    spread = within / (len(days) - seen)
    kept = max(0.0, 1 - spread / (between / (seen - 1))) if seen > 1 and between > 0 else 0.0
    mean = kept * sum(n * effect for n, effect in zip(labels, raw, strict=True)) / sum(labels)
    return [kept * effect - mean if n else 0.0 for n, effect in zip(labels, raw, strict=True)], spread


def _autocovariance(days: Sequence[Day], rest: Sequence[float]) -> float:
    """Average the covariance of days up to three apart: the binomial has none, a slow wander nearly its variance."""
    mean = sum(rest) / len(rest)
    found = {each.day: x - mean for each, x in zip(days, rest, strict=True)}
    pairs = [
        found[day] * found[day + lag]
        for day, lag in itertools.product(found, range(1, _LAGS + 1))
        if day + lag in found
    ]
    return sum(pairs) / len(pairs) if pairs else 0.0
