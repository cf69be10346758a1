"""Values that the reference never saw: counted exactly, and only where that means something."""

from datetime import timedelta

import pytest
from scipy.stats import binomtest
from tests.alerts.evaluators.store import DAY, HOUR, MONDAY, Store


def known(store: Store, cells: list[tuple[str, int]], *, field: str = "device", until: timedelta = -7 * DAY) -> None:
    """Freeze what a field's values were."""
    store.insert(
        "reference_windows",
        [
            {
                "kind": "category",
                "field": field,
                "model_version": "m1",
                "category": category,
                "n": n,
                "since": MONDAY + until - 28 * DAY,
                "until": MONDAY + until,
                "frozen_at": MONDAY + until,
            }
            for category, n in cells
        ],
    )


def test_the_share_of_unseen_values_with_wilsons_interval(store: Store) -> None:
    """A device that nobody trained for shows in the day it appears; what is known counts below the line only."""
    known(store, [("flatbed", 900), ("fax", 99), ("tube", 1)])
    for hour in range(24):
        store.histogram("category", MONDAY - DAY + hour * HOUR, [("flatbed", 30), ("phone", 1)], field="device")
    store.histogram("category", MONDAY - DAY + HOUR, [("watch", 6)], field="device", model_version="m2")
    store.histogram("category", MONDAY, [("watch", 999)], field="device")
    store.histogram("category", MONDAY - DAY - HOUR, [("watch", 999)], field="device")

    [sample] = store.run("new_category", step=HOUR)

    interval = binomtest(30, 750).proportion_ci(0.9500042097035593, method="wilson")
    assert (sample.value, sample.n, sample.baseline) == (pytest.approx(30 / 750), 750, pytest.approx(0.001))
    assert (sample.lower, sample.upper) == (pytest.approx(interval.low), pytest.approx(interval.high))
    assert sample.labels == {"field": "device"}


def test_a_field_of_names_is_not_measured(store: Store) -> None:
    """New users come every day; a ticket for each would be noise."""
    known(store, [(f"user-{number}", 5) for number in range(101)], field="user")
    known(store, [(f"shop-{number}", 5) for number in range(100)], field="shop")
    for field in ("user", "shop"):
        store.histogram("category", MONDAY - HOUR, [("somebody", 50)], field=field)

    samples = store.run("new_category", step=HOUR)

    assert [(sample.labels["field"], sample.value) for sample in samples] == [("shop", 1.0)]


def test_a_field_without_a_reference_by_then_is_not_judged(store: Store) -> None:
    """Nothing can be new where nothing is known, and a later reference says nothing of an earlier hour."""
    known(store, [("flatbed", 900)], until=-2 * HOUR)
    store.histogram("category", MONDAY - 5 * HOUR, [("phone", 9)], field="device")
    store.histogram("category", MONDAY - 5 * HOUR, [("en", 9)], field="language")

    samples = store.run("new_category", since=MONDAY - 5 * HOUR, step=HOUR)

    assert [sample.slot for sample in samples] == [MONDAY - 2 * HOUR, MONDAY - HOUR, MONDAY]


def test_the_latest_reference_that_knows_the_field_is_asked(store: Store) -> None:
    """What came new with one release is known from the next reference on."""
    known(store, [("flatbed", 900)], until=-20 * DAY)
    store.insert(
        "reference_windows",
        [
            {
                "kind": "category",
                "field": "device",
                "model_version": "m2",
                "category": category,
                "n": 90,
                "since": MONDAY - 30 * DAY,
                "until": MONDAY - 2 * DAY,
                "frozen_at": MONDAY,
            }
            for category in ("flatbed", "phone")
        ],
    )
    for day in range(4):
        store.histogram("category", MONDAY - day * DAY - HOUR, [("phone", 10), ("flatbed", 10)], field="device")

    samples = store.run("new_category", since=MONDAY - 4 * DAY)

    assert [sample.value for sample in samples] == [0.5, 0.0, 0.0, 0.0]


@pytest.mark.parametrize("step", [HOUR, DAY])
def test_a_range_of_slots_is_the_slots_one_by_one(store: Store, step: timedelta) -> None:
    """Catch-up and live evaluation must say the same."""
    known(store, [("flatbed", 900)])
    for hour in range(0, 96, 7):
        at = MONDAY - 4 * DAY + hour * HOUR
        store.histogram("category", at, [("flatbed", 5 + hour), ("phone", hour % 4)], field="device")

    together = store.run("new_category", since=MONDAY - 2 * DAY, step=step)
    alone = [
        sample
        for slot in sorted({s.slot for s in together})
        for sample in store.run("new_category", until=slot, step=step)
    ]

    assert len(together) >= 2
    assert together == alone
