"""How much oftener calls are wrong than their calibration says, as labelled calls show it. Pure.

Odds are multiplied, so that what is all but certain stays so. A segment has a factor of its own where its labelled calls were wrong
beyond doubt oftener or more seldom than all of them.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

LEAST: Final = 30  # labelled calls behind a factor
_BEYOND_DOUBT: Final = 3.0  # standard errors; of many segments, some lie two away by chance


@dataclass(frozen=True, slots=True, kw_only=True)
class Factors:
    """By what the odds of being wrong are multiplied."""

    overall: float = 1.0
    names: tuple[str, ...] = ()  # of segments with a factor of their own, the clearest first
    values: tuple[str, ...] = ()
    own: tuple[float, ...] = ()
    labels: int = 0  # behind the overall factor; 0: too few


def factors(rows: Sequence[Mapping[str, Any]]) -> Factors:
    """Work the factors out.

    Args:
        rows: As ``recall/labelled.sql`` gives them: name, value, n, wrong and expected_wrong as shares.
    """
    whole = next((row for row in rows if not row["name"]), None)
    if whole is None:
        return Factors()
    found = sorted(
        ((clear, row) for row in rows if row["name"] and (clear := _distance(row, whole)) >= _BEYOND_DOUBT),
        key=lambda each: (-each[0], each[1]["name"], each[1]["value"]),
    )
    return Factors(
        overall=_factor(whole),
        names=tuple(row["name"] for _, row in found),
        values=tuple(row["value"] for _, row in found),
        own=tuple(_factor(row) for _, row in found),
        labels=int(whole["n"]),
    )


def _factor(row: Mapping[str, Any]) -> float:
    """Divide the odds; half a call is added to each side, so that none wrong of thirty is no certainty."""
    return _odds(row["wrong"], row["n"]) / _odds(row["expected_wrong"], row["n"])


def _odds(share: float, n: int) -> float:
    return (share * n + 0.5) / ((1 - share) * n + 0.5)


def _distance(row: Mapping[str, Any], whole: Mapping[str, Any]) -> float:
    """Say how many standard errors a segment's excess lies from that of all; of two proportions, pooled."""
    excess = (row["wrong"] - row["expected_wrong"]) - (whole["wrong"] - whole["expected_wrong"])
    pooled = (whole["wrong"] * whole["n"] + 0.5) / (whole["n"] + 1)
    return float(abs(excess)) / math.sqrt(pooled * (1 - pooled) / row["n"])
