"""A decay that is injected: which own day each day of the drill repeats, and what is done to it. Pure.

Concept: answers that were right turn wrong, however sure the model is. Covariate: calls of which the model is less sure come
oftener, as they would when inputs become harder, and each stays as right as such calls are.
"""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Literal, TypeAlias

from tocsin_alerts.errors import DrillRefused

Kind: TypeAlias = Literal["concept", "covariate"]
WEEKS: Final = 4  # of own history, and of the reference
REFERENCE: Final = 7 * WEEKS
_QUIET: Final = 7  # days after the reference, at least, before anything changes
_AFTER: Final = 14  # days after the bottom is reached
_STEEPEST: Final = 40.0  # of a tilt: beyond it next to no other calls are left


@dataclass(frozen=True, slots=True, kw_only=True)
class Decay:
    """What is injected."""

    kind: Kind
    drop: float  # of accuracy, as a share: 0.16
    over: int  # days until it has fallen by all of it; from there on it stays

    def __post_init__(self) -> None:
        if not 0 < self.drop < 1 or not 1 <= self.over <= 365:
            raise DrillRefused(
                f"expected a drop of 1 to 99 points over 1 to 365 days, got {100 * self.drop:g} over {self.over}"
            )

    def fallen(self, day: int) -> float:
        """Say by how much accuracy has fallen in the middle of a day after the onset; 0 before it."""
        return self.drop * min(1.0, max(0.0, (day + 0.5) / self.over))


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """Own calls of which the model is about as sure."""

    sure: float  # share of such calls that is expected to be right
    calls: int
    right: float  # of them that are


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """One day of the drill."""

    at: date
    own: date  # whose calls it repeats
    tilt: float = 0.0  # calls come as exp(-tilt * sure)
    scale: float = 1.0  # so that as many come as did
    flip: float = 0.0  # of right answers that turn wrong


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """All of its days, and the one on which the decay begins."""

    days: tuple[Day, ...]
    onset: int  # index

    @property
    def onset_at(self) -> date:
        """The day on which it begins."""
        return self.days[self.onset].at


def timeline(
    decay: Decay, cells: Sequence[Cell], *, own: Sequence[date], until: date, label_delay: timedelta, seed: str
) -> Timeline:
    """Lay the days out: own weeks as they were, as far as there are any, then own weeks in an order by chance.

    Args:
        decay: What is injected.
        cells: Own calls by how sure the model is.
        own: Days that have calls, whole weeks of them counted back from ``until``.
        until: The day after the last own one; the reference ends here.
        label_delay: By which the decay is put off further, so that the calibration is fitted before it begins.
        seed: The same gives the same weeks.

    Raises:
        DrillRefused: there is no whole week, or the decay cannot be made of these calls.
    """
    known = set(own)
    starts = [until - timedelta(days=7 * back) for back in range(WEEKS, 0, -1)]
    weeks = [first for first in starts if known.issuperset(_week(first))]
    if not weeks:
        raise DrillRefused(f"expected calls on each day of at least one of the last {WEEKS} weeks before {until}")
    before = _accuracy(cells, 0.0)
    if decay.drop >= before:
        raise DrillRefused(f"expected a drop of less than the {before:.1%} that are right now, got {decay.drop:.1%}")
    chance = random.Random(seed)  # noqa: S311 - weeks, not secrets
    onset = REFERENCE + max(_QUIET, math.ceil(label_delay / timedelta(days=1))) + 2
    start, made, source = until - timedelta(days=REFERENCE), [], weeks[0]
    tilts: dict[float, tuple[float, float]] = {0.0: (0.0, 1.0)}
    for number in range(onset + decay.over + _AFTER):
        at = start + timedelta(days=number)
        if number % 7 == 0:
            source = at if at in weeks else chance.choice(weeks)
        fallen = decay.fallen(number - onset)
        if decay.kind == "covariate" and fallen not in tilts:
            tilt = find_tilt(cells, before - fallen)
            tilts[fallen] = (tilt, _scale(cells, tilt))
        tilt, scale = tilts[fallen] if decay.kind == "covariate" else (0.0, 1.0)
        flip = fallen / before if decay.kind == "concept" else 0.0
        made.append(Day(at=at, own=source + timedelta(days=number % 7), tilt=tilt, scale=scale, flip=flip))
    return Timeline(days=tuple(made), onset=onset)


def find_tilt(cells: Sequence[Cell], accuracy: float) -> float:
    """Find the tilt at which so many answers are right.

    Raises:
        DrillRefused: no mixture of these calls is that bad.
    """
    low, high = 0.0, _STEEPEST
    if _accuracy(cells, high) > accuracy:
        raise DrillRefused(
            f"expected calls among its own of which {accuracy:.0%} are right, but the least sure ones are right in "
            f"{_accuracy(cells, high):.0%}: ask for a smaller drop, or --kind concept"
        )
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _accuracy(cells, middle) > accuracy else (low, middle)
    return high


def _accuracy(cells: Sequence[Cell], tilt: float) -> float:
    least = min(cell.sure for cell in cells)
    weights = [cell.calls * math.exp(-tilt * (cell.sure - least)) for cell in cells]
    return sum(w * cell.right / cell.calls for w, cell in zip(weights, cells, strict=True)) / sum(weights)


def _scale(cells: Sequence[Cell], tilt: float) -> float:
    return sum(cell.calls for cell in cells) / sum(cell.calls * math.exp(-tilt * cell.sure) for cell in cells)


def _week(first: date) -> list[date]:
    return [first + timedelta(days=day) for day in range(7)]
