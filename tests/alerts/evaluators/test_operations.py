"""Errors, retries, latency and money: exact figures from hand-made rollups, and SciPy's or NumPy's beside them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from scipy.stats import binom, binomtest, norm
from tests.alerts.evaluators.store import DAY, HOUR, MONDAY, Store
from tests.alerts.evaluators.test_quality import wilson


def plan(store: Store, **row: Any) -> None:
    """Write down a plan with a budget of 24 EUR a day, which is 1 an hour."""
    given = {"currency": "EUR", "budget_per_day": 24, "quality_floor": None, "label_delay_s": 0}
    store.insert("plans", [{**given, **row}])


def test_error_rate_of_the_last_hour_against_four_weeks(store: Store) -> None:
    """A failing provider has to be seen within the hour, and not against the day of its own failure."""
    store.calls(MONDAY - HOUR, 80, errors=20)
    store.calls(MONDAY - HOUR, 900, errors=900, served_by="fallback")
    store.calls(MONDAY - 2 * HOUR, 50, errors=50)  # within a day: no part of the baseline
    store.calls(MONDAY - 26 * HOUR - HOUR, 300, errors=3)
    store.calls(MONDAY - 28 * DAY, 100, errors=5, model_version="")
    store.calls(MONDAY - 31 * DAY, 900, errors=900)

    [sample] = store.run("error_rate", step=HOUR)

    assert (sample.value, sample.baseline, sample.n) == (0.25, 0.02, 80)
    assert (sample.lower, sample.upper) == pytest.approx(wilson(20, 80), abs=1e-6)
    assert sample.labels == {}


def test_a_young_use_case_has_errors_and_no_baseline(store: Store) -> None:
    """One call is a measurement with an interval; too few calls before it are no baseline."""
    store.calls(MONDAY - 3 * DAY, 199, errors=1)
    store.calls(MONDAY - HOUR, 1, errors=1)

    [sample] = store.run("error_rate", step=HOUR)

    assert (sample.value, sample.baseline, sample.n) == (1, None, 1)
    assert sample.lower == pytest.approx(wilson(1, 1)[0], abs=1e-6)
    assert store.run("error_rate", until=MONDAY + HOUR, step=HOUR) == []


@pytest.mark.parametrize("segments", [1, 20])
def test_errors_of_each_segment_are_held_against_its_own_four_weeks(store: Store, segments: int) -> None:
    """One tenant's failures are a twentieth of the whole's: only its own past shows them, and twenty tenants are twenty chances."""
    with store.together() as filling:
        for i in range(segments):
            tenant = {"segment_name": "tenant", "segment_value": f"t{i:02}"}
            filling.calls(MONDAY - HOUR, 40, errors=8, **tenant)
            filling.calls(MONDAY - DAY, 60, errors=2, **tenant)
            filling.calls(MONDAY - DAY - HOUR, 500, errors=500, **tenant)  # within two days: in no window
            filling.calls(MONDAY - 3 * DAY, 100, errors=1, model_version="", **tenant)
            filling.calls(MONDAY - 31 * DAY, 900, errors=900, **tenant)
    store.calls(MONDAY - HOUR, 49, errors=49, segment_name="tenant", segment_value="few")
    store.calls(MONDAY - HOUR, 900, errors=0)

    samples = store.run("segment_errors", min_n=50)

    level = 1 - 2 * norm.sf(norm.isf(0.025 / segments))
    interval = binomtest(10, 100).proportion_ci(level, method="wilson")
    assert sorted(sample.labels["segment_value"] for sample in samples) == [f"t{i:02}" for i in range(segments)]
    for sample in samples:
        assert (sample.value, sample.baseline, sample.n) == (0.1, 0.01, 100)
        assert (sample.lower, sample.upper) == pytest.approx((interval.low, interval.high), abs=2e-4)


def test_retry_rate_of_a_day(store: Store) -> None:
    """Each attempt is billed."""
    store.calls(MONDAY - HOUR, 100, retries=30)
    store.calls(MONDAY - DAY, 100, retries=10)
    store.calls(MONDAY - DAY - HOUR, 150, retries=3)
    store.calls(MONDAY - 29 * DAY, 50, retries=1)
    store.calls(MONDAY - 29 * DAY - HOUR, 50, retries=50)

    [sample] = store.run("retry_rate")

    assert (sample.value, sample.baseline, sample.n) == (0.2, 0.02, 200)
    assert (sample.lower, sample.upper) == pytest.approx(wilson(40, 200), abs=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_latencys_quantiles_are_numpys_within_a_bin(store: Store, seed: int) -> None:
    """2 % bins: a quantile is off by 1 % at most, and its interval is that of the order statistics."""
    random = np.random.default_rng(seed)
    ms = np.sort(random.lognormal(5, 0.7, 5000))
    binned = np.floor(np.log(ms) / np.log(1.02)).astype(int) + 2000
    bins, counts = np.unique(binned, return_counts=True)
    store.profile("latency", (counts * 2.0).tolist(), edges=bins.tolist(), n=10_000)
    for part in range(5):
        store.histogram(
            "latency", MONDAY - (part * 4 + 1) * HOUR, list(zip(bins[part::5], counts[part::5], strict=True))
        )

    p50, p95, p99 = store.run("latency")

    for sample, share in ((p50, 0.5), (p95, 0.95), (p99, 0.99)):
        assert sample.value == pytest.approx(np.quantile(ms, share, method="inverted_cdf"), rel=0.0101)
        assert sample.baseline == sample.value
        ranks = binom.interval(0.95, 5000, share)
        assert sample.lower == pytest.approx(ms[int(ranks[0]) - 1], rel=0.025)
        assert sample.upper == pytest.approx(ms[int(ranks[1]) - 1], rel=0.025)
        assert sample.n == 5000
    assert [s.labels["quantile"] for s in (p50, p95, p99)] == ["p50", "p95", "p99"]


def test_a_tail_of_nine_calls_is_not_measured(store: Store) -> None:
    """p99 of 999 calls would hang on nine of them; p50 of one bin is that bin."""
    store.histogram("latency", MONDAY - HOUR, [(2100, 999)])

    p50, p95, p99 = store.run("latency")

    assert p50.value == p95.value == pytest.approx(np.exp(100.5 * np.log(1.02)))
    assert (p99.value, p50.baseline) == (None, None)


def test_budget_burn_is_the_smaller_of_two_windows(store: Store) -> None:
    """The long window says that it matters, the short one that it still goes on."""
    plan(store)
    store.calls(MONDAY - HOUR, 10, currency="EUR", cost=8)
    store.calls(MONDAY - HOUR, 10, currency="", cost=4)
    store.calls(MONDAY - HOUR, 10, currency="USD", cost=500)
    store.calls(MONDAY - 6 * HOUR, 10, currency="EUR", cost=30, unpriced=3)
    store.calls(MONDAY - 7 * HOUR, 10, currency="EUR", cost=1000)

    before, now, after = store.run(
        "budget_burn", since=MONDAY - 2 * HOUR, until=MONDAY + HOUR, step=HOUR, short_h=1, long_h=6
    )

    assert (now.value, now.lower, now.upper) == (pytest.approx(7), pytest.approx(7), pytest.approx(12))
    assert (now.baseline, now.n, now.labels) == (1, 27, {"currency": "EUR"})
    assert (before.value, after.value) == (0, 0)


def test_a_burn_without_prices_is_unknown(store: Store) -> None:
    """Nobody knows what it cost: that is not zero. Without a budget there is nothing to burn."""
    plan(store)
    store.calls(MONDAY - HOUR, 10, currency="EUR", unpriced=10)
    store.calls(MONDAY - HOUR, 10, currency="EUR", cost=5, use_case="other")

    [sample] = store.run("budget_burn", step=HOUR, short_h=1, long_h=6)

    assert (sample.use_case, sample.value, sample.n) == ("triage", None, 0)


@pytest.mark.parametrize("seed", range(3))
def test_cost_per_call_is_a_ratio_with_hours_as_clusters(store: Store, seed: int) -> None:
    """Calls of one hour are alike: an interval that took them for independent would be too narrow."""
    random = np.random.default_rng(seed)
    calls, costs = random.integers(5, 50, 24), random.integers(1, 90, 24) / 4
    with store.together() as filling:
        for hour in range(24):
            filling.calls(
                MONDAY - DAY + hour * HOUR, int(calls[hour]) + 2, unpriced=2, cost=float(costs[hour]), currency="USD"
            )
    store.calls(MONDAY - 2 * DAY, 150, cost=30, currency="USD")
    store.calls(MONDAY - 29 * DAY, 50, cost=20, currency="USD")
    store.calls(MONDAY - HOUR, 3, cost=3, currency="EUR")

    euro, dollar = store.run("cost_per_call")

    mean = costs.sum() / calls.sum()
    half = 1.96 * np.sqrt(24 / 23 * ((costs - mean * calls) ** 2).sum()) / calls.sum()
    assert [dollar.value, dollar.lower, dollar.upper] == pytest.approx([mean, max(0, mean - half), mean + half])
    assert (dollar.baseline, dollar.n) == (0.25, calls.sum())
    assert (euro.value, euro.lower, euro.baseline, euro.n) == (1, None, None, 3)


def test_cost_per_correct_makes_right_answers_pay_for_wrong_ones(store: Store) -> None:
    """A model at half the price that is right a third as often is the dearer one."""
    plan(store, label_delay_s=86_400)
    at = MONDAY - 3 * DAY
    store.calls(at, 100, unpriced=20, cost=40, currency="EUR")
    store.calls(at - 7 * DAY, 100, cost=4000, currency="EUR")
    store.outcomes([{"started_at": at, "correct": int(i < 40)} for i in range(50)])
    store.outcomes([{"started_at": at, "correct": 1, "model_version": "m2"} for _ in range(49)])
    store.calls(at, 100, cost=40, currency="EUR", model_version="m2")

    one, two = store.run("cost_per_correct")

    low, high = wilson(40, 50)
    assert (one.value, one.n) == (pytest.approx(0.5 / 0.8), 50)
    assert (one.lower, one.upper) == pytest.approx((0.5 / high, 0.5 / low), abs=1e-5)
    assert (two.value, two.n, two.labels["currency"]) == (None, 49, "EUR")


@pytest.mark.parametrize("seed", range(3))
def test_the_forecast_knows_weekdays(store: Store, seed: int) -> None:
    """A month that ends with two weekends costs less than its mean day says."""
    plan(store)
    random = np.random.default_rng(seed)
    slot = datetime(2026, 3, 18, tzinfo=UTC)
    days = [slot - k * DAY for k in range(40, 0, -1)]
    costs = np.array([(2.0 if day.weekday() >= 5 else 10.0) + random.integers(0, 8) / 4 for day in days])
    with store.together() as filling:
        for day, cost in zip(days, costs, strict=True):
            filling.calls(day + 5 * HOUR, 10, cost=float(cost), currency="EUR")

    [sample] = store.run("cost_forecast", until=slot)

    recent, weekdays = costs[-28:], np.array([day.weekday() for day in days[-28:]])
    means = np.array([recent[weekdays == w].mean() for w in range(7)])
    ahead = [(slot + k * DAY).weekday() for k in range(14)]
    spent = costs[-17:].sum()
    variance = ((recent - means[weekdays]) ** 2).sum() / 21
    half = 1.96 * np.sqrt(variance * (14 + sum(ahead.count(w) ** 2 / 4 for w in range(7))))
    forecast = spent + means[ahead].sum()
    assert [sample.value, sample.lower, sample.upper] == pytest.approx(
        [forecast, max(spent, forecast - half), forecast + half]
    )
    assert (sample.baseline, sample.n) == (24 * 31, 280)


def test_on_the_last_day_the_forecast_is_what_was_spent(store: Store) -> None:
    """Nothing is left to forecast, so nothing is uncertain; under two weeks of days nothing is said."""
    slot = datetime(2026, 3, 1, tzinfo=UTC)
    with store.together() as filling:
        for k in range(1, 36):
            filling.calls(slot - k * DAY, 10, cost=k, currency="EUR")
    with store.together() as filling:
        for k in range(1, 14):
            filling.calls(slot - k * DAY, 10, cost=1, currency="USD")

    euro, dollar = store.run("cost_forecast", until=slot)

    assert (euro.value, euro.lower, euro.upper, euro.baseline) == (sum(range(1, 29)), 406, 406, None)
    assert (dollar.value, dollar.n) == (None, 130)


@pytest.mark.parametrize("step", [HOUR, DAY])
def test_a_range_of_slots_is_the_slots_one_by_one(store: Store, step: timedelta) -> None:
    """Catch-up, backtest and charts are one query; live evaluation asks slot by slot. Both must say the same."""
    random = np.random.default_rng(7)
    plan(store, label_delay_s=3600)
    with store.together() as filling:
        for hour in range(1, 33 * 24, 5):
            at = MONDAY - 33 * DAY + hour * HOUR
            calls = int(random.integers(10, 90))
            filling.calls(at, calls, errors=calls // 9, retries=calls // 7, cost=calls / 8, currency="EUR")
            filling.calls(at, calls, errors=calls // 9, segment_name="tenant", segment_value="acme")
            filling.histogram("latency", at, [(2100, calls), (2200, 30)])
            filling.outcomes([{"started_at": at, "correct": int(random.integers(2))} for _ in range(3)])
    first = MONDAY - 4 * step
    burn = {"budget_burn": {"short_h": 2, "long_h": 12}, "segment_errors": {"min_n": 1}}

    for name in (
        "error_rate",
        "segment_errors",
        "retry_rate",
        "latency",
        "cost_per_call",
        "cost_per_correct",
        "cost_forecast",
        "budget_burn",
    ):
        extra = burn.get(name, {})
        together = store.run(name, since=first, until=MONDAY, step=step, **extra)
        slots = sorted({sample.slot for sample in together})
        alone = [sample for slot in slots for sample in store.run(name, until=slot, step=step, **extra)]

        assert len(slots) >= 1
        assert [(s.slot, s.labels, s.n) for s in together] == [(s.slot, s.labels, s.n) for s in alone]
        for column in ("value", "lower", "upper", "baseline"):
            assert [getattr(s, column) for s in together] == pytest.approx([getattr(s, column) for s in alone])
