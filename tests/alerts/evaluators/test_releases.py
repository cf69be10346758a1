"""Releases: which version the present may be compared with, and that no swap becomes its own measure."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from tests.alerts.evaluators.store import DAY, MONDAY, Store

from tocsin_alerts.references import Kept, accept, maintain
from tocsin_alerts.versions import Version

FIRST = MONDAY - 28 * DAY
SURE, UNSURE = ((1500, 90), (1900, 10)), ((1500, 10), (1900, 90))


def keep(store: Store, slot: datetime) -> list[Kept]:
    """Maintain every project, and report on this one."""
    return [kept for kept in maintain(store.database, slot=slot) if kept.version.project == store.project]


def answers(store: Store, model: str, first: datetime, days: int, cells: Sequence[tuple[int, int]]) -> None:
    """Let a version answer a hundred calls a day with some confidence."""
    for day in range(days):
        store.calls(first + day * DAY, 100, model_version=model, confident=100)
        store.histogram("confidence", first + day * DAY, cells, model_version=model)


def frozen(store: Store) -> list[tuple[str, datetime]]:
    """Name the versions that have a reference, and where its window ends."""
    sql = "SELECT model_version, until FROM reference_windows FINAL WHERE project = {project:String} AND kind = 'calls'"
    return [(row["model_version"], row["until"]) for row in store.rows(f"{sql} ORDER BY until, model_version")]


def shift(store: Store, model: str, until: datetime) -> float | None:
    """How far a version's day is from what it is compared with."""
    found = {each.labels["model_version"]: each.value for each in store.run("confidence_shift", until=until)}
    return found[model]


def version(store: Store, model: str) -> Version:
    """Name a version of this test's use case."""
    return Version(project=store.project, use_case="triage", model_version=model, prompt_version="")


def test_a_swap_does_not_hide_behind_a_reference_of_its_own(store: Store) -> None:
    """A worse model that nobody announced would be judged by itself from its 29th day on, and read as well again."""
    answers(store, "m1", FIRST, 28, SURE)
    keep(store, MONDAY)
    answers(store, "m2", MONDAY, 40, tuple((edge, 2 * count) for edge, count in UNSURE))

    for day in (1, 28, 29, 40):
        keep(store, MONDAY + day * DAY)

    assert frozen(store) == [("m1", MONDAY)]
    assert all((shift(store, "m2", MONDAY + day * DAY) or 0) > 1 for day in (1, 28, 29, 40))


def test_an_accepted_version_gets_its_own_reference(store: Store) -> None:
    """A person has looked: from then on it is what the present is compared with."""
    answers(store, "m1", FIRST, 28, SURE)
    keep(store, MONDAY)
    answers(store, "m2", MONDAY, 40, tuple((edge, 2 * count) for edge, count in UNSURE))
    assert (shift(store, "m2", MONDAY + 29 * DAY) or 0) > 1

    accept(store.database, version(store, "m2"), by="ada", reason="better on reviews", at=MONDAY + 20 * DAY)
    assert keep(store, MONDAY + 27 * DAY) == []
    [kept] = keep(store, MONDAY + 28 * DAY)

    assert (kept.version.model_version, kept.since, kept.until) == ("m2", MONDAY, MONDAY + 28 * DAY)
    assert shift(store, "m2", MONDAY + 29 * DAY) == 0
    assert frozen(store) == [("m1", MONDAY), ("m2", MONDAY + 28 * DAY)]


def test_the_first_of_a_use_case_is_accepted_by_being_the_first(store: Store) -> None:
    """Somebody shipped it before tocsin was there; it is on record who accepted it."""
    answers(store, "m1", FIRST, 28, SURE)

    keep(store, MONDAY)

    [row] = store.rows("SELECT * FROM releases FINAL WHERE project = {project:String}")
    assert (row["model_version"], row["accepted_by"], row["reason"]) == ("m1", "tocsin", "the first of its use case")


def test_asked_late_the_first_is_still_the_first(store: Store) -> None:
    """After two months of downtime two versions have four weeks each: the one that had them first is the measure."""
    answers(store, "m1", FIRST, 60, SURE)
    answers(store, "m2", FIRST + 20 * DAY, 40, UNSURE)

    keep(store, FIRST + 60 * DAY)

    assert frozen(store) == [("m1", MONDAY)]


def test_references_from_before_releases_were_kept_hold(store: Store) -> None:
    """An upgrade must not take a reference away from a version that had one."""
    answers(store, "m1", FIRST, 60, SURE)
    answers(store, "m2", FIRST, 60, UNSURE)
    for model in ("m1", "m2"):
        window = {"since": FIRST, "until": MONDAY, "frozen_at": MONDAY, "kind": "calls", "n": 2800}
        store.insert("reference_windows", [{**window, "model_version": model}])

    assert [kept for kept in keep(store, MONDAY + DAY) if kept.kind == "reference"] == []
    assert frozen(store) == [("m1", MONDAY), ("m2", MONDAY)]


def test_a_field_that_is_gone_from_a_new_window_is_gone_from_the_reference(store: Store) -> None:
    """What is frozen again replaces all of what was frozen: no bin of the old window is left beside the new ones."""
    from tocsin_alerts.references import freeze

    answers(store, "m1", FIRST, 28, SURE)
    store.histogram("number", FIRST, [(2000 + i, 50) for i in range(20)], field="ink")
    keep(store, MONDAY)
    answers(store, "m1", MONDAY, 28, UNSURE)

    freeze(store.database, version(store, "m1"), (MONDAY, MONDAY + 28 * DAY), slot=MONDAY + 28 * DAY)

    cells: list[Any] = store.rows(
        "SELECT kind, bin, n FROM reference_windows FINAL WHERE project = {project:String} AND n > 0 ORDER BY ALL"
    )
    assert [(row["kind"], row["bin"], row["n"]) for row in cells] == [
        ("calls", 0, 2800),
        ("confidence", 1500, 280),
        ("confidence", 1900, 2520),
    ]
    assert store.rows("SELECT n FROM reference_profiles FINAL WHERE project = {project:String} AND kind = 'input'") == [
        {"n": 0}
    ]
