"""Distances of inputs and outputs from the reference: the SQL against SciPy, at random and at the edges."""

from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from scipy import stats
from scipy.spatial.distance import jensenshannon
from tests.alerts.evaluators.store import DAY, HOUR, MONDAY, Store
from tests.alerts.evaluators.test_quality import wilson
from tests.alerts.evaluators.test_shifts import expect

from tocsin_alerts.records import Sample
from tocsin_alerts.statistics import category_buckets, number_buckets

LOWEST = -32768


def middles(bins: np.ndarray) -> np.ndarray:
    """Give the geometric middle of each bin of tocsin_bin_v1."""
    return np.where(bins == 0, 0.0, np.sign(bins) * np.exp((np.abs(bins) - 2000 + 0.5) * np.log(1.02)))


def freeze(store: Store, bins: np.ndarray, counts: np.ndarray, *, field: str = "ink", text: int = 0) -> np.ndarray:
    """Freeze a number's histogram and its deciles as references.py does; gives where each bucket starts."""
    cells = list(zip(bins.tolist(), counts.tolist(), strict=True))
    store.profile("number", counts.tolist(), field=field, edges=bins.tolist())
    buckets = number_buckets(cells)
    store.profile("input", [*(n for _, n in buckets), text], field=field, edges=[edge for edge, _ in buckets])
    return np.array([edge for edge, _ in buckets])


def distances(store: Store, **when: Any) -> dict[str, Sample]:
    """Run the evaluator on one field: samples by statistic."""
    return {sample.labels["statistic"]: sample for sample in store.run("input_distance", **when)}


def divergence(now: np.ndarray, then: np.ndarray) -> tuple[float, float]:
    """Debiased Jensen-Shannon divergence in bits and the half width of its interval, as documented."""
    noise = 1 / now.sum() + 1 / then.sum()
    filled = ((now + then) > 0).sum()
    bits = max(0.0, jensenshannon(now, then, base=2) ** 2 - (filled - 1) * noise / 8 / np.log(2))
    nats = bits * np.log(2)
    return bits, 1.96 * np.sqrt(2 * len(then) * noise**2 / 64 + nats * noise / 2) / np.log(2)


@pytest.mark.parametrize("seed", range(4))
def test_distances_of_numbers_are_scipys(store: Store, seed: int) -> None:
    """Four ways to say how far: each must be the one that its name stands for."""
    random = np.random.default_rng(seed)
    bins = np.sort(random.choice(np.arange(-2100, 2300), 80, replace=False))
    if seed == 1:
        bins[0] = 0
        bins.sort()
    then, now = random.poisson(60, 80) + 1, random.poisson(random.uniform(0, 60, 80))
    seen = np.unique(np.concatenate([bins[now > 0], [2310]]))  # and one that the reference has never had
    counts = np.append(now[now > 0], 7)
    edges = freeze(store, bins, then)
    for hour in range(0, 24, 6):
        store.histogram("number", MONDAY - DAY + hour * HOUR, list(zip(seen, counts, strict=True)), field="ink")
    store.histogram("number", MONDAY - DAY - HOUR, [(2000, 9999)], field="ink")
    store.histogram("number", MONDAY, [(2000, 9999)], field="ink")

    found = distances(store)

    n, m = 4 * counts.sum(), then.sum()
    expanded_now, expanded_then = np.repeat(middles(seen), 4 * counts), np.repeat(middles(bins), then)
    band = 1.358 * (n**-0.5 + m**-0.5)
    ks = stats.ks_2samp(expanded_now, expanded_then).statistic
    assert [found["ks"].value, found["ks"].lower, found["ks"].upper] == pytest.approx(
        [ks, max(0.0, ks - band), min(1.0, ks + band)]
    )
    moved = stats.wasserstein_distance(middles(seen), middles(bins), counts, then) / expanded_then.std()
    assert found["wasserstein"].value == pytest.approx(moved)
    assert found["wasserstein"].lower <= moved <= found["wasserstein"].upper
    by_bucket = np.zeros(len(edges) + 1)
    np.add.at(by_bucket, np.searchsorted(edges, seen, "right") - 1, 4 * counts)
    frozen = np.zeros(len(edges) + 1)
    np.add.at(frozen, np.searchsorted(edges, bins, "right") - 1, then)
    bits, half = divergence(by_bucket, frozen)
    assert [
        found["jensen_shannon"].value,
        found["jensen_shannon"].lower,
        found["jensen_shannon"].upper,
    ] == pytest.approx(np.sqrt([bits, max(0, bits - half), min(1, bits + half)]))
    assert set(found) == {"ks", "wasserstein", "jensen_shannon"}
    assert {(sample.n, sample.baseline) for sample in found.values()} == {(n, 0)}


@pytest.mark.parametrize("seed", range(4))
def test_cramers_v_is_scipys_less_its_bias(store: Store, seed: int) -> None:
    """Categories: SciPy's chi-square, corrected as Bergsma says."""
    random = np.random.default_rng(seed)
    then, now = random.integers(200, 900, 6), random.integers(0, 300, 6)
    names = list("abcdef")
    kept, rest = category_buckets(list(zip(names, then.tolist(), strict=True)))
    store.profile("input", [*(n for _, n in kept), rest], field="device", names=[name for name, _ in kept])
    store.histogram("category", MONDAY - HOUR, [*zip(names, now, strict=True), ("new", 30)], field="device")

    found = distances(store)

    table = np.array([[*now, 30], [*then, 0]])
    table = table[:, table.sum(axis=0) > 0]
    both, columns = table.sum(), table.shape[1]
    phi2 = stats.chi2_contingency(table, correction=False).statistic / both
    assert np.sqrt(phi2) == pytest.approx(stats.contingency.association(table, method="cramer"))
    most = min(columns - (columns - 1) ** 2 / (both - 1), 2 - 1 / (both - 1)) - 1
    error = 1.96 * np.sqrt(2 * (columns - 1) + 4 * both * phi2) / both
    bias = (columns - 1) / (both - 1)
    expected = [np.sqrt(max(0.0, phi2 + each - bias) / most) for each in (0, -error, error)]
    assert [found["cramers_v"].value, found["cramers_v"].lower, found["cramers_v"].upper] == pytest.approx(expected)
    bits, _ = divergence(np.array([*now, 30]), np.array([*then, 0]))
    assert found["jensen_shannon"].value == pytest.approx(np.sqrt(bits))
    assert set(found) == {"cramers_v", "jensen_shannon"}


def test_the_same_distribution_is_no_distance(store: Store) -> None:
    """All ties, other sizes: nothing but zero, and an interval that starts there."""
    bins = np.arange(2000, 2060)
    freeze(store, bins, np.full(60, 1000))
    store.histogram("number", MONDAY - HOUR, [(int(b), 10) for b in bins], field="ink")

    found = distances(store)

    assert [found[name].value for name in ("ks", "wasserstein", "jensen_shannon")] == pytest.approx([0, 0, 0], abs=1e-9)
    assert [found[name].lower for name in ("ks", "wasserstein", "jensen_shannon")] == pytest.approx([0, 0, 0], abs=1e-9)


def test_a_reference_of_one_value_has_no_spread_to_measure_by(store: Store) -> None:
    """Division by nothing: the distance in spreads is unknown, the others say that all has moved."""
    freeze(store, np.array([2000]), np.array([5000]))
    store.histogram("number", MONDAY - HOUR, [(2050, 300)], field="ink")

    found = distances(store)

    assert found["wasserstein"].value is None
    assert found["ks"].value == 1
    assert found["jensen_shannon"].value == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize(
    ("now", "then", "known"), [(1, 5000, False), (199, 5000, False), (200, 199, False), (200, 200, True)]
)
def test_thin_sides_give_no_distance(store: Store, now: int, then: int, known: bool) -> None:
    """One value or 199: "not enough evidence", with how many there are."""
    freeze(store, np.array([2000, 2010]), np.array([then - 100, 100]))
    store.histogram("number", MONDAY - HOUR, [(2000, now)], field="ink")

    found = distances(store)

    assert {sample.value is not None for sample in found.values()} == {known}
    assert {sample.n for sample in found.values()} == {now}


def test_a_field_without_a_reference_is_not_compared(store: Store) -> None:
    """New fields have no past; they are not at distance zero from it."""
    store.histogram("number", MONDAY - HOUR, [(2000, 500)], field="ink")

    assert {sample.value for sample in distances(store).values()} == {None}


def test_huge_counts_stay_exact(store: Store) -> None:
    """A thousand million in a bin: no overflow in products of counts."""
    freeze(store, np.array([2000, 2100]), np.array([10**9, 10**9]))
    store.histogram("number", MONDAY - HOUR, [(2000, 3 * 10**9), (2100, 10**9)], field="ink")

    found = distances(store)

    assert found["ks"].value == pytest.approx(0.25)
    assert found["jensen_shannon"].value == pytest.approx(jensenshannon([3, 1], [1, 1], base=2), rel=1e-6)


def test_output_psi_is_the_documented_psi_by_version(store: Store) -> None:
    """Predicted labels: known ones by name, rare and unseen ones together; each version against its own."""
    kept, rest = category_buckets([("a", 700), ("b", 295), ("c", 5)])
    store.profile("output", [*(n for _, n in kept), rest], names=[name for name, _ in kept])
    store.histogram("output", MONDAY - HOUR, [("a", 300), ("b", 300), ("c", 10), ("d", 40)])
    store.histogram("output", MONDAY - 2 * HOUR, [("a", 150)], model_version="m2")
    store.histogram("output", MONDAY - DAY - HOUR, [("b", 900)])

    one, two = store.run("output_psi")

    assert [one.value, one.lower, one.upper] == pytest.approx(expect(np.array([300, 300, 50]), np.array([700, 295, 5])))
    assert (one.labels["model_version"], one.n, one.baseline) == ("m1", 650, 0)
    assert (two.labels["model_version"], two.n, two.value) == ("m2", 150, None)


def test_numbers_beyond_the_references_range(store: Store) -> None:
    """A sensor that saturates, a unit that changed: beyond the least and the greatest bin, not at them."""
    store.profile("number", [100.0, 300.0, 100.0], field="ink", edges=[1900, 2000, 2100])
    store.profile("number", [150.0], field="thin", edges=[1900])
    store.histogram("number", MONDAY - HOUR, [(1899, 3), (1900, 40), (2100, 50), (2101, 7)], field="ink")
    store.histogram("number", MONDAY - HOUR, [(1, 40)], field="thin")

    ink, thin = store.run("out_of_range")

    assert (ink.value, ink.baseline, ink.n, ink.labels) == (0.1, 0, 100, {"field": "ink"})
    assert (ink.lower, ink.upper) == pytest.approx(wilson(10, 100), abs=1e-6)
    assert (thin.value, thin.baseline, thin.n) == (None, None, 40)


def test_a_field_that_is_stuck(store: Store) -> None:
    """One value for a day against what the commonest used to have; numbers and categories alike."""
    store.profile("number", [100.0, 300.0, 100.0], field="ink", edges=[1900, 2000, 2100])
    store.profile("input", [100.0, 400.0, 0.0], field="ink", edges=[LOWEST, 2000])
    store.profile("input", [700.0, 250.0, 50.0], field="device", names=["a", "b"])
    for hour in (1, 2):
        store.histogram("number", MONDAY - hour * HOUR, [(2050, 200)], field="ink")
        store.histogram("category", MONDAY - hour * HOUR, [("b", 60), ("c", 20), ("a", 20)], field="device")
    store.histogram("number", MONDAY - HOUR, [(1, 5)], field="new")

    device, ink, new = store.run("constant_field")

    assert (ink.value, ink.baseline, ink.n) == (1, 0.6, 400)
    assert (device.value, device.baseline, device.n) == (0.6, 0.7, 200)
    assert (ink.lower, ink.upper) == pytest.approx(wilson(400, 400), abs=1e-6)
    assert (new.value, new.baseline, new.n) == (None, None, 5)


def test_a_number_that_becomes_text_is_seen_within_the_hour(store: Store) -> None:
    """Half of a field's values come as text: its share, against what the reference had; zero again when it is mended."""
    store.profile("input", [500.0, 480.0, 20.0], field="age", edges=[LOWEST, 2100])
    store.profile("input", [900.0, 100.0], field="name", names=["a"])
    store.profile("input", [500.0, 0.0], field="quiet", edges=[LOWEST])
    store.histogram("number", MONDAY - 2 * HOUR, [(2050, 100)], field="age")
    store.histogram("category", MONDAY - 2 * HOUR, [("12", 50), ("13", 50)], field="age")
    store.histogram("number", MONDAY - HOUR, [(2050, 80)], field="age")
    store.histogram("category", MONDAY - HOUR, [("a", 30)], field="name")
    store.histogram("number", MONDAY - HOUR, [(1, 10)], field="name")
    store.histogram("number", MONDAY - HOUR, [(1, 10)], field="quiet")
    store.histogram("category", MONDAY - HOUR, [("1", 10)], field="unknown")

    samples = store.run("type_change", since=MONDAY - 2 * HOUR, step=HOUR)

    ages = [sample for sample in samples if sample.labels == {"field": "age"}]
    assert [(sample.value, sample.baseline, sample.n) for sample in ages] == [(0.5, 0.02, 200), (0.0, 0.02, 80)]
    assert (ages[0].lower, ages[0].upper) == pytest.approx(wilson(100, 200), abs=1e-6)
    [name] = [sample for sample in samples if sample.labels == {"field": "name"}]
    assert (name.value, name.baseline, name.n) == (0.25, 0, 40)
    assert len(samples) == 3


@pytest.mark.parametrize("step", [HOUR, DAY, 2 * DAY])
def test_a_range_of_slots_is_the_slots_one_by_one(store: Store, step: timedelta) -> None:
    """Catch-up, backtest and charts are one query; live evaluation asks slot by slot. Both must say the same."""
    random = np.random.default_rng(7)
    freeze(store, np.array([2005, 2020]), np.array([500, 500]))
    store.profile("output", [500.0, 500.0, 0.0], names=["a", "b"])
    with store.together() as filling:
        for hour in range(2, 12 * 24, 5):
            at = MONDAY - 12 * DAY + hour * HOUR
            filling.histogram("number", at, [(2005, random.integers(90)), (2030, random.integers(50))], field="ink")
            filling.histogram("category", at, [("x", random.integers(1, 5))], field="ink")
            filling.histogram("output", at, [("a", random.integers(90)), ("c", random.integers(50))])
    first = MONDAY - 2 * step if step != HOUR else MONDAY - 5 * step

    for name in ("input_distance", "output_psi", "out_of_range", "constant_field", "type_change"):
        together = store.run(name, since=first, until=MONDAY, step=step)
        slots = sorted({sample.slot for sample in together})
        alone = [sample for slot in slots for sample in store.run(name, until=slot, step=step)]

        assert slots or name == "type_change"  # which looks at one hour alone
        assert [(s.slot, s.labels, s.n) for s in together] == [(s.slot, s.labels, s.n) for s in alone]
        assert [s.value for s in together] == pytest.approx([s.value for s in alone])
