"""What scatters by itself in the reference may not wake anybody: days unlike each other, gaps of whole hours."""

from datetime import datetime

import numpy as np
import pytest
from tests.alerts.evaluators.store import DAY, EVALUATORS, HOUR, MONDAY, Store

from tocsin_alerts.conditions import sample_names
from tocsin_alerts.references import maintain
from tocsin_alerts.rules import load_rules

BEGAN = MONDAY - 28 * DAY
CALLS = 240  # an hour of ten, a day


def day(store: Store, at: datetime, sure: int) -> None:
    """A day of calls, of which so many are sure and the rest are not."""
    store.calls(at, CALLS)
    store.histogram("confidence", at, [(10, sure), (900, CALLS - sure)])


def frozen(store: Store) -> None:
    """Freeze four weeks."""
    assert [kept.kind for kept in maintain(store.database, slot=MONDAY) if kept.version.project == store.project] == [
        "reference"
    ]


def profile(store: Store, kind: str) -> tuple[list[str], list[float]]:
    """Read what was frozen."""
    [row] = store.rows(
        "SELECT names, figures FROM reference_profiles FINAL WHERE project = {project:String} AND kind = {kind:String}",
        kind=kind,
    )
    return row["names"], row["figures"]


@pytest.mark.parametrize("swing", [0, 60])
def test_an_ordinary_day_is_as_far_from_the_reference_as_its_own_days_are(store: Store, swing: int) -> None:
    """Fridays are unlike Mondays, year in, year out: a page each Friday would be 52 false ones."""
    with store.together() as filling:
        for number in range(28):
            day(filling, BEGAN + number * DAY, 120 + (swing if number % 2 else -swing))
    frozen(store)
    day(store, MONDAY, 120 + swing)

    [sample] = store.run("confidence_shift", until=MONDAY + DAY)

    _, [farthest] = profile(store, "confidence_day")
    assert sample.baseline == pytest.approx(farthest)
    assert sample.value == pytest.approx(farthest, abs=1e-9)
    assert farthest == 0 if not swing else farthest > 0.25


def test_gaps_of_whole_hours_are_evidence_of_an_hour_not_of_its_calls(store: Store) -> None:
    """A sensor that is away for an hour in ten leaves a hundred values out at once: that is one thing that happened."""
    random = np.random.default_rng(5)
    missing = {"away": [], "now and then": []}
    with store.together() as filling:
        for number in range(28 * 24):
            at = BEGAN + number * HOUR
            filling.calls(at, 100)
            for field, share in (
                ("away", 100 * int(random.random() < 0.1)),
                ("now and then", random.binomial(100, 0.1)),
            ):
                missing[field].append(int(share))
                if share:
                    filling.histogram("null", at, [(0, int(share))], field=field)
    frozen(store)

    names, dispersions = profile(store, "null_hour")

    found = dict(zip(names, dispersions, strict=True))
    for field, shares in missing.items():
        bad, p = np.array(shares), np.sum(shares) / (100 * len(shares))
        pearson = float(np.sum((bad - 100 * p) ** 2 / (100 * p * (1 - p))) / (len(shares) - 1))
        assert found[field] == pytest.approx(max(1.0, pearson))
    assert found["away"] == pytest.approx(100, rel=0.01)
    assert found["now and then"] < 1.2


def test_missing_values_are_judged_by_what_an_hour_of_them_says(store: Store) -> None:
    """Every value of an hour is missing: news of a field that is independent, one more gap of one that is away at times."""
    store.profile("null", [0.1, 0.1], names=["away", "always"], n=1000)
    store.profile("null_hour", [100.0, 1.0], names=["away", "always"], n=2)
    store.calls(MONDAY - HOUR, 100)
    for field in ("away", "always"):
        store.histogram("null", MONDAY - HOUR, [(0, 100)], field=field)

    always, away = store.run("null_rate", step=HOUR)

    assert (always.labels["field"], away.labels["field"]) == ("always", "away")
    for sample in (always, away):
        assert (sample.value, sample.baseline, sample.n) == (1, 0.1, 100)
    assert always.lower - always.baseline >= always.value - always.lower
    assert not away.lower - away.baseline >= away.value - away.lower


@pytest.mark.parametrize(("missing", "times"), [(3, 1), (9, 3)])
def test_a_field_that_is_away_at_times_is_missed_when_it_does_not_come_back(
    store: Store, missing: int, times: int
) -> None:
    """An hour's gap is no news of it, and so no hour ever would be: that it lasts is."""
    with store.together() as filling:
        for number in range(28 * 6):
            at = BEGAN + number * 4 * HOUR
            filling.calls(at, 60)
            if number % 50 < 3:
                filling.histogram("null", at, [(0, 60)], field="weather")
    frozen(store)
    assert profile(store, "null_run") == (["weather"], [3])
    with store.together() as filling:
        for number in range(missing + 1):  # an hour without calls among them is neither
            if number != 2:
                filling.calls(MONDAY + number * HOUR, 20)
                filling.histogram("null", MONDAY + number * HOUR, [(0, 20)], field="weather")

    sample = store.run("null_rate", until=MONDAY + (missing + 1) * HOUR, step=HOUR)[-1]

    assert (sample.value, sample.effect) == (1, times)
    rule = next(each for each in load_rules(evaluators=EVALUATORS) if each.name == "null-rate")
    assert rule.when.holds(sample_names(sample, {"strict": 0})) is (times >= 3)
    assert rule.clear.holds(sample_names(sample, {"strict": 0})) is False


def test_a_field_of_one_value_a_day_is_not_stuck(store: Store) -> None:
    """A batch's number, today's rate: the same all day, every day. Stuck is what used to vary within its days."""
    for number in range(29):
        at = BEGAN + number * DAY
        store.calls(at, 300)
        store.histogram("category", at, [(f"batch {number}", 300)], field="batch")
        store.histogram("category", at, [("a", 300 if number in (5, 28) else 150), ("b", 150)], field="device")
    frozen(store)

    batch, device = store.run("constant_field", until=MONDAY + DAY)

    assert (batch.labels["field"], batch.value, batch.baseline) == ("batch", 1, 1)
    assert (device.labels["field"], device.value, device.baseline) == (
        "device",
        pytest.approx(2 / 3),
        pytest.approx(0.5, abs=0.01),
    )
