"""Missing values, volume, silence and cost."""

import numpy as np
import pytest
from scipy.stats import poisson
from tests.alerts.evaluators.store import DAY, HOUR, MONDAY, Store
from tests.alerts.evaluators.test_quality import wilson

WEEK_OF_HOURS = 168


def test_null_rate_of_the_last_hour(store: Store) -> None:
    """A field that vanishes has to be seen within the hour, with how many rows it is."""
    store.profile("null", [0.02], names=["ink"])
    store.calls(MONDAY - HOUR, 80)
    store.calls(MONDAY - 2 * HOUR, 50)
    store.histogram("null", MONDAY - HOUR, [(0, 20)], field="ink")
    store.histogram("null", MONDAY - 2 * HOUR, [(0, 1)], field="age")

    age, ink = store.run("null_rate", step=HOUR)

    assert (ink.value, ink.baseline, ink.n) == (0.25, 0.02, 80)
    assert (ink.lower, ink.upper) == pytest.approx(wilson(20, 80), abs=1e-6)
    assert (age.value, age.baseline, age.n) == (0.0, 0.0, 80)  # zero is a measurement: it is how an alert ends


def test_null_rate_says_zero_for_a_week_after_the_last_null(store: Store) -> None:
    """Long enough to resolve anything, short enough to forget a field that is gone."""
    store.histogram("null", MONDAY - 7 * DAY, [(0, 5)], field="ink")
    for hour in (MONDAY - HOUR, MONDAY, MONDAY + HOUR):
        store.calls(hour, 10)

    samples = store.run("null_rate", since=MONDAY - HOUR, until=MONDAY + 2 * HOUR, step=HOUR)

    assert [(sample.slot, sample.value) for sample in samples] == [(MONDAY, 0.0)]


def test_null_rate_of_many_slots_is_that_of_each(store: Store) -> None:
    """24 hourly slots are one query on the data's clock."""
    random = np.random.default_rng(3)
    for hour in range(30):
        store.calls(MONDAY - (30 - hour) * HOUR, 100)
        store.histogram("null", MONDAY - (30 - hour) * HOUR, [(0, int(random.integers(5)))], field="ink")

    together = store.run("null_rate", since=MONDAY - DAY, step=HOUR)
    alone = [
        sample for hour in range(23, -1, -1) for sample in store.run("null_rate", until=MONDAY - hour * HOUR, step=HOUR)
    ]

    assert together == alone
    assert len(together) == 24


def test_volume_counts_silence_as_zero(store: Store) -> None:
    """No calls is a measurement, as long as the use case is in use; the baseline is the same hour of the week."""
    means = [float(hour) for hour in range(WEEK_OF_HOURS)]
    store.profile("volume", means)
    store.calls(MONDAY - 3 * HOUR, 84, model_version="m1")
    store.calls(MONDAY - 3 * HOUR, 16, model_version="m2")
    store.calls(MONDAY - 3 * HOUR, 500, segment_name="device", segment_value="a")

    samples = store.run("volume", since=MONDAY - 4 * HOUR, until=MONDAY + HOUR, step=HOUR)

    assert [sample.value for sample in samples] == [100, 0, 0, 0]
    assert [sample.slot for sample in samples] == [MONDAY + hour * HOUR for hour in (-2, -1, 0, 1)]
    assert [sample.baseline for sample in samples] == [165, 166, 167, 0]  # Sunday 21:00 to Monday 00:00


def test_volume_ends_five_weeks_after_the_last_call(store: Store) -> None:
    """A use case that was retired must not be measured for ever."""
    store.calls(MONDAY - 35 * DAY, 5)

    assert [sample.value for sample in store.run("volume", until=MONDAY, step=HOUR)] == [0]
    assert store.run("volume", until=MONDAY + HOUR, step=HOUR) == []


@pytest.mark.parametrize("count", [1, 10, 83, 10_000])
def test_volumes_interval_holds_the_poisson_mean(store: Store, count: int) -> None:
    """Read as: which mean rates make this count ordinary."""
    store.calls(MONDAY - HOUR, count)

    [sample] = store.run("volume", step=HOUR)

    assert sample.lower is not None
    assert sample.upper is not None
    assert poisson.sf(count - 1, sample.lower) == pytest.approx(0.025, abs=0.013)
    assert poisson.cdf(count, sample.upper) == pytest.approx(0.025, abs=0.013)


def test_freshness_is_the_silence_against_the_usual_one(store: Store) -> None:
    """Quiet nights belong to the reference, so silence is judged by the hour of the week that it lasts into."""
    usual = [3600.0 * hour for hour in range(WEEK_OF_HOURS)]
    store.profile("silence", usual)
    store.calls(MONDAY - 6 * HOUR, 7)

    samples = store.run("freshness", since=MONDAY - 6 * HOUR, step=HOUR)

    assert [sample.value for sample in samples] == [0, 3600, 7200, 10_800, 14_400, 18_000]
    assert [(sample.lower, sample.upper) for sample in samples[:2]] == [(0, 3600), (3600, 7200)]
    assert [sample.baseline for sample in samples[-2:]] == [3600 * 166, 3600 * 167]
    assert {sample.n for sample in samples} == {7}


def test_without_a_reference_traffic_has_no_baseline(store: Store) -> None:
    """Unknown is not zero: a new use case has not too many calls, it has no history."""
    store.calls(MONDAY - HOUR, 10)

    [volume], [freshness] = store.run("volume", step=HOUR), store.run("freshness", step=HOUR)

    assert (volume.value, volume.baseline) == (10, None)
    assert (freshness.value, freshness.baseline) == (0, None)


def test_cost_by_currency_against_the_budget(store: Store) -> None:
    """The plan's budget is the baseline in its own currency, the reference elsewhere."""
    store.insert("plans", [{"currency": "EUR", "budget_per_day": 20, "quality_floor": None, "label_delay_s": 0}])
    store.profile("cost", [1.5, 2.5], names=["EUR", "USD"])
    for hour in (1, 24):
        store.calls(MONDAY - hour * HOUR, 10, currency="EUR", cost=4, unpriced=2)
        store.calls(MONDAY - hour * HOUR, 5, currency="USD", cost=1)
        store.calls(MONDAY - hour * HOUR, 3, currency="", unpriced=3)
    store.calls(MONDAY - 25 * HOUR, 10, currency="EUR", cost=1000)

    euro, dollar = store.run("cost_per_day")

    assert (euro.labels, euro.value, euro.baseline, euro.n) == ({"currency": "EUR"}, 8.0, 20.0, 16)
    assert (dollar.labels, dollar.value, dollar.baseline, dollar.n) == ({"currency": "USD"}, 2.0, 2.5, 10)
    assert euro.lower is euro.upper is None


def test_unpriced_calls_cost_an_unknown_amount(store: Store) -> None:
    """Unknown is never free."""
    store.calls(MONDAY - HOUR, 10, unpriced=10)

    [sample] = store.run("cost_per_day")

    assert (sample.value, sample.n, sample.labels) == (None, 0, {"currency": ""})
