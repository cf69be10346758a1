"""The word for each use case. Nothing is right without evidence."""

from datetime import timedelta
from typing import Any

import pytest


@pytest.fixture
def standing(kit: Any, database: Any) -> Any:
    """Tick once over a world with 10 days of calls and give the status of the default use case."""

    def run(
        accuracy: Any = None,
        estimate: Any = None,
        *,
        reference: bool = True,
        floor: float | None = 0.9,
        hours: int = 240,
        calls: int = 50,
        confident: int = 50,
        rules: tuple[str, ...] | None = None,
        reviewed: Any = None,
    ) -> Any:
        def says(evaluator: str, slot: Any) -> list[Any]:
            given = {"accuracy": accuracy, "estimated_accuracy": estimate, "reviewed_accuracy": reviewed}.get(evaluator)
            return [kit.sample(slot, **given)] if given else []

        for hour in range(0, hours, 24):
            row = {
                "hour": kit.DAY_0 + timedelta(hours=hour),
                "calls": calls,
                "confident": confident,
                "segment_name": "",
                "served_by": "model",
            }
            database.insert("ai_calls_1h", [{"project": "default", "use_case": "triage", **row}])
        if reference:
            window = {
                "since": kit.DAY_0 - 28 * kit.DAY,
                "until": kit.DAY_0,
                "kind": "calls",
                "n": 9000,
                "frozen_at": kit.DAY_0,
            }
            database.insert("reference_windows", [{"project": "default", "use_case": "triage", **window}])
        estimated = kit.DRIFT_RULE.replace("drift", "estimate").replace("input_psi", "estimated_accuracy")
        book = kit.make_book(*(rules or (kit.FLOOR_RULE, estimated.replace(">= 0.1", "< 0.1"))))
        beside = {"reviewed_accuracy": kit.EVALUATORS["reviewed_accuracy"]}  # no rule reads it
        engine = kit.make_engine(database, book, kit.FakeWorld(says), plans=kit.make_plan(floor), evaluators=beside)
        now = kit.DAY_0 + 10 * kit.DAY
        engine.tick(now, now)
        (status,) = engine.status()
        return status

    return run


def test_labels_above_the_floor_are_right(standing: Any) -> None:
    """The one way to green: outcomes."""
    status = standing({"value": 0.94, "lower": 0.92, "upper": 0.955, "n": 700})

    assert (status.verdict, status.reason) == ("right", "accuracy 94.0% on 700 labelled calls, floor 90.0%")
    assert status.accuracy.lower == 0.92
    assert status.unanswered == 5


@pytest.mark.parametrize(
    ("accuracy", "given", "verdict", "reason"),
    [
        (None, {}, "unverified", "no outcomes in the last label window"),
        ({"value": 1.0, "n": 12}, {}, "unverified", "12 outcomes in the last label window: too few to say"),
        ({"value": None, "n": 0}, {}, "unverified", "no outcomes in the last label window"),
        (
            {"value": 0.89, "upper": 0.91, "n": 700},
            {},
            "drifting",
            "accuracy 89.0% on 700 labelled calls is below the floor of 90.0%, though not yet beyond doubt",
        ),
        (
            {"value": 0.94, "baseline": 0.95},
            {"floor": None},
            "right",
            "accuracy 94.0% on 1000 labelled calls, reference 95.0%",
        ),
        (
            {"value": 0.94},
            {"floor": None},
            "unverified",
            "accuracy 94.0% on 1000 labelled calls, but neither a floor nor a labelled reference to hold it against",
        ),
        (
            None,
            {"reference": False, "hours": 49, "calls": 46},
            "collecting",
            "collecting reference: 138 of 200 calls, day 3 of 28",
        ),
        (None, {"reference": False}, "collecting", "collecting reference: 500 calls, day 10 of 28"),
        (None, {"reference": False, "hours": 0}, "collecting", "no calls yet"),
    ],
)
def test_without_enough_evidence_nothing_is_green(
    standing: Any, accuracy: Any, given: dict[str, Any], verdict: str, reason: str
) -> None:
    """Silence, few labels, no reference, nothing to compare with: each says so."""
    status = standing(accuracy, **given)

    assert (status.verdict, status.reason) == (verdict, reason)


def test_an_estimate_does_not_verify_but_is_said(standing: Any) -> None:
    """Nothing label-free can see concept drift: an estimate is never green."""
    status = standing(None, {"value": 0.931, "n": 14000})

    assert status.verdict == "unverified"
    assert status.reason == "no outcomes in the last label window; estimated without labels: 93.1%"


def test_an_alert_on_labels_is_wrong_and_any_other_drifting(standing: Any) -> None:
    """The rule says which word its alert stands for; a cost alert stands for none."""
    low = {"value": 0.8, "upper": 0.82, "n": 700}
    status = standing(low)
    assert status.verdict == "wrong"
    assert status.reason == "accuracy is below the floor (below-floor, since 2026-03-11 00:00)"
    assert [alert.rule for alert in status.alerts] == ["below-floor"]


@pytest.mark.parametrize(("word", "verdict"), [("drifting", "drifting"), ("none", "right")])
def test_a_rule_chooses_its_word(kit: Any, standing: Any, word: str, verdict: str) -> None:
    """Cost over budget is an alert, and no statement about quality."""
    rule = kit.FLOOR_RULE.replace("upper < floor", "n > 1").replace("verdict: wrong", f"verdict: {word}")

    assert standing({"value": 0.95, "n": 700}, rules=(rule,)).verdict == verdict


def test_without_confidence_only_people_can_say(standing: Any) -> None:
    """No estimate will ever come: the team has to review, and should not wait for one."""
    status = standing(None, confident=0)

    assert status.verdict == "unverified"
    assert status.reason.endswith("its calls give no confidence: reviews or judge only")


@pytest.mark.parametrize(
    ("n", "verdict", "reason"),
    [
        (60, "right", "accuracy 93.0% on 60 reviewed calls, floor 90.0%"),
        (49, "unverified", "no outcomes in the last label window"),
    ],
)
def test_reviews_verify_what_nobody_labels(standing: Any, n: int, verdict: str, reason: str) -> None:
    """Twenty outputs a week are what most teams have: enough of them are evidence, by what they stand for."""
    status = standing(None, reviewed={"value": 0.93, "n": n})

    assert status.verdict == verdict
    assert status.reason.startswith(reason)


def test_labels_speak_before_reviews(standing: Any) -> None:
    """They are of every call, and of this week."""
    status = standing({"value": 0.95, "n": 700}, reviewed={"value": 0.5, "n": 80})

    assert status.reason.startswith("accuracy 95.0% on 700 labelled calls")
