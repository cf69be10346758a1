"""Plans: the five questions, the form, the table."""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin_alerts import documents
from tocsin_alerts.errors import DocumentError
from tocsin_alerts.plan import Plan, Plans, render_yaml
from tocsin_alerts.plan_form import FORM

ANSWERS: dict[str, Any] = {
    "use_case": "digit-reader",
    "quality.measure": "accuracy",
    "quality.floor": 0.9,
    "quality.tolerate": "1d",
    "labels.delay": timedelta(days=5),
    "segments": ["device"],
    "owner": "vision: the team # 1",
    "contact": "007",
    "runbook": {"link": "https://wiki.example.com/x", "first_steps": ["look: twice", "off"]},
    "retraining.trigger.metric": "accuracy",
    "retraining.trigger.threshold": "0.88",
    "retraining.action": "retrain",
    "retraining.owner": "ml",
    "fallback.description": "answers read “manual review needed”\nnothing else",
    "guard.mode": "automatic",
    "budget.per_day": "20",
    "budget.currency": "USD",
}


def read(text: str) -> Plan:
    """Read a plan's text."""
    return documents.parse(text, path="plan.yaml").into(Plan)


def test_a_plan_needs_only_a_name_and_leaves_the_rest_open() -> None:
    """What nobody decided is shown as open, never guessed."""
    plan = read("use_case: triage\n")

    assert [len(question.missing) > 0 for question in plan.questions()] == [True] * 5
    assert plan.quality.floor is None
    assert plan.guard.mode == "shadow"
    assert plan.label_delay == timedelta(0)


def test_each_answer_closes_its_question() -> None:
    """The five questions of plan init are the five shown as unanswered."""
    plan = read("use_case: triage\nquality: {measure: accuracy, floor: 0.9}\nowner: a\ncontact: b\n")

    wrong, happens, retraining, fallback, cost = plan.questions()

    assert wrong.is_answered
    assert happens.missing == ("runbook",)
    assert retraining.missing[0] == "retraining.trigger.metric"
    assert fallback.missing == ("fallback.description",)
    assert cost.missing == ("budget.per_day", "budget.currency")
    assert len(plan.unanswered()) == 4


def test_the_form_writes_what_the_loader_reads() -> None:
    """What plan init writes must never be refused by plan check."""
    plan = read(render_yaml(ANSWERS))

    assert plan.owner == "vision: the team # 1"
    assert plan.contact == "007"
    assert plan.quality.tolerate == timedelta(days=1)
    assert plan.labels.delay == timedelta(days=5)
    assert plan.runbook.first_steps == ["look: twice", "off"]
    assert plan.retraining.trigger.threshold == 0.88
    assert plan.fallback.description == "answers read “manual review needed”\nnothing else"
    assert plan.budget.per_day == Decimal(20)
    assert plan.unanswered() == []


def test_an_empty_form_is_an_open_plan_with_every_key_as_an_example() -> None:
    """A team edits the file later: each key stands there with an example, and uncommenting it works."""
    text = render_yaml({"use_case": "triage"})

    assert read(text) == Plan(use_case="triage")
    uncommented = "\n".join(
        line.removeprefix("# ") if line.startswith(("# ", "#   ")) and ":" in line else line
        for line in text.splitlines()
    )
    assert read(uncommented.replace("Privacy: none", "# Privacy: none")).unanswered() == []
    assert all(blank.key.split(".")[-1] in text for _, blanks in FORM for blank in blanks)


@given(st.text(min_size=1, max_size=30))
def test_any_answer_survives_the_form(answer: str) -> None:
    """Owners have colons, hashes, quotes and emoji in them."""
    assert read(render_yaml({"use_case": "x", "owner": answer})) == Plan(use_case="x", owner=answer)


def test_a_folder_of_plans_is_read_whole(tmp_path: Path) -> None:
    """Two files for one use case are a mistake; a use case without a file has an anonymous plan."""
    (tmp_path / "a.yaml").write_text("use_case: triage\nowner: a\n")
    (tmp_path / "b.yaml").write_text("use_case: reader\nproject: other\n")

    plans = Plans.load(tmp_path)

    assert plans.get("default", "triage").owner == "a"
    assert plans.is_declared("other", "reader")
    assert not plans.is_declared("default", "reader")
    assert plans.get("default", "reader") == Plan(use_case="reader")
    assert len(Plans.load(tmp_path / "none")) == 0

    (tmp_path / "c.yaml").write_text("use_case: triage\n")
    (tmp_path / "d.yaml").write_text("usecase: triage\n")
    with pytest.raises(DocumentError) as caught:
        Plans.load(tmp_path)
    assert len(caught.value.findings) == 3


def test_a_plan_is_a_row_of_plans(database: Any) -> None:
    """Evaluators read budget, floor and label delay from the table."""
    from datetime import UTC, datetime

    plan = read(render_yaml(ANSWERS))

    database.insert("plans", Plans.of(plan, Plan(use_case="open")).to_rows(now=datetime(2026, 3, 1, tzinfo=UTC)))

    rows = database.rows("SELECT * FROM plans FINAL ORDER BY use_case")
    assert rows[0]["label_delay_s"] == 5 * 86_400
    assert rows[0]["budget_per_day"] == Decimal(20)
    assert Plan.model_validate_json(rows[0]["plan"]) == plan
    assert rows[1]["quality_floor"] is None
    assert rows[1]["budget_per_day"] is None
