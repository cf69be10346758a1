"""References: when a window is frozen, what it holds, and that nothing changes it afterwards."""

from datetime import datetime
from typing import Any

import numpy as np
import pytest
from tests.alerts.evaluators.store import DAY, HOUR, MONDAY, Store

from tocsin_alerts.references import Kept, maintain
from tocsin_alerts.statistics import BELOW_EVERY_BIN

FIRST = MONDAY - 28 * DAY


def keep(store: Store, slot: datetime) -> list[Kept]:
    """Maintain every project, and report on this one."""
    return [kept for kept in maintain(store.database, slot=slot) if kept.version.project == store.project]


def traffic(store: Store, *, first: datetime = FIRST, days: int = 28, calls: int = 10, **row: Any) -> None:
    """Count some calls each day."""
    with store.together() as filling:
        for day in range(days):
            filling.calls(first + day * DAY, calls, **row)


def state(store: Store) -> list[Any]:
    """Read all that is frozen of this project."""
    columns = "* EXCEPT (frozen_at)"
    return [
        store.rows(f"SELECT {columns} FROM {table} FINAL WHERE project = {{project:String}} ORDER BY ALL")
        for table in ("reference_windows", "reference_profiles")
    ]


def test_a_reference_is_frozen_after_four_whole_weeks(store: Store) -> None:
    """Not a day earlier, and once."""
    traffic(store)

    assert keep(store, MONDAY - DAY) == []
    [kept] = keep(store, MONDAY)
    before = state(store)
    assert keep(store, MONDAY) == keep(store, MONDAY + DAY) == []

    assert (kept.kind, kept.since, kept.until, kept.n) == ("reference", FIRST, MONDAY, 280)
    assert state(store) == before


def test_the_day_of_installation_is_not_whole(store: Store) -> None:
    """Half a day of calls would pull every mean down."""
    traffic(store, first=FIRST + 9 * HOUR, days=40)

    assert keep(store, MONDAY) == []
    [kept] = keep(store, MONDAY + DAY)

    assert (kept.since, kept.until) == (FIRST + DAY, MONDAY + DAY)


def test_thin_traffic_takes_as_many_weeks_as_200_calls(store: Store) -> None:
    """Whole weeks always: a weekend more would shift every mix."""
    traffic(store, days=60, calls=5)

    assert keep(store, MONDAY + 6 * DAY) == []
    assert keep(store, MONDAY + 13 * DAY) == []
    [kept] = keep(store, MONDAY + 14 * DAY)

    assert (kept.until - kept.since, kept.n) == (42 * DAY, 210)


def test_asked_late_the_window_is_the_same(store: Store) -> None:
    """After a week of downtime the reference must not have moved."""
    traffic(store, days=40)

    [kept] = keep(store, MONDAY + 9 * DAY)

    assert (kept.since, kept.until) == (FIRST, MONDAY)


def test_a_version_out_of_use_gets_none(store: Store) -> None:
    """What nobody calls any more is compared with nothing."""
    traffic(store)

    assert keep(store, MONDAY + 8 * DAY) == []


def test_each_version_has_its_own_reference(store: Store) -> None:
    """Versions are judged apart; traffic and cost are of the use case."""
    traffic(store, unpriced=10)
    traffic(store, model_version="m2", calls=20, currency="USD", cost=2)
    store.calls(FIRST + HOUR, 84, unpriced=84, model_version="m3")

    kept = keep(store, MONDAY)

    assert {(each.version.model_version, each.n) for each in kept} == {("m1", 280), ("m2", 560)}
    profiles = {
        (row["model_version"], row["kind"]): row
        for row in store.rows("SELECT * FROM reference_profiles FINAL WHERE project = {project:String}")
    }
    assert profiles["m1", "volume"]["figures"][:2] == [30.0, 21.0]
    assert (profiles["m1", "cost"]["names"], profiles["m1", "cost"]["figures"]) == (["USD"], [pytest.approx(2.0)])
    assert profiles["m2", "silence"]["n"] == 280 + 560 + 84


def test_what_a_reference_holds(store: Store) -> None:
    """Histograms for people, and the figures that evaluators compare with; by segment only confidence."""
    traffic(store)
    for day in (0, 27):
        at = FIRST + day * DAY
        store.histogram("confidence", at, [(1500, 100), (1900, 40)])
        store.histogram("confidence", at, [(1500, 9)], segment_name="device", segment_value="a")
        store.histogram("number", at, [(2000 + i, 5) for i in range(40)], field="ink")
        store.histogram("number", at, [(2000, 5)], field="ink", segment_name="device", segment_value="a")
        store.histogram("category", at, [("flatbed", 60), ("fax", 39), ("odd", 0), ("", 1)], field="device")
        store.histogram("null", at, [(0, 7)], field="ink")
        store.histogram("output", at, [("7", 60), ("1", 39), ("?", 1)])
        store.histogram("latency", at, [(2100, 90), (2300, 10)])
    for outside in (FIRST - HOUR, MONDAY):
        store.histogram("number", outside, [(1, 5)], field="ink")

    keep(store, MONDAY)

    kinds = store.rows(
        "SELECT kind, segment_name, sum(n) AS n FROM reference_windows FINAL WHERE project = {project:String}"
        " GROUP BY ALL ORDER BY ALL"
    )
    assert [(row["kind"], row["segment_name"], row["n"]) for row in kinds] == [
        ("calls", "", 280),
        ("category", "", 200),
        ("confidence", "", 280),
        ("confidence", "device", 18),
        ("latency", "", 200),
        ("null", "", 14),
        ("number", "", 400),
        ("output", "", 200),
    ]
    profiles = {
        (row["kind"], row["field"]): (row["edges"], row["names"], row["figures"], row["n"])
        for row in store.rows("SELECT * FROM reference_profiles FINAL WHERE project = {project:String}")
    }
    assert profiles["confidence", ""] == ([BELOW_EVERY_BIN, 1500, 1501, 1900, 1901], [], [0, 200, 0, 80, 0], 280)
    assert profiles["input", "ink"] == ([BELOW_EVERY_BIN, *range(2004, 2040, 4)], [], [40.0] * 10 + [0], 400)
    assert profiles["number", "ink"] == ([*range(2000, 2040)], [], [10.0] * 40, 400)
    assert profiles["latency", ""] == ([2100, 2300], [], [180, 20], 200)
    _, names, figures, n = profiles["output", ""]
    assert (dict(zip(names, figures, strict=False)), figures[-1], n) == ({"7": 120, "1": 78, "?": 2}, 0, 200)
    edges, names, figures, n = profiles["input", "device"]
    assert (edges, dict(zip(names, figures, strict=False)), figures[-1], n) == (
        [],
        {"fax": 78, "flatbed": 120, "": 2},
        0,
        200,
    )
    assert profiles["null", ""] == ([], ["ink"], [14 / 280], 280)


def test_a_field_of_user_names_does_not_bloat_the_reference(store: Store) -> None:
    """References are kept for ever."""
    traffic(store)
    store.histogram("category", FIRST, [(f"user{i:04}", 5) for i in range(1000)], field="user")

    keep(store, MONDAY)

    [row] = store.rows(
        "SELECT count() AS kept, sumIf(n, category = '(other)') AS others, sum(n) AS total"
        " FROM reference_windows FINAL WHERE project = {project:String} AND kind = 'category'"
    )
    assert (row["kept"], row["others"], row["total"]) == (201, 4000, 5000)


def labelled(store: Store, count: int, *, day: int = 0, **row: Any) -> None:
    """Add labels to calls of one day: sure ones always right, unsure ones half of the time."""
    outcomes = []
    for i in range(count):
        is_sure = i % 4 != 0
        doubt = 0.001 if is_sure else 0.4
        outcomes.append(
            {
                "started_at": FIRST + day * DAY + HOUR,
                "confidence": 1 - doubt,
                "correct": int(is_sure or i % 8 == 0),
                "segments": {"device": "a" if is_sure else "b"},
                **row,
            }
        )
    store.outcomes(outcomes)


def confidences(store: Store) -> None:
    """Count sure and unsure calls, whole and by device."""
    for name, value, sure, unsure in (("", "", 60, 40), ("device", "a", 60, 0), ("device", "b", 0, 40)):
        bins = store.rows("SELECT tocsin_doubt_bin_v1(0.999) AS sure, tocsin_doubt_bin_v1(0.6) AS unsure")[0]
        cells = [(bins["sure"], sure), (bins["unsure"], unsure)]
        store.histogram(
            "confidence", FIRST, [cell for cell in cells if cell[1]], segment_name=name, segment_value=value
        )


def test_calibration_waits_for_labels_and_then_stays(store: Store) -> None:
    """It is fitted again each day until labels are usually complete; later labels change nothing."""
    traffic(store, days=60)
    confidences(store)
    labelled(store, 40)

    assert [kept.kind for kept in keep(store, MONDAY)] == ["reference"]
    labelled(store, 40, day=1)
    assert [(kept.kind, kept.n) for kept in keep(store, MONDAY + DAY)] == [("calibration", 80)]
    assert keep(store, MONDAY + DAY) == []
    labelled(store, 40, day=27)
    assert [kept.n for kept in keep(store, MONDAY + 7 * DAY)] == [120]
    labelled(store, 40, day=2)
    assert keep(store, MONDAY + 8 * DAY) == []

    [row] = store.rows("SELECT * FROM calibrations FINAL WHERE project = {project:String}")
    assert (row["n"], sum(row["labels"])) == (120, 120)
    assert row["precision"] == [1.0, 0.5]
    assert (row["accuracy"], row["estimate"]) == (pytest.approx(0.875), pytest.approx(0.8))
    assert row["segment_accuracies"] == {"device=a": 1.0, "device=b": 0.5}
    assert row["segment_estimates"] == {"device=a": 1.0, "device=b": 0.5}


def test_labels_without_confidence_give_an_accuracy_only(store: Store) -> None:
    """Such a use case reads "reviews or judge only"."""
    traffic(store)
    labelled(store, 60, confidence=None)

    keep(store, MONDAY)

    [row] = store.rows("SELECT * FROM calibrations FINAL WHERE project = {project:String}")
    assert (row["bins"], row["n"], row["accuracy"]) == ([], 60, pytest.approx(53 / 60))


def test_only_labels_of_the_reference_window_count(store: Store) -> None:
    """Calibrating on decayed calls would hide the decay."""
    traffic(store)
    labelled(store, 60)
    labelled(store, 60, day=28, correct=0)
    labelled(store, 60, model_version="m2", correct=0)
    labelled(store, 60, served_by="fallback", is_probe=0, correct=0)

    _, fitted = keep(store, MONDAY)

    assert fitted.n == 60


def test_the_frozen_window_feeds_the_evaluators(store: Store) -> None:
    """From rollups to a verdict: the reference against itself has not moved, a moved week has."""
    random = np.random.default_rng(0)
    traffic(store, days=40, calls=100)
    confidences(store)
    labelled(store, 100)
    with store.together() as filling:
        for day in range(40):
            shift = 0 if day < 30 else 40
            cells = [(2000 + shift + i, int(random.integers(1, 9))) for i in range(30)]
            filling.histogram("number", FIRST + day * DAY, cells, field="ink")
    keep(store, MONDAY)

    [steady] = store.run("input_psi", until=MONDAY + DAY)
    [moved] = store.run("input_psi", until=FIRST + 40 * DAY)

    assert steady.value is not None
    assert moved.value is not None
    assert steady.value < 0.05
    assert moved.value > 1


@pytest.mark.parametrize(("people", "accuracy"), [(49, 0.49), (50, 1.0)])
def test_a_judge_is_no_reference_where_people_have_labelled(store: Store, people: int, accuracy: float) -> None:
    """Its errors in the reference would be promised as the model's, and every later comparison would be with them."""
    traffic(store)
    at = FIRST + DAY
    store.outcomes([{"started_at": at, "correct": 1, "kind": "review"} for _ in range(people)])
    store.outcomes([{"started_at": at, "correct": 0, "kind": "judge"} for _ in range(100 - people)])

    keep(store, MONDAY)

    [row] = store.rows("SELECT accuracy, n FROM calibrations FINAL WHERE project = {project:String}")
    assert (row["accuracy"], row["n"]) == (accuracy, 100 if people < 50 else 50)


@pytest.mark.parametrize(("truth", "accuracy"), [(0, 2_580 / 4_200), (1, 2_581 / 4_201), (60, 0.5)])
def test_a_reference_of_drawn_labels_is_what_they_stand_for(store: Store, truth: int, accuracy: float) -> None:
    """Else what is promised is the sample's accuracy, mostly that of sure answers, and every week would read as a fall. Where 50 were not drawn, they alone are compared."""
    traffic(store)
    row = {"started_at": FIRST + DAY, "kind": "review", "segments": {"device": "phone"}}
    store.outcomes([{**row, "correct": 1, "weight": 10.0} for _ in range(60)])
    store.outcomes([{**row, "correct": int(i < 22), "weight": 90.0} for i in range(40)])
    store.outcomes([{**row, "correct": int(i % 2 == 0), "kind": "ground_truth"} for i in range(truth)])

    keep(store, MONDAY)

    sql = "SELECT accuracy, n, segment_accuracies FROM calibrations FINAL WHERE project = {project:String}"
    [kept] = store.rows(sql)
    assert kept["accuracy"] == pytest.approx(accuracy)
    assert kept["segment_accuracies"] == {"device=phone": pytest.approx(accuracy)}
    assert kept["n"] == 100 + truth


def test_days_of_the_calendar_are_in_no_reference_and_are_waited_for(store: Store) -> None:
    """A campaign in the reference makes every ordinary day drift."""
    traffic(store, days=35)
    store.histogram("number", FIRST + DAY, [(2000, 90)], field="ink")
    store.histogram("number", FIRST + 9 * DAY, [(2100, 60)], field="ink")
    store.calls(FIRST + DAY, 5000)
    campaign = [((FIRST + DAY).date(), (FIRST + 2 * DAY).date())]

    def maintained(slot: datetime) -> list[Kept]:
        found = maintain(store.database, slot=slot, calendar=lambda _project, _use_case: campaign)
        return [kept for kept in found if kept.version.project == store.project]

    assert maintained(MONDAY) == []
    [kept] = maintained(MONDAY + 7 * DAY)

    assert (kept.since, kept.until, kept.n) == (FIRST, MONDAY + 7 * DAY, 330)
    sql = "SELECT kind, n FROM reference_windows FINAL WHERE project = {project:String} AND kind = 'number'"
    assert store.rows(sql) == [{"kind": "number", "n": 60}]
    [volume] = store.rows(
        "SELECT figures FROM reference_profiles FINAL WHERE project = {project:String} AND kind = 'volume'"
    )
    assert volume["figures"][24] == 10.0, "the mean of the Tuesdays that were ordinary"
