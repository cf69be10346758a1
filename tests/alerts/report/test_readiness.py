"""The five questions: green only with an answer in the plan and evidence in the data."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tocsin_alerts.channels import LogChannel, WebhookChannel
from tocsin_alerts.evaluator import load_evaluators
from tocsin_alerts.plan import Plan, Plans
from tocsin_alerts.plan_parts import Budget, Fallback, Quality, Rates, Retraining, RetrainingTrigger, Routes, Runbook
from tocsin_alerts.report.facts import Facts, Reached, Verified, gather, takes_pages
from tocsin_alerts.report.readiness import Readiness, document, readiness
from tocsin_alerts.rules import load_rules
from tocsin_collector.store.database import Database

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
YESTERDAY = NOW - timedelta(days=1)
PLAN = Plan(
    use_case="digits",
    quality=Quality(measure="accuracy", floor=0.9),
    owner="vision",
    contact="vision@example.com",
    runbook=Runbook(first_steps=["look"]),
    retraining=Retraining(trigger=RetrainingTrigger(metric="accuracy", threshold=0.88), action="train", owner="ml"),
    fallback=Fallback(description="a person reads it"),
    budget=Budget(per_day=Decimal(20), currency="USD"),
    rates=Rates(review_per_hour=Decimal(40), support_per_hour=Decimal(55), incident_per_hour=Decimal(90)),
)
RUN = {"run": "3f9c20aa11bb", "slot": YESTERDAY, "state": "done", "said": "HTTP 204", "result": ""}
TRIGGER = {"trigger": "accuracy below 0.88 for 1d", "problem": "", "action": "webhook", "owner": "ml", "runs": [RUN]}
PROVEN = Facts(
    plan=PLAN,
    is_planned=True,
    calls=2_800,
    confident=2_800,
    cost={"USD": 28.0},
    days=28.0,
    last_call=NOW - timedelta(hours=1),
    reference_until=NOW - timedelta(days=30),
    verified=(Verified(evaluator="accuracy", slot=YESTERDAY, value=0.94, lower=0.92, upper=0.96, n=400),),
    page_rules=("accuracy-below-floor",),
    guard_rules=("accuracy-below-floor",),
    channels=(Reached(channel="oncall", at=YESTERDAY, by="a test"),),
    bar=0.8,
    fallback_calls=3,
    flipped_at=YESTERDAY,
    flipped_by="ana",
    retraining=TRIGGER,
)
KNOW, THEN, RETRAIN, FALLBACK, COST = range(5)


def answered(facts: Facts) -> Readiness:
    """Ask it now."""
    return readiness(facts, at=NOW, now=NOW)


def test_a_use_case_with_a_plan_and_evidence_for_all_of_it_is_ready() -> None:
    """Else no use case ever passes, and people learn to ignore the report."""
    found = answered(PROVEN)

    assert found.is_ready, document(found)
    assert found.answers[KNOW].evidence.startswith("the plan answers it; 2,800 calls in 28 days, 100% with confidence")
    assert "accuracy 94.0% (92.0% to 96.0%) on 400 labels, 2026-03-01" in found.answers[KNOW].evidence
    assert "1.00 USD a day of 20 USD, every call priced" in found.answers[COST].evidence
    assert all(answer.command == "" for answer in found.answers)


@pytest.mark.parametrize(
    ("without", "question", "said", "command"),
    [
        ({"last_call": None, "calls": 0}, KNOW, "no call has arrived", "tocsin doctor"),
        ({"last_call": NOW - timedelta(days=9)}, KNOW, "no call since 2026-02-21", "tocsin doctor"),
        ({"verified": ()}, KNOW, "no outcomes of the last window", "tocsin review --use-case digits"),
        ({"page_rules": ()}, KNOW, "no page rule watches it", "tocsin rules list"),
        ({"failing_rules": ("accuracy-drop",)}, KNOW, "accuracy-drop cannot be evaluated", "tocsin rules check"),
        ({"channels": ()}, KNOW, "no channel takes its pages", "write channels into tocsin.yaml, then restart it"),
        (
            {"channels": (Reached(channel="oncall", at=NOW - timedelta(days=91), by="a page"),)},
            KNOW,
            "nothing has reached oncall in 90 days",
            "tocsin alerts test-notify oncall",
        ),
        ({"reference_until": None}, KNOW, "no reference", "tocsin reference load FILE --use-case digits"),
        ({"guard_rules": ()}, THEN, "no rule that applies to it trips its guard", "tocsin rules list"),
        ({"confident": 0}, THEN, "send no confidence", "tocsin doctor"),
        ({"bar": None}, THEN, "too little is reviewed", "tocsin review --use-case digits"),
        ({"retraining": {**TRIGGER, "runs": []}}, RETRAIN, "never set off", "tocsin retraining start digits"),
        (
            {"retraining": {**TRIGGER, "runs": [{**RUN, "state": "manual"}]}},
            RETRAIN,
            "nobody has said what came of it",
            "tocsin retraining close 3f9c20aa11 RESULT",
        ),
        ({"retraining": {**TRIGGER, "problem": "no such evaluator"}}, RETRAIN, "cannot fire", "tocsin plan check"),
        ({"retraining": {}}, RETRAIN, "no trigger can fire", "tocsin retraining --use-case digits"),
        ({"fallback_calls": 0}, FALLBACK, "never served a call", "tocsin guard set digits fallback"),
        ({"flipped_at": None}, FALLBACK, "never put into fallback", "tocsin guard set digits fallback"),
        ({"unpriced": 7}, COST, "7 of 2,800 calls have no price", "tocsin prices ls"),
    ],
)
def test_what_was_never_seen_is_not_proven(without: dict[str, Any], question: int, said: str, command: str) -> None:
    """A green light without evidence is what this product exists to end: each piece that is missing must turn it red."""
    answer = answered(replace(PROVEN, **without)).answers[question]

    assert answer.is_answered
    assert not answer.is_proven
    assert said in answer.evidence
    assert answer.command.startswith(command)


@pytest.mark.parametrize(
    ("changed", "question", "key"),
    [
        ({"quality": Quality(measure="accuracy")}, KNOW, "quality.floor"),
        ({"owner": None}, THEN, "owner"),
        ({"fallback": Fallback()}, FALLBACK, "fallback.description"),
        ({"budget": Budget()}, COST, "budget.per_day"),
        ({"rates": Rates(review_per_hour=Decimal(1))}, COST, "rates.support_per_hour"),
    ],
)
def test_what_the_plan_leaves_open_is_unanswered_though_proven(
    changed: dict[str, Any], question: int, key: str
) -> None:
    """Data cannot say who is called, or what is too dear."""
    plan = PLAN.model_copy(update=changed)

    answer = answered(replace(PROVEN, plan=plan)).answers[question]

    assert (answer.is_answered, answer.is_proven) == (False, True)
    assert key in answer.evidence
    assert answer.command == f"write {key} into use_cases/digits.yaml, then: tocsin plan check"


def test_without_confidence_labels_alone_may_prove_quality_but_nothing_can_be_verified() -> None:
    """A model that gives no confidence can still be watched by its labels; its guard has nothing to go by."""
    found = answered(replace(PROVEN, confident=0))

    assert found.answers[KNOW].is_green
    assert not found.answers[THEN].is_green


def test_names_are_quoted_in_commands() -> None:
    """A command is pasted into a shell, and a use case may be called anything."""
    plan = PLAN.model_copy(update={"use_case": "it's $(here)", "project": "b"})

    command = answered(replace(PROVEN, plan=plan, verified=())).answers[KNOW].command

    assert command == "tocsin review --use-case 'it'\"'\"'s $(here)' --project b"


def test_a_log_reaches_nobody() -> None:
    """A page that only a log file takes wakes nobody."""
    assert not takes_pages(LogChannel(), PLAN)
    assert takes_pages(WebhookChannel(name="oncall", url="https://x"), PLAN)
    routed = PLAN.model_copy(update={"routes": Routes(page=["other"])})
    assert not takes_pages(WebhookChannel(name="oncall", url="https://x"), routed)


def test_the_facts_are_read_from_the_tables(database: Database) -> None:
    """The mapping of columns to facts is where a green light would come from nowhere."""
    hour = NOW.replace(minute=0)
    calls = {"project": "default", "use_case": "digits", "segment_name": "", "currency": "USD", "cost": "0"}
    database.insert(
        "ai_calls_1h",
        [
            {
                **calls,
                "hour": hour - timedelta(hours=1),
                "served_by": "model",
                "calls": 90,
                "confident": 81,
                "cost": "4.5",
            },
            {**calls, "hour": hour - timedelta(days=40), "served_by": "model", "calls": 500, "confident": 1},
        ],
    )
    database.insert(
        "ai_calls_1h",
        [{**calls, "hour": hour - timedelta(days=3), "served_by": "fallback", "calls": 7, "probes": 2, "unpriced": 7}],
    )
    sample = {"project": "default", "use_case": "digits", "slot": YESTERDAY, "evaluator_hash": "h", "evaluated_at": NOW}
    database.insert(
        "evaluations",
        [
            {**sample, "evaluator": "accuracy", "labels": {"model_version": "1"}, "value": 0.9, "n": 40},
            {**sample, "evaluator": "accuracy", "labels": {"model_version": "2"}, "value": 0.5, "n": 5},
            {**sample, "evaluator": "guard_bar", "labels": {}, "value": 0.7, "n": 60},
        ],
    )
    flip = {"project": "default", "use_case": "digits", "state": "fallback", "mode": "manual", "actor": "ana"}
    database.insert("guard_events", [{**flip, "version": 1, "applied": 1, "since": YESTERDAY, "at": YESTERDAY}])
    database.insert("guard_events", [{**flip, "version": 2, "applied": 0, "since": NOW, "at": NOW}])
    test = {"id": "1", "at": YESTERDAY, "actor": "tocsin", "action": "channel test", "subject": "oncall"}
    database.insert("audit_log", [{**test, "detail": "taken"}, {**test, "id": "2", "at": NOW, "detail": "refused"}])
    database.insert(
        "reference_windows", [{"project": "default", "use_case": "digits", "kind": "calls", "until": YESTERDAY, "n": 9}]
    )

    [digits, other] = gather(
        database,
        plans=Plans.of(PLAN, Plan(use_case="other")),
        rules=list(load_rules(evaluators=load_evaluators())),
        channels=(WebhookChannel(name="oncall", url="https://x"), LogChannel()),
        retraining=[{"project": "default", "use_case": "digits", **TRIGGER}],
        failing=["accuracy-below-floor"],
        at=NOW,
    )

    assert (digits.calls, digits.confident, digits.unpriced, digits.cost) == (90, 81, 0, {"USD": 4.5})
    assert (digits.fallback_calls, digits.probes) == (5, 2)
    assert digits.last_call == hour - timedelta(hours=1)
    assert [(each.value, each.n) for each in digits.verified] == [(0.9, 40)]
    assert digits.bar == pytest.approx(0.7)
    assert (digits.flipped_at, digits.flipped_by) == (YESTERDAY, "ana")
    assert digits.channels == (Reached(channel="oncall", at=YESTERDAY, by="a test"),)
    assert digits.reference_until is not None
    assert digits.failing_rules == ("accuracy-below-floor",)
    assert "accuracy-below-floor" in digits.page_rules
    assert digits.retraining["trigger"] == TRIGGER["trigger"]
    assert (other.calls, other.last_call, other.verified, other.reference_until) == (0, None, (), None)
