"""The bars of every version, found in a store."""

from datetime import timedelta
from typing import Any

from tests.alerts.evaluators.store import DAY, HOUR, MONDAY, Store

from tocsin_alerts.guard_bar import Bar
from tocsin_alerts.guard_bars import GuardBars
from tocsin_alerts.plan import Plan, Plans


def plans(store: Store, **more: Any) -> Plans:
    """Make the plan of the store's use case."""
    said = {"use_case": "triage", "project": store.project, "quality": {"floor": 0.9}, **more}
    return Plans.of(Plan.model_validate(said))


def verdicts(store: Store, confidence: float, right: int, wrong: int, **row: Any) -> None:
    """Have some calls of three days ago reviewed."""
    said = {"started_at": MONDAY - 3 * DAY, "confidence": confidence, "kind": "review", **row}
    store.outcomes([{**said, "correct": int(at < right)} for at in range(right + wrong)])


def bars(store: Store, found: GuardBars) -> dict[str, Bar]:
    """Give the bars of this test's project by model version."""
    return {each.model_version: each.bar for each in found.all() if each.project == store.project}


def test_reviews_make_a_bar_for_each_version_that_answers(store: Store) -> None:
    """A version that nobody reviewed has none, and one that has gone is not spoken of."""
    store.calls(MONDAY - 2 * HOUR, 50)
    store.calls(MONDAY - 2 * HOUR, 5, model_version="m2")
    store.calls(MONDAY - 9 * DAY, 50, model_version="m0")
    verdicts(store, 0.9, right=99, wrong=1)
    verdicts(store, 0.6, right=60, wrong=40)
    verdicts(store, 0.9, right=100, wrong=0, model_version="m0")
    found = GuardBars(store.database, plans(store))

    assert found.refresh(MONDAY) is True

    known = bars(store, found)
    assert set(known) == {"m1", "m2"}
    assert (known["m1"].bar, known["m1"].low_bar, known["m1"].labels) == (0.9, 0.9, 200)
    assert known["m2"] == Bar()


def test_only_verdicts_that_can_be_believed_count(store: Store) -> None:
    """Feedback chooses itself, a judge is a model, the fallback is not the model; ground truth beats a review."""
    store.calls(MONDAY - 2 * HOUR, 50)
    verdicts(store, 0.9, right=100, wrong=0)
    verdicts(store, 0.9, right=0, wrong=100, kind="feedback")
    verdicts(store, 0.9, right=0, wrong=100, kind="judge")
    verdicts(store, 0.9, right=0, wrong=100, served_by="fallback")
    verdicts(store, 0.9, right=0, wrong=100, started_at=MONDAY - 91 * DAY)
    verdicts(store, 0.9, right=0, wrong=100, started_at=MONDAY - timedelta(hours=12))
    verdicts(store, 0.9, right=0, wrong=1, call_id="twice")
    verdicts(store, 0.9, right=1, wrong=0, call_id="twice", kind="ground_truth")
    verdicts(store, 0.9, right=1, wrong=0, served_by="fallback", is_probe=1)
    agreed = plans(store, labels={"delay": "2d"})
    store.database.insert("plans", agreed.to_rows(now=MONDAY))
    found = GuardBars(store.database, agreed)

    found.refresh(MONDAY)

    assert (bars(store, found)["m1"].labels, bars(store, found)["m1"].precision) == (102, 1.0)


def test_a_plan_without_a_floor_has_no_bar(store: Store) -> None:
    """What nobody asked for cannot be met."""
    store.calls(MONDAY - 2 * HOUR, 50)
    verdicts(store, 0.9, right=100, wrong=0)

    assert GuardBars(store.database, plans(store, quality={})).refresh(MONDAY) is False
    assert GuardBars(store.database, plans(store, quality={"floor": 3, "measure": "mae"})).refresh(MONDAY) is False


def test_a_bar_that_changes_is_kept_and_one_that_stays_is_not_written_again(store: Store) -> None:
    """People ask later why calls were verified that day."""
    store.calls(MONDAY - 2 * HOUR, 50)
    verdicts(store, 0.9, right=100, wrong=0)
    found = GuardBars(store.database, plans(store))

    changes = [found.refresh(MONDAY), found.refresh(MONDAY + HOUR)]

    [kept] = store.rows("SELECT * FROM evaluations WHERE project = {project:String} AND evaluator = 'guard_bar'")
    assert changes == [True, False]
    assert (kept["value"], kept["baseline"], kept["n"]) == (0.9, 0.9, 100)
