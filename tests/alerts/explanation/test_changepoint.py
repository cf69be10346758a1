"""When a fall began, against brute force and the truth of what was simulated."""

from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest

from tocsin_alerts.explanation.changepoint import DayShare, find_onset

START = date(2026, 1, 1)


def days(values: Any, n: float = 2_000.0) -> list[DayShare]:
    """A series of one value a day."""
    return [DayShare(day=START + timedelta(days=at), value=float(value), n=n) for at, value in enumerate(values)]


def noisy(shares: Any, generator: Any, n: int = 2_000) -> list[DayShare]:
    """Shares as they are seen on so many labels a day."""
    return days(generator.binomial(n, shares) / n, n)


def test_the_place_is_where_least_squares_put_it() -> None:
    """Against NumPy's least squares at every place, with unequal days."""
    generator = np.random.default_rng(1)
    values = np.concatenate([0.94 + generator.normal(0, 0.01, 20), 0.88 + generator.normal(0, 0.01, 15)])
    weights = generator.uniform(100, 3_000, 35)
    series = [
        DayShare(day=START + timedelta(days=at), value=float(values[at]), n=float(weights[at])) for at in range(35)
    ]
    best = {}
    root = np.sqrt(weights)
    for at in range(2, 34):
        elapsed = np.maximum(0, np.arange(35) - at + 1)
        for shape, x in (("at once", (elapsed > 0).astype(float)), ("gradually", elapsed.astype(float))):
            design = np.column_stack([np.ones(35), x]) * root[:, None]
            solution, *_ = np.linalg.lstsq(design, values * root, rcond=None)
            best[(at, shape)] = float(np.sum((values * root - design @ solution) ** 2))

    found = find_onset(series)

    at, shape = min(best, key=lambda key: best[key])
    assert found is not None
    assert (found.day, found.shape) == (START + timedelta(days=at), shape)


def test_the_interval_holds_the_day_of_a_drop_as_often_as_it_says() -> None:
    """Five points on one of 60 days, 200 labels a day: in at least 95 of a hundred series."""
    generator = np.random.default_rng(2)
    shares = np.concatenate([np.full(40, 0.94), np.full(20, 0.89)])
    truth = START + timedelta(days=40)

    found = [find_onset(noisy(shares, generator, 200)) for _ in range(200)]

    known = [each for each in found if each is not None]
    assert len(known) >= 195
    assert sum(each.earliest <= truth <= each.latest for each in known) >= 0.95 * len(known)
    assert np.median([abs((each.day - truth).days) for each in known]) <= 1


def test_a_decay_began_when_it_began() -> None:
    """From 94 % to 78 % over forty days: the first day, not the middle of the fall."""
    generator = np.random.default_rng(3)
    shares = np.concatenate([np.full(20, 0.94), np.linspace(0.94, 0.78, 40)])
    truth = START + timedelta(days=20)

    found = [find_onset(noisy(shares, generator)) for _ in range(50)]

    assert all(each is not None and each.shape == "gradually" for each in found)
    assert np.median([abs((each.day - truth).days) for each in found if each]) <= 1


@pytest.mark.parametrize("wander", [0.0, 0.5])
def test_what_did_not_fall_has_no_onset(wander: float) -> None:
    """A date for something that never happened sends people looking for it."""
    generator = np.random.default_rng(4)
    claimed = 0
    for _ in range(200):
        drift = 0.0
        shares = []
        for _ in range(60):
            drift = wander * drift + generator.normal(0, 0.004)
            shares.append(min(1.0, 0.94 + drift))
        claimed += find_onset(noisy(shares, generator)) is not None

    assert claimed <= 6


@pytest.mark.parametrize(
    "values",
    [[], [0.9] * 9, [0.9] * 60, [0.8] * 20 + [0.95] * 20, [0.95] * 20 + [0.945] * 20, [0.0] * 30, [1.0] * 30],
    ids=["nothing", "short", "constant", "rises", "less than a point", "zeros", "ones"],
)
def test_degenerate_series_have_none(values: list[float]) -> None:
    """Too short, without noise, or better than before."""
    assert find_onset(days(values)) is None


def test_a_drop_without_noise_is_found_to_the_day() -> None:
    """Nothing is left over, and no logarithm ends in infinity."""
    found = find_onset(days([0.95] * 20 + [0.85] * 10))

    assert found is not None
    assert found.day == found.earliest == found.latest == START + timedelta(days=20)
    assert (found.before, found.now, found.shape) == (pytest.approx(0.95), pytest.approx(0.85), "at once")
