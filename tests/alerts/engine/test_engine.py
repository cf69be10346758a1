"""The engine over a real journal: slots, catch-up, failures, what sinks hear."""

from datetime import datetime
from typing import Any

import pytest


def test_a_tick_evaluates_journals_and_tells(kit: Any, database: Any) -> None:
    """The whole path, once: sample, event, state, run, guard before delivery."""
    order: list[str] = []

    class Named(kit.FakeSink):  # type: ignore[misc,name-defined]
        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

        def handle(self, events: Any, slot: datetime, *, live: bool) -> None:
            order.append(self.name)
            super().handle(events, slot, live=live)

    guard, delivery = Named("guard"), Named("delivery")
    world = kit.accuracy_by_day(0.8)
    engine = kit.make_engine(database, kit.make_book(kit.FLOOR_RULE), world, guard, delivery)

    report = engine.tick(kit.at(1.2), kit.at(1.2))

    assert order == ["guard", "delivery"]
    assert delivery.moves(live=True) == [("below-floor", "firing")]
    assert report.events[0].reason == "upper 0.81 < floor 0.9"
    assert engine.evaluated_through("default", "triage") == kit.at(1)
    (event,) = database.rows("SELECT * FROM alert_events FINAL")
    (state,) = database.rows("SELECT * FROM alert_state FINAL")
    (run,) = database.rows("SELECT * FROM rule_runs FINAL WHERE rule = 'below-floor'")
    (evaluation,) = database.rows("SELECT * FROM evaluations FINAL")
    assert event["incident"] == state["incident"] == report.events[0].incident
    assert (state["state"], state["severity"], state["slot"]) == ("firing", "page", kit.at(1))
    assert (run["state"], run["samples"], run["error"]) == ("done", 1, "")
    assert (evaluation["value"], evaluation["n"]) == (0.8, 1000)


def test_a_tick_with_nothing_due_asks_nothing(kit: Any, database: Any) -> None:
    """The loop ticks whenever a segment is loaded, many times a second."""
    world = kit.accuracy_by_day(0.95)
    engine = kit.make_engine(database, kit.make_book(kit.FLOOR_RULE), world)
    engine.tick(kit.at(1.2), kit.at(1.2))
    asked = len(world.calls)
    engine._query = engine._journal = None

    assert engine.tick(kit.at(1.9), kit.at(1.9)).slots == ()
    assert len(world.calls) == asked


def test_rules_that_share_an_evaluator_share_one_call_for_all_due_slots(kit: Any, database: Any) -> None:
    """Ninety slots in one query take two of ninety queries' time."""
    world = kit.accuracy_by_day(0.95, 0.95, 0.95, 0.95)
    other = kit.FLOOR_RULE.replace("below-floor", "other").replace("page", "ticket")
    engine = kit.make_engine(database, kit.make_book(kit.FLOOR_RULE, other), world)
    engine.tick(kit.at(1), kit.at(1))

    engine.tick(kit.at(4), kit.at(4))

    assert world.calls[1:] == [("accuracy", kit.at(1), kit.at(4), 86_400)]
    assert database.rows("SELECT count() AS n FROM evaluations")[0]["n"] == 4
    assert database.rows("SELECT count() AS n FROM rule_runs WHERE rule IN ('below-floor', 'other')")[0]["n"] == 8


def test_a_failed_evaluator_is_tried_again_and_harms_no_other(kit: Any, database: Any) -> None:
    """A slot that failed is not done; the rest of the night goes on; the failure is on record once."""

    def says(evaluator: str, slot: datetime) -> list[Any]:
        return [kit.sample(slot, 0.8, upper=0.81)] if evaluator == "accuracy" else [kit.sample(slot, 0.5)]

    world = kit.FakeWorld(says)
    sink = kit.FakeSink()
    engine = kit.make_engine(database, kit.make_book(kit.FLOOR_RULE, kit.DRIFT_RULE), world, sink)
    engine.tick(kit.at(1), kit.at(1))
    world.broken = {"accuracy"}

    reports = [engine.tick(kit.at(2), kit.at(2)) for _ in range(6)]

    assert "no such column" in reports[0].failed["below-floor"]
    assert [bool(report.failed) for report in reports] == [True, True, False, True, False, False], "ever more rarely"
    assert engine.evaluated_through() == kit.at(1)
    failed = database.rows("SELECT rule, state, error FROM rule_runs FINAL WHERE state = 'failed'")
    assert [(row["rule"], row["state"]) for row in failed] == [("below-floor", "failed")]
    (state,) = database.rows(
        "SELECT state, overlay FROM alert_state FINAL WHERE rule = 'below-floor' AND empty(labels)"
    )
    assert (state["state"], state["overlay"]) == ("firing", "error")

    world.broken = set()
    for _ in range(20):
        engine.tick(kit.at(2), kit.at(2))

    assert engine.evaluated_through() == kit.at(2)
    (state,) = database.rows(
        "SELECT state, overlay FROM alert_state FINAL WHERE rule = 'below-floor' AND empty(labels)"
    )
    assert (state["state"], state["overlay"]) == ("firing", "")
    own = [event.rule for _, _, told in sink.told for event in told if not event.labels]
    assert own == ["below-floor", "drift"]


def test_a_day_waits_for_its_references_and_the_hours_before_it_do_not(kit: Any, database: Any) -> None:
    """A day judged against a reference that could not be kept would be judged against the wrong one."""
    kept: list[datetime] = []
    trouble = [True]

    def maintain(day: datetime) -> None:
        if trouble[0]:
            raise ConnectionError("the store is away")
        kept.append(day)

    world = kit.FakeWorld(lambda _evaluator, _slot: [])
    book = kit.make_book(kit.FLOOR_RULE, kit.NULL_RULE)
    kit.write_hour(database, kit.DAY_0)
    engine = kit.make_engine(database, book, world, maintain=maintain, clock_mode="data")

    report = engine.tick(kit.at(1), kit.at(1))

    assert "the store is away" in report.failed["references"]
    assert report.slots[-1] == kit.at(1) - kit.HOUR
    assert engine.evaluated_through() is None

    trouble[0] = False
    engine.tick(kit.at(1), kit.at(1))

    assert kept == [kit.at(1)]
    assert engine.evaluated_through() == kit.at(1)


def test_state_is_restored_in_the_middle_of_a_for(kit: Any, database: Any) -> None:
    """A restart between two bad hours must not start the count again."""
    world = kit.FakeWorld(lambda _evaluator, slot: [kit.sample(slot, 0.5, labels={"field": "ink"})])
    book, sink = kit.make_book(kit.NULL_RULE), kit.FakeSink()
    kit.make_engine(database, book, world, sink).tick(kit.at(1), kit.at(1))

    kit.make_engine(database, book, world, sink).tick(kit.at(1) + kit.HOUR, kit.at(1) + kit.HOUR)

    assert sink.moves() == [("nulls", "pending"), ("nulls", "firing")]


def test_a_rule_that_was_removed_resolves_what_it_had_opened(kit: Any, database: Any) -> None:
    """Otherwise its incident would stay open for ever, and swallow the next."""
    sink = kit.FakeSink()
    world = kit.accuracy_by_day(0.8, 0.8)
    kit.make_engine(database, kit.make_book(kit.FLOOR_RULE), world, sink).tick(kit.at(1), kit.at(1))

    kit.make_engine(database, kit.make_book(kit.DRIFT_RULE), world, sink).tick(kit.at(1), kit.at(1))

    assert sink.moves(live=True) == [("below-floor", "firing"), ("below-floor", "resolved")]
    assert database.rows("SELECT state, incident FROM alert_state FINAL WHERE rule = 'below-floor'") == [
        {"state": "resolved", "incident": ""}
    ]


def test_a_rule_that_the_plan_no_longer_asks_for_resolves(kit: Any, database: Any) -> None:
    """A team that sets a floor hands over from accuracy-drop to accuracy-below-floor."""
    sink = kit.FakeSink()
    rule = kit.FLOOR_RULE.replace("upper < floor", "value < 0.9").replace("clear: value >= floor", "without: [floor]")
    world = kit.accuracy_by_day(0.8, 0.8)
    kit.make_engine(database, kit.make_book(rule), world, sink, plans=kit.make_plan(None)).tick(kit.at(1), kit.at(1))

    kit.make_engine(database, kit.make_book(rule), world, sink).tick(kit.at(2), kit.at(2))

    assert sink.moves(live=True) == [("below-floor", "firing"), ("below-floor", "resolved")]
    assert sink.told[-1][2][0].reason == "the plan no longer asks for this rule"


def test_evaluators_that_no_rule_reads_are_recorded_once_a_day(kit: Any, database: Any) -> None:
    """Charts read evaluations: the worst segment is in there although no rule pages on it."""
    world = kit.FakeWorld(lambda _evaluator, slot: [kit.sample(slot, 0.7)])
    engine = kit.make_engine(
        database, kit.make_book(kit.FLOOR_RULE), world, evaluators={"by_segment": kit.FakeEvaluator("by_segment")}
    )

    engine.tick(kit.at(1.5), kit.at(1.5))

    rows = database.rows("SELECT evaluator, value FROM evaluations ORDER BY evaluator")
    assert [row["evaluator"] for row in rows] == ["accuracy", "by_segment"]


@pytest.mark.parametrize("budget_currency", ["USD", "EUR"])
def test_a_budget_in_another_currency_is_not_compared(kit: Any, database: Any, budget_currency: str) -> None:
    """Twenty dollars are not twenty euros: unknown, never guessed."""
    from tocsin_alerts.plan import Plan, Plans
    from tocsin_alerts.plan_parts import Budget

    rule = "rule: cost\nsummary: s\nevaluator: cost_per_day\nseverity: ticket\nwhen: value > budget_per_day\n"
    plans = Plans.of(Plan(use_case="triage", budget=Budget(per_day=20, currency=budget_currency)))  # type: ignore[arg-type]
    world = kit.FakeWorld(lambda _evaluator, slot: [kit.sample(slot, 30.0, labels={"currency": "USD"})])
    sink = kit.FakeSink()

    kit.make_engine(database, kit.make_book(rule), world, sink, plans=plans).tick(kit.at(1), kit.at(1))

    assert sink.moves() == ([("cost", "firing")] if budget_currency == "USD" else [])


def test_a_rule_asks_for_more_where_many_use_cases_share_the_budget(kit: Any, database: Any) -> None:
    """Sixty streams with half a false page a year each: 7.5 times the budget, so 2 nats more than the rule says."""
    rule = "rule: nats\nsummary: s\nevaluator: accuracy\nseverity: page\nwhen: value >= 4 + strict\nfalse_pages_per_year: 0.5\n"
    count = dict.fromkeys(("probes", "errors", "retries", "unpriced", "confident", "cost"), 0)
    hour = {"project": "default", "hour": kit.at(0.5), "calls": 5, "served_by": "model", **count}
    database.insert("ai_calls_1h", [{**hour, "use_case": f"uc-{number}"} for number in range(60)])
    sink = kit.FakeSink()
    world = kit.FakeWorld(lambda _evaluator, slot: [kit.sample(slot, 5.0 if slot == kit.at(1) else 6.5)])
    engine = kit.make_engine(database, kit.make_book(rule), world, sink)

    engine.tick(kit.at(1), kit.at(1))
    engine.tick(kit.at(2), kit.at(2))

    assert sink.moves() == [("nats", "firing")]
    assert sink.told[-1][2][0].reason == "value 6.5 >= 6.015"
