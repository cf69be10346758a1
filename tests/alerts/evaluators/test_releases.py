"""Releases: which version the present may be compared with, and that no swap becomes its own measure."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pytest
from tests.alerts.evaluators.store import DAY, MONDAY, Store

from tocsin_alerts.errors import ReferenceRefused
from tocsin_alerts.references import Kept, accept, freeze, maintain
from tocsin_alerts.releases import accept_release, choose, freeze_now, releases
from tocsin_alerts.versions import Version

FIRST = MONDAY - 28 * DAY
SURE, UNSURE = ((1500, 90), (1900, 10)), ((1500, 10), (1900, 90))


def keep(store: Store, slot: datetime) -> list[Kept]:
    """Maintain every project, and report on this one."""
    return [kept for kept in maintain(store.database, slot=slot) if kept.version.project == store.project]


def answers(store: Store, model: str, first: datetime, days: int, cells: Sequence[tuple[int, int]]) -> None:
    """Let a version answer a hundred calls a day with some confidence."""
    with store.together() as filling:
        for day in range(days):
            filling.calls(first + day * DAY, 100, model_version=model, confident=100)
            filling.histogram("confidence", first + day * DAY, cells, model_version=model)


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


def decide(store: Store, model: str, at: datetime) -> Kept:
    """Accept a version by hand."""
    return accept_release(store.database, version(store, model), by="ada", reason="reviews", now=at, wall=at)


def lines(store: Store, at: datetime) -> dict[str, str]:
    """What is said of each version of this project."""
    found = [each for each in releases(store.database, now=at) if each.version.project == store.project]
    return {each.version.model_version: each.line() for each in found}


def test_until_there_is_a_reference_it_is_said_how_far_it_is(store: Store) -> None:
    """Silence about a reference reads as if there were one."""
    for day, calls in ((0, 50), (1, 50), (2, 37)):
        store.calls(MONDAY + day * DAY, calls)

    assert lines(store, MONDAY + 3 * DAY) == {"m1": "collecting reference: 137 of 200 calls, day 3 of 28"}


def test_a_version_that_nobody_accepted_says_what_it_is_compared_with(store: Store) -> None:
    """From call 200 on there is something to decide."""
    answers(store, "m1", FIRST, 28, SURE)
    keep(store, MONDAY)
    store.calls(MONDAY, 150, model_version="m2")
    early = lines(store, MONDAY + DAY)["m2"]
    store.calls(MONDAY + DAY, 60, model_version="m2")

    assert early == "not accepted: 150 of 200 calls, then compared with m1"
    assert lines(store, MONDAY + 2 * DAY) == {
        "m1": "reference: 2026-02-02 to 2026-03-02, 2,800 calls, no calibration yet",
        "m2": "not accepted: compared with m1; if it is meant, 'tocsin release accept triage'",
    }


def test_accepted_early_its_own_replaces_it_provisionally_and_in_full_after_four_weeks(store: Store) -> None:
    """Three days are no whole week: what they say is a ticket, and the reference is completed, not kept at three days."""
    answers(store, "m1", FIRST, 28, SURE)
    keep(store, MONDAY)
    answers(store, "m2", MONDAY, 40, tuple((edge, 2 * count) for edge, count in UNSURE))

    kept = decide(store, "m2", MONDAY + 3 * DAY)

    assert (kept.since, kept.until, kept.n) == (MONDAY, MONDAY + 3 * DAY, 300)
    assert shift(store, "m2", MONDAY + 4 * DAY) == 0
    assert lines(store, MONDAY + 4 * DAY)["m2"].startswith("provisional reference: 2026-03-02 to 2026-03-05, 300 calls")
    assert store.rows("SELECT actor, action FROM audit_log WHERE subject = concat({project:String}, '/triage m2')") == [
        {"actor": "ada", "action": "release accept"}
    ]
    volumes = "SELECT model_version FROM reference_profiles FINAL WHERE project = {project:String} AND kind = 'volume'"
    assert store.rows(volumes) == [{"model_version": "m1"}], "three days know no ordinary week"
    keep(store, MONDAY + 28 * DAY)
    assert lines(store, MONDAY + 29 * DAY)["m2"].startswith("reference: 2026-03-02 to 2026-03-30, 2,800 calls")


def test_too_few_calls_cannot_be_accepted(store: Store) -> None:
    """Nobody can have judged a version by a handful of calls, and nothing could be compared with them."""
    store.calls(MONDAY, 199, model_version="m2")

    with pytest.raises(ReferenceRefused, match="at least 200 calls of m2, got 199"):
        decide(store, "m2", MONDAY + DAY)

    assert store.rows("SELECT count() AS n FROM releases WHERE project = {project:String}") == [{"n": 0}]


def test_frozen_anew_by_decision_it_is_the_last_four_weeks(store: Store) -> None:
    """What people have decided to live with is normal from then on; what nobody decided is not."""
    answers(store, "m1", FIRST, 28, SURE)
    keep(store, MONDAY)
    answers(store, "m1", MONDAY, 30, tuple((edge, 2 * count) for edge, count in UNSURE))
    at = MONDAY + 30 * DAY + DAY / 2
    assert (shift(store, "m1", MONDAY + 30 * DAY) or 0) > 1

    kept = freeze_now(store.database, version(store, "m1"), by="ada", reason="new scanner", now=at, wall=at)

    assert (kept.since, kept.until) == (MONDAY + 2 * DAY, MONDAY + 30 * DAY)
    store.histogram("confidence", MONDAY + 30 * DAY, [(1500, 20), (1900, 180)])
    assert shift(store, "m1", MONDAY + 31 * DAY) == 0
    with pytest.raises(ReferenceRefused, match="accepted"):
        freeze_now(store.database, version(store, "m9"), by="ada", reason="", now=at, wall=at)


def test_the_version_that_is_meant_is_the_one_that_comes_into_question(store: Store) -> None:
    """Of two, tocsin does not guess: accepting the wrong one would hide the other."""
    store.calls(MONDAY, 300, model_version="m2")
    store.calls(MONDAY, 300, model_version="m3")
    known = releases(store.database, now=MONDAY + DAY)
    where: dict[str, Any] = {"project": store.project, "use_case": "triage"}

    assert choose(known, **where, model="m3", prompt=None).version.model_version == "m3"
    with pytest.raises(ReferenceRefused, match="expected one version of 'triage', got 2"):
        choose(known, **where, model=None, prompt=None)
    with pytest.raises(ReferenceRefused, match="did you mean 'triage'"):
        choose(known, project=store.project, use_case="triaga", model=None, prompt=None)
