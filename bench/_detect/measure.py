"""From what was told and when to figures: delays with quartiles and the undetected share, and pages of quiet streams. Pure."""

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np

from _detect.run import Outcome
from _detect.scenarios import DAY_S, Scenario
from _detect.world import REFERENCE_DAYS
from _report import Figure

_PER = {"days": DAY_S, "hours": 3600}


def delays(scenario: Scenario, outcome: Outcome) -> list[float]:
    """Say of each stream how long after its first changed row somebody was told; infinite: not before the end."""
    found = []
    for stream in outcome.streams:
        heard = [
            told.second - stream.onset_s
            for told in outcome.told
            if told.stream == stream.number and (told.event.severity == "page" or scenario.notice == "any")
        ]
        after = [wait for wait in heard if wait > 0]
        found.append(min(after) / _PER[scenario.unit] if after else math.inf)
    return found


def pages_opened(outcome: Outcome, *, after_onset: bool) -> int:
    """Count the incidents that paged."""
    onsets = {stream.number: stream.onset_s if after_onset else 0 for stream in outcome.streams}
    return sum(
        told.opened and told.event.severity == "page" and told.second > onsets[told.stream] for told in outcome.told
    )


def quartiles(values: Sequence[float]) -> tuple[float, float, float]:
    """Give the lower quartile, the median and the upper quartile; each is a value that occurred, so infinity may be one."""
    lower, middle, upper = (float(x) for x in np.quantile(values, [0.25, 0.5, 0.75], method="higher"))
    return lower, middle, upper


def figures(scenario: Scenario, outcome: Outcome, *, calls_per_day: int, use_cases: int = 1) -> list[Figure]:
    """Turn a scenario's outcome into figures; the goal is for 2,000 calls a day, whose names have no size in them."""
    main = calls_per_day == 2_000 and use_cases == 1
    name = scenario.figure + (f"_at_{calls_per_day}" if calls_per_day != 2_000 else "")
    name += f"_of_{use_cases}_use_cases" if use_cases > 1 else ""
    goal = scenario.goal if main else ""
    streams = len(outcome.streams)
    size = Figure(name=f"{name}_streams", value=streams, unit="streams")
    if scenario.unit in _PER:
        waited = delays(scenario, outcome)
        lower, middle, upper = quartiles(waited)
        undetected = sum(map(math.isinf, waited)) / streams
        return [
            Figure(name=name, value=middle, unit=scenario.unit, goal=goal),
            Figure(name=f"{name}_lower_quartile", value=lower, unit=scenario.unit),
            Figure(name=f"{name}_upper_quartile", value=upper, unit=scenario.unit),
            Figure(name=f"{name}_undetected", value=undetected, unit="share"),
            size,
        ]
    if scenario.unit == "pages":
        return [Figure(name=name, value=pages_opened(outcome, after_onset=True), unit="pages", goal=goal), size]
    years = streams * (outcome.days - REFERENCE_DAYS) / 365
    pages = pages_opened(outcome, after_onset=False)
    first = Counter(told.event.rule for told in outcome.told if told.event.severity == "page")
    return [
        Figure(name=name, value=pages / years, unit="pages/year", goal=goal),
        Figure(name=f"{name}_upper_95", value=_poisson_upper(pages) / years, unit="pages/year"),
        *(Figure(name=f"{name}_by_{rule}", value=n / years, unit="pages/year") for rule, n in sorted(first.items())),
        Figure(name=f"{name}_stream_years", value=years, unit="years"),
        size,
    ]


def _poisson_upper(count: int) -> float:
    """Give the upper end of a 95 % interval of a Poisson mean, by Byar's approximation."""
    n = count + 1
    return float(n * (1 - 1 / (9 * n) + 1.96 / (3 * math.sqrt(n))) ** 3)
