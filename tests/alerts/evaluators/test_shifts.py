"""Population stability: the SQL against NumPy, at random and at the edges."""

from datetime import datetime, timedelta

import numpy as np
import pytest
from tests.alerts.evaluators.store import DAY, HOUR, MONDAY, Store

from tocsin_alerts.statistics import category_buckets, number_buckets

LOWEST = -32768


def psi(now: np.ndarray, then: np.ndarray) -> tuple[float, float]:
    """Debiased PSI and the half width of its interval, as documented, from bucket counts."""
    n, m = now.sum(), then.sum()
    a, b, noise = now / n, then / m, 1 / n + 1 / m
    value = ((a - b) * np.log((a + noise / 2) / (b + noise / 2))).sum() - ((then > 0).sum() - 1) * noise
    return value, 1.96 * np.sqrt(2 * len(then) * noise**2 + 4 * max(0.0, value) * noise)


def expect(now: np.ndarray, then: np.ndarray) -> list[float]:
    """Value and interval, as the evaluators give them."""
    value, half = psi(now, then)
    return [max(0.0, x) for x in (value, value - half, value + half)]


@pytest.mark.parametrize("seed", range(4))
def test_confidence_shift_is_the_documented_psi(store: Store, seed: int) -> None:
    """A page hangs on this number: it must be the formula, not nearly the formula."""
    random = np.random.default_rng(seed)
    bins = np.sort(random.choice(np.arange(1300, 2001), 60, replace=False))
    then, now = random.poisson(100, 60) + 1, random.poisson(random.uniform(0, 200, 60))
    buckets = number_buckets(list(zip(bins.tolist(), then.tolist(), strict=True)))
    store.profile("confidence", [n for _, n in buckets], edges=[edge for edge, _ in buckets])
    with store.together() as filling:
        for hour in range(24):  # spread over the day, and some that is not of it
            filling.histogram("confidence", MONDAY - DAY + hour * HOUR, list(zip(bins, now, strict=True)))
    store.histogram("confidence", MONDAY, [(1500, 10_000)])
    store.histogram("confidence", MONDAY - DAY - HOUR, [(1500, 10_000)])

    [sample] = store.run("confidence_shift")

    edges = [edge for edge, _ in buckets]
    counted = np.array([24 * now[np.searchsorted(edges, bins, "right") == i + 1].sum() for i in range(len(edges))])
    assert [sample.value, sample.lower, sample.upper] == pytest.approx(
        expect(counted, np.array([n for _, n in buckets]))
    )
    assert (sample.n, sample.baseline) == (24 * now.sum(), 0)
    assert sample.labels == {"model_version": "m1", "prompt_version": ""}


def test_the_same_distribution_has_not_shifted(store: Store) -> None:
    """Equal shares are zero whatever the sizes: the bias of sampling is taken off, never below zero."""
    store.profile("confidence", [1000.0] * 10, edges=[LOWEST, *range(1400, 2000, 67)])
    store.histogram("confidence", MONDAY - HOUR, [(edge, 30) for edge in (1300, *range(1400, 2000, 67))])

    [sample] = store.run("confidence_shift")

    assert sample.value == sample.lower == 0
    assert sample.n == 300


@pytest.mark.parametrize(("now", "then", "known"), [(199, 5000, False), (200, 199, False), (200, 200, True)])
def test_thin_sides_give_no_distance(store: Store, now: int, then: int, known: bool) -> None:
    """Below 200 calls on either side a distance is noise: it reads "not enough evidence", with n."""
    store.profile("confidence", [float(then), 0.0], edges=[LOWEST, 1900])
    store.histogram("confidence", MONDAY - HOUR, [(1950, now)])

    [sample] = store.run("confidence_shift")

    assert (sample.value is not None, sample.n) == (known, now)


def test_everything_in_an_unseen_bucket_is_finite(store: Store) -> None:
    """Empty buckets on both sides, one bucket, huge counts: a number all the same."""
    store.profile("confidence", [5e15, 0.0], edges=[LOWEST, 1900])
    store.histogram("confidence", MONDAY - HOUR, [(1950, 3_000_000_000_000_000)])

    [sample] = store.run("confidence_shift")

    assert sample.value is not None
    assert sample.value == pytest.approx(2 * np.log(3e15), rel=0.01)


def test_a_version_without_a_reference_is_judged_by_the_latest(store: Store) -> None:
    """A silent swap must not hide behind a fresh reference of its own; a version that has one is judged by it."""
    low, high = {"edges": [LOWEST, 1900]}, [(1950, 500)]
    store.profile("confidence", [500.0, 500.0], **low, until=MONDAY - 30 * DAY)
    store.profile("confidence", [10.0, 990.0], **low, until=MONDAY - 9 * DAY, model_version="m2")
    for version in ("m1", "m2", "m3"):
        store.histogram("confidence", MONDAY - HOUR, high, model_version=version)

    values = {sample.labels["model_version"]: sample.value for sample in store.run("confidence_shift")}

    assert values["m1"] == pytest.approx(expect(np.array([0, 500]), np.array([500, 500]))[0])
    assert values["m2"] == values["m3"] == pytest.approx(expect(np.array([0, 500]), np.array([10, 990]))[0])


def test_a_reference_of_the_future_is_not_looked_at(store: Store) -> None:
    """Asked later about an earlier slot, the answer is what it was then."""
    store.profile("confidence", [500.0, 500.0], edges=[LOWEST, 1900], until=MONDAY - DAY)
    for day in range(4):
        store.histogram("confidence", MONDAY - day * DAY - HOUR, [(1950, 400)])

    samples = store.run("confidence_shift", since=MONDAY - 4 * DAY)

    assert [sample.value is not None for sample in samples] == [False, False, True, True]


def test_input_psi_by_deciles_and_by_category(store: Store) -> None:
    """A number by the reference's deciles; a category by value, with rare and unseen ones together."""
    random = np.random.default_rng(1)
    bins = np.arange(2000, 2050)
    then, now = random.integers(50, 150, 50), random.integers(0, 20, 50)
    buckets = number_buckets(list(zip(bins.tolist(), then.tolist(), strict=True)))
    edges = [edge for edge, _ in buckets]
    store.profile("input", [*(n for _, n in buckets), 0], field="ink", edges=edges)
    kept, rest = category_buckets([("flatbed", 700), ("handheld", 295), ("fax", 5)])
    store.profile("input", [*(n for _, n in kept), rest], field="device", names=[name for name, _ in kept])
    with store.together() as filling:
        for day in range(7):
            at = MONDAY - 7 * DAY + day * DAY
            filling.histogram("number", at, list(zip(bins, now, strict=True)), field="ink")
            filling.histogram("category", at, [("flatbed", 40), ("fax", 10), ("phone", 50)], field="device")
    store.histogram("number", MONDAY - 7 * DAY - HOUR, [(2000, 9999)], field="ink")
    store.histogram("number", MONDAY - HOUR, [(2000, 9999)], field="ink", segment_name="site", segment_value="a")

    device, ink = store.run("input_psi")

    counted = np.array([7 * now[np.searchsorted(edges, bins, "right") == i + 1].sum() for i in range(len(edges))])
    reference = np.array([n for _, n in buckets])
    assert [ink.value, ink.lower, ink.upper] == pytest.approx(expect(np.append(counted, 0), np.append(reference, 0)))
    assert [device.value, device.lower, device.upper] == pytest.approx(
        expect(7 * np.array([40, 0, 60]), np.array([700, 295, 5]))
    )
    assert (ink.n, device.n, device.labels) == (7 * now.sum(), 700, {"field": "device"})


def test_a_number_that_becomes_text_is_a_shift(store: Store) -> None:
    """A broken parser upstream sends "12" for 12: one field, both kinds, one sample."""
    store.profile("input", [500.0, 500.0, 0.0], field="age", edges=[LOWEST, 2100])
    store.histogram("number", MONDAY - HOUR, [(2050, 100)], field="age")
    store.histogram("category", MONDAY - HOUR, [("", 150), ("12", 150)], field="age")

    [sample] = store.run("input_psi")

    assert sample.n == 400
    assert sample.value == pytest.approx(expect(np.array([100, 0, 300]), np.array([500, 500, 0]))[0])


def test_a_new_value_of_a_discrete_field_is_seen(store: Store) -> None:
    """Few distinct values are compared one by one, so a value between two known ones is not taken for either."""
    buckets = number_buckets([(0, 500), (2035, 500)])
    store.profile("input", [*(n for _, n in buckets), 0], field="flag", edges=[edge for edge, _ in buckets])
    store.histogram("number", MONDAY - HOUR, [(0, 200), (2000, 100), (2035, 200)], field="flag")

    [sample] = store.run("input_psi")

    assert sample.value is not None
    assert sample.value > 0.5


@pytest.mark.parametrize("step", [HOUR, DAY, 2 * DAY])
def test_a_range_of_slots_is_the_slots_one_by_one(store: Store, step: timedelta) -> None:
    """Catch-up, backtest and charts are one query; live evaluation asks slot by slot. Both must say the same."""
    random = np.random.default_rng(7)
    store.profile("confidence", [500.0, 500.0], edges=[LOWEST, 1900], until=MONDAY - 20 * DAY)
    store.profile("input", [500.0, 500.0, 0.0], field="ink", edges=[LOWEST, 2010], until=MONDAY - 20 * DAY)
    store.calibration([0, 1900], [0.99, 0.6], [400, 100], until=MONDAY - 20 * DAY)
    with store.together() as filling:
        for hour in range(0, 12 * 24, 5):
            at = MONDAY - 12 * DAY + hour * HOUR
            filling.histogram("confidence", at, [(1950, random.integers(50)), (1800, random.integers(90))])
            filling.histogram("number", at, [(2005, random.integers(90)), (2020, random.integers(50))], field="ink")
    first: datetime = MONDAY - 2 * step if step != HOUR else MONDAY - 5 * step

    for name in ("confidence_shift", "input_psi", "estimated_accuracy"):
        together = store.run(name, since=first, until=MONDAY, step=step)
        slots = sorted({sample.slot for sample in together})
        alone = [sample for slot in slots for sample in store.run(name, until=slot, step=step)]

        assert len(slots) >= 2
        assert [(s.slot, s.labels, s.n) for s in together] == [(s.slot, s.labels, s.n) for s in alone]
        assert [s.value for s in together] == pytest.approx([s.value for s in alone])
