"""The smoothed estimate: the reference's days against NumPy and SciPy, and the SQL against the formula in its docstring."""

import math
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import f_oneway
from tests.alerts.evaluators.store import DAY, HOUR, MONDAY, Store

from tocsin_alerts.daily_estimates import DayEstimate, daily_estimates
from tocsin_alerts.statistics import Calibration

FIRST_DAY = int(MONDAY.timestamp()) // 86_400
FIGURES = [0.93, 0.931, 0.932, 0.933, 0.934, 0.95, 0.951, 0.002, 0.3, 0.001, 1000.0]


def days(shares: "np.ndarray | list[float]", calls: int = 1000) -> list[DayEstimate]:
    """Make a row of days, from a Monday on."""
    return [DayEstimate(day=FIRST_DAY + i, share=float(x), calls=calls) for i, x in enumerate(shares)]


@pytest.mark.parametrize("seed", range(5))
def test_weekdays_are_shrunk_by_the_ratio_that_scipy_gives(seed: int) -> None:
    """Four Mondays are few: what chance explains of a weekday's difference must not become its expectation."""
    random = np.random.default_rng(seed)
    week = random.normal(0, 0.002 * seed, 7)
    shares = 0.94 + np.tile(week, 4) + random.normal(0, 0.002, 28)

    found = daily_estimates(days(shares))

    by_weekday = shares.reshape(4, 7)
    ratio = f_oneway(*by_weekday.T).statistic
    kept = max(0.0, 1 - 1 / ratio)
    expected = shares.mean() + kept * (by_weekday.mean(axis=0) - shares.mean())
    assert found is not None
    assert found.by_weekday == pytest.approx(expected.tolist())
    rest = shares - np.tile(expected, 4)
    assert found.spread == pytest.approx(math.sqrt((rest**2).sum() / (27 - 6 * kept)))


def test_a_steady_stream_is_measured_for_what_it_is() -> None:
    """On the mean over many references the spread is the truth, and independent days are hardly near each other."""
    random = np.random.default_rng(1)
    found = [daily_estimates(days(0.94 + random.normal(0, 0.003, 28))) for _ in range(300)]

    spread = np.mean([each.spread for each in found if each])
    nearness = np.mean([each.nearness for each in found if each])

    assert spread == pytest.approx(0.003, rel=0.05)
    assert nearness < 0.15


def test_a_wandering_stream_knows_its_level_less() -> None:
    """Days that are alike are fewer than they seem: the same spread must ask for a larger fall."""
    random = np.random.default_rng(2)
    doubts = {}
    for phi in (0.0, 0.9):
        made = []
        for _ in range(200):
            level = np.zeros(28)
            level[0] = random.normal()
            for day in range(1, 28):
                level[day] = phi * level[day - 1] + math.sqrt(1 - phi * phi) * random.normal()
            found = daily_estimates(days(0.94 + 0.003 * level))
            assert found is not None
            made.append((found.nearness, found.doubt / found.spread))
        doubts[phi] = np.mean(made, axis=0)

    assert doubts[0.9][0] > 0.6
    assert doubts[0.9][1] > 1.5 * doubts[0.0][1]


@pytest.mark.parametrize("count", [0, 1, 13])
def test_too_few_days_are_no_measure(count: int) -> None:
    """Below two weeks nothing is known of a week: unknown, not zero."""
    assert daily_estimates(days([0.9] * count)) is None


@given(st.lists(st.floats(0, 1), min_size=14, max_size=60), st.integers(1, 10**9))
def test_any_days_give_finite_numbers(shares: list[float], calls: int) -> None:
    """Ties, constants and extremes included: what is stored is read by SQL, which would spread a NaN."""
    found = daily_estimates(days(shares, calls))

    assert found is not None
    assert all(math.isfinite(x) for x in found.as_figures())
    assert len(found.as_figures()) == 11
    assert 0 <= found.nearness <= 0.9
    assert 0 <= found.doubt <= found.spread


def test_missing_weekdays_are_held_against_the_level() -> None:
    """An office closed at weekends that opens one is compared with what it usually is."""
    open_days = [each for each in days(np.linspace(0.93, 0.95, 35)) if (each.day + 3) % 7 < 5]

    found = daily_estimates(open_days)

    assert found is not None
    assert found.by_weekday[5] == found.by_weekday[6] == pytest.approx(sum(each.share for each in open_days) / 25)


KNOTS, PRECISION = [0, 1800, 1900], [0.99, 0.9, 0.6]


def frozen(store: Store, **row: object) -> None:
    """Freeze a calibration and the days that go with it."""
    store.calibration(KNOTS, PRECISION, [400, 300, 100], **row)
    store.profile("estimate", FIGURES, n=28_000, **row)


@pytest.mark.parametrize("seed", range(3))
def test_the_smoothed_estimate_is_the_documented_formula(store: Store, seed: int) -> None:
    """A page hangs on this number: the weekday taken off, the last days first, thin days less."""
    random = np.random.default_rng(seed)
    frozen(store)
    drops, weights, calls = [], [], []
    with store.together() as filling:
        for age in range(9):
            counts = random.integers(1, [50, 800][age % 2], 3)
            for hour in (3, 15):
                filling.histogram(
                    "confidence",
                    MONDAY - (age + 1) * DAY + hour * HOUR,
                    list(zip((1700, 1850, 1950), counts, strict=True)),
                )
            share = (counts * PRECISION).sum() / counts.sum()
            drops.append(FIGURES[(7 - age - 1) % 7] - share)
            weights.append(min(1, 2 * counts.sum() / 1000) * 0.5**age)
            calls.append(2 * counts.sum())
    store.histogram("confidence", MONDAY + HOUR, [(1950, 9999)])

    [sample] = store.run("estimated_accuracy_daily")

    w, d = np.array(weights[:7]), np.array(drops[:7])
    value = 0.9 - (w * d).sum() / w.sum()
    near = 0.3 * 0.5
    variance = 0.002**2 * min(1, (w**2).sum() / w.sum() ** 2 * (1 + near) / (1 - near)) + 0.001**2
    assert sample.value == pytest.approx(value)
    assert (sample.lower, sample.upper) == (
        pytest.approx(value - 1.96 * math.sqrt(variance)),
        pytest.approx(min(1, value + 1.96 * math.sqrt(variance))),
    )
    assert (sample.baseline, sample.n) == (0.9, sum(calls[:7]))


def test_without_calibration_or_days_there_is_no_sample(store: Store) -> None:
    """Nothing can have fallen from nowhere; and a reference of the future is not looked at."""
    store.calibration(KNOTS, PRECISION, [400, 300, 100])
    store.histogram("confidence", MONDAY - HOUR, [(1950, 500)])

    assert store.run("estimated_accuracy_daily") == []

    store.profile("estimate", FIGURES, until=MONDAY + DAY)
    store.calibration(KNOTS, PRECISION, [400, 300, 100], until=MONDAY + DAY)
    assert store.run("estimated_accuracy_daily") == []


@pytest.mark.parametrize("step", [HOUR, DAY])
def test_a_range_of_slots_is_the_slots_one_by_one(store: Store, step: timedelta) -> None:
    """Catch-up and live evaluation must say the same, for two versions of which one has no reference."""
    random = np.random.default_rng(7)
    frozen(store, until=MONDAY - 40 * DAY)
    with store.together() as filling:
        for hour in range(0, 12 * 24, 5):
            for version in ("m1", "m2"):
                at = MONDAY - 12 * DAY + hour * HOUR
                filling.histogram(
                    "confidence",
                    at,
                    [(1950, random.integers(1, 50)), (1700, random.integers(90))],
                    model_version=version,
                )
    since = MONDAY - (3 * step if step == DAY else 30 * step)

    together = store.run("estimated_accuracy_daily", since=since, step=step)
    slots = sorted({sample.slot for sample in together})
    alone = [sample for slot in slots for sample in store.run("estimated_accuracy_daily", until=slot, step=step)]

    assert len(together) == 2 * len(slots) >= 6
    assert [(s.slot, s.labels, s.n) for s in together] == [(s.slot, s.labels, s.n) for s in alone]
    assert [(s.value, s.lower) for s in together] == [pytest.approx((s.value, s.lower)) for s in alone]


def test_the_days_kept_with_a_calibration_are_its_own_estimates(store: Store) -> None:
    """What freezing stores is what the evaluator would have said of each day of the window."""
    from tests.alerts.evaluators.test_references import keep

    random = np.random.default_rng(3)
    histograms = {}
    with store.together() as filling:
        for day in range(28):
            cells = [(1700, int(random.integers(40, 60))), (1950, int(random.integers(5, 15)))]
            histograms[day] = cells
            at = MONDAY - (28 - day) * DAY
            filling.histogram("confidence", at + HOUR, cells)
            filling.calls(at, sum(n for _, n in cells))
    store.outcomes(
        [
            {"started_at": MONDAY - 10 * DAY, "confidence": confidence, "correct": int(i % 10 < hits)}
            for confidence, hits in ((0.99, 9), (0.6, 6))
            for i in range(100)
        ]
    )

    keep(store, MONDAY)

    [row] = store.rows("SELECT * FROM calibrations FINAL WHERE project = {project:String}")
    [profile] = store.rows(
        "SELECT * FROM reference_profiles FINAL WHERE project = {project:String} AND kind = 'estimate'"
    )
    fitted = Calibration(knots=tuple(row["bins"]), precision=tuple(row["precision"]), labels=tuple(row["labels"]))
    shares = [fitted.estimate(histograms[day]) or 0.0 for day in range(28)]
    found = daily_estimates(days(shares))
    assert found is not None
    assert profile["figures"][:10] == pytest.approx(found.as_figures()[:10])
    assert profile["n"] == sum(n for cells in histograms.values() for _, n in cells)
