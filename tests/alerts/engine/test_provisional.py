"""What leans on a provisional reference is a ticket, and becomes a page once the reference is whole."""

from typing import Any

import pytest

from tocsin_alerts.board import Board
from tocsin_alerts.evaluator import load_evaluators
from tocsin_alerts.plan import Plan, Plans
from tocsin_alerts.plan_parts import Quality
from tocsin_alerts.provisional import Provisional
from tocsin_alerts.rules import load_rules
from tocsin_alerts.series import Batch

DROP = "rule: drop\nsummary: s\nevaluator: accuracy\nseverity: page\nwhen: drop >= 0.02\n"
FLOOR = "rule: floor\nsummary: s\nevaluator: accuracy\nseverity: page\nwhen: value < floor\n"


def made_of(kit: Any, **origins: str) -> Provisional:
    """References of the default use case, by model."""
    return Provisional(
        {
            "project": "default",
            "use_case": "triage",
            "model_version": model,
            "prompt_version": "",
            "ends": kit.DAY_0,
            "made_of": origin,
        }
        for model, origin in origins.items()
    )


def step(kit: Any, board: Board, rule: Any, day: int, value: float, *, model: str | None = "m1") -> list[Any]:
    """Take one day of one version in."""
    labels = {} if model is None else {"model_version": model}
    slot = kit.DAY_0 + day * kit.DAY
    return board.take(slot, [Batch(rule=rule, samples=[kit.sample(slot, value, baseline=0.94, labels=labels)])])


@pytest.mark.parametrize(
    ("origins", "model", "severity"),
    [
        ({"m1": ""}, "m1", "page"),
        ({"m1": "calls"}, "m1", "ticket"),
        ({"m1": "rows"}, "m1", "ticket"),
        ({"m1": "rows"}, "m2", "ticket"),
        ({"m1": "", "m2": "calls"}, "m1", "page"),
        ({"m1": "", "m2": "calls"}, "m2", "ticket"),
        ({"m1": "rows"}, None, "ticket"),
        ({"m1": "", "m2": "calls"}, None, "page"),
        ({"m2": "calls"}, None, "page"),
        ({}, "m1", "page"),
    ],
)
def test_a_page_that_leans_on_a_provisional_reference_is_a_ticket(
    kit: Any, origins: dict[str, str], model: str | None, severity: str
) -> None:
    """Training rows know no ordinary week: nobody is woken by them. What comes from whole weeks still pages."""
    rule = kit.make_rule(DROP)
    board = Board((), book=kit.make_book(DROP), plans=Plans(), provisional=made_of(kit, **origins))

    [event] = step(kit, board, rule, 1, 0.8, model=model)

    assert (event.to_state, event.severity) == ("firing", severity)


def test_what_the_plan_says_pages_whatever_the_reference(kit: Any) -> None:
    """A floor is no reference: on day one already a model below it is wrong."""
    plans = Plans.of(Plan(use_case="triage", quality=Quality(floor=0.9)))
    board = Board((), book=kit.make_book(FLOOR), plans=plans, provisional=made_of(kit, m1="rows"))

    [event] = step(kit, board, kit.make_rule(FLOOR), 1, 0.8)

    assert event.severity == "page"


def test_a_ticket_that_still_holds_becomes_a_page_once_the_reference_is_whole(kit: Any) -> None:
    """Or four weeks of trouble would never have woken anybody, since it began too early."""
    rule = kit.make_rule(DROP)
    board = Board((), book=kit.make_book(DROP), plans=Plans(), provisional=made_of(kit, m1="calls"))
    [first] = step(kit, board, rule, 1, 0.8)
    board = board.copy(provisional=made_of(kit, m1=""))

    [ended] = step(kit, board, rule, 2, 0.8)
    [paged] = step(kit, board, rule, 3, 0.8)

    assert [(each.to_state, each.severity) for each in (first, ended, paged)] == [
        ("firing", "ticket"),
        ("resolved", "ticket"),
        ("firing", "page"),
    ]
    assert first.incident == ended.incident != paged.incident


def test_a_page_that_is_open_stays_one(kit: Any) -> None:
    """A reference that is frozen anew in the middle of an incident must not take the page back."""
    rule = kit.make_rule(DROP)
    board = Board((), book=kit.make_book(DROP), plans=Plans(), provisional=made_of(kit, m1=""))
    [opened] = step(kit, board, rule, 1, 0.8)
    board = board.copy(provisional=made_of(kit, m1="calls"))

    assert step(kit, board, rule, 2, 0.8) == []
    [resolved] = step(kit, board, rule, 3, 0.94)

    assert (resolved.severity, resolved.incident) == ("page", opened.incident)


def test_which_shipped_page_rules_lean_on_a_reference() -> None:
    """Those that hold against a plan or a measurement alone do not."""
    leaning = {rule.name for rule in load_rules(evaluators=load_evaluators()) if rule.leans_on_reference}

    assert {"accuracy-drop", "confidence-shift", "estimated-accuracy-drop", "null-rate", "freshness"} <= leaning
    assert leaning.isdisjoint({"accuracy-below-floor", "cost-far-over-budget"})


def test_the_engine_asks_what_references_are_made_of(kit: Any, database: Any) -> None:
    """Through the store: an early reference makes the engine's alert a ticket, and the guard stays as it is."""
    window = {
        "model_version": "m1",
        "since": kit.DAY_0,
        "until": kit.DAY_0,
        "kind": "calls",
        "n": 300,
        "frozen_at": kit.DAY_0,
    }
    database.insert("reference_windows", [{"project": "default", "use_case": "triage", **window, "origin": "calls"}])
    world = kit.FakeWorld(
        lambda _name, slot: [kit.sample(slot, 0.8, baseline=0.94, labels={"model_version": "m1", "prompt_version": ""})]
    )
    engine = kit.make_engine(database, kit.make_book(DROP), world)
    now = kit.DAY_0 + 2 * kit.DAY

    report = engine.tick(now, now)

    assert [(event.to_state, event.severity) for event in report.events] == [("firing", "ticket")]
