"""Tocsin's own alerts go the way of all others, but do not wait for the data that they may be about."""

from dataclasses import dataclass
from typing import Any

from tocsin_alerts.channels import LogChannel, WebhookChannel
from tocsin_alerts.incidents import Member
from tocsin_alerts.plan import Plan
from tocsin_alerts.records import AlertEvent
from tocsin_alerts.rules import RuleBook
from tocsin_alerts.telling import hears

OWN_RULE = """
rule: tocsin-evaluation-stuck
summary: nothing is evaluated
evaluator: tocsin_slots
every: 5m
severity: page
group: tocsin
when: value >= 7800
"""


def engine_over(kit: Any, database: Any, *sinks: Any, **given: Any) -> Any:
    """Make an engine with one rule over data, and one over tocsin itself that speaks of the last three hours."""

    @dataclass(frozen=True)
    class OfNow(kit.FakeEvaluator):  # type: ignore[misc]  # the kit is no module that mypy sees
        is_of_now: bool = True

    own = kit.make_rule(OWN_RULE, tocsin_slots=OfNow("tocsin_slots"))
    floor = kit.make_rule(kit.FLOOR_RULE)
    world = kit.FakeWorld(
        lambda evaluator, slot: [kit.sample(slot, 9000.0, use_case="tocsin")] if evaluator == "tocsin_slots" else []
    )
    return kit.make_engine(
        database, RuleBook({rule.name: rule for rule in (own, floor)}), world, *sinks, **given
    ), world


def test_what_tocsin_sees_in_itself_does_not_wait_for_data(kit: Any, database: Any) -> None:
    """A collector that hangs holds the watermark: a rule about that which waited for it would never run."""
    sink = kit.FakeSink()
    engine, world = engine_over(kit, database, sink)

    engine.tick(kit.at(3), kit.at(1))

    assert sink.moves(live=True) == [("tocsin-evaluation-stuck", "firing")]
    engine.tick(kit.at(3.5), kit.at(1))
    assert world.calls[-1] == ("tocsin_slots", kit.at(3.5) - 300 * kit.HOUR / 3600, kit.at(3.5), 300), (
        "its newest slot alone"
    )


def test_history_is_not_asked_about_tocsin(kit: Any, database: Any) -> None:
    """On the data's clock now is a year ago, when this process was not there."""
    kit.write_hour(database, kit.DAY_0)
    engine, world = engine_over(kit, database, clock_mode="data")

    engine.tick(kit.at(2), kit.at(2))

    assert {name for name, *_ in world.calls} == {"accuracy"}


def test_rounds_count_as_advances_unless_evaluation_is_stuck(kit: Any, database: Any) -> None:
    """The switch outside must not be told that all is well because tocsin looks at itself every five minutes."""
    healthy = kit.make_engine(database, kit.make_book(kit.FLOOR_RULE), kit.accuracy_by_day(0.95, 0.95))
    assert healthy.tick(kit.at(1), kit.at(1)).advanced
    assert not healthy.tick(kit.at(1), kit.at(1)).advanced, "nothing was due"

    stuck, _ = engine_over(kit, database, epoch=2)
    assert not stuck.tick(kit.at(3), kit.at(1)).advanced


def test_a_round_in_which_everything_failed_is_no_advance(kit: Any, database: Any) -> None:
    """A store that answers nothing still lets the loop turn."""
    world = kit.accuracy_by_day(0.95)
    world.broken = {"accuracy"}

    assert not kit.make_engine(database, kit.make_book(kit.FLOOR_RULE), world).tick(kit.at(1), kit.at(1)).advanced


def test_a_run_says_what_it_read_and_whether_it_was_asked(kit: Any, database: Any) -> None:
    """Ran and saw nothing is a state of its own: neither silence nor health."""
    kit.write_hour(database, kit.DAY_0)

    def asks(_evaluator: str, _slot: Any) -> list[Any]:
        database.rows("SELECT sum(calls) FROM ai_calls_1h")
        return []

    kit.make_engine(database, kit.make_book(kit.FLOOR_RULE), kit.FakeWorld(asks)).tick(kit.at(1), kit.at(1))

    (run,) = database.rows("SELECT state, asked, samples, rows_read FROM rule_runs WHERE rule = 'below-floor'")
    assert run == {"state": "done", "asked": 1, "samples": 0, "rows_read": 1}


def test_that_a_channel_fails_is_told_on_every_other(kit: Any) -> None:
    """On the failing one nobody would ever hear of it, and the others may be for tickets only."""
    rule = kit.make_rule(
        OWN_RULE.replace("evaluation-stuck", "undelivered"), tocsin_slots=kit.FakeEvaluator("tocsin_slots")
    )
    pager, log = WebhookChannel(name="pager", url="http://x"), LogChannel(name="log", severities=("log",))
    facts = dict.fromkeys(AlertEvent.__dataclass_fields__, None)
    event = {**facts, "rule": rule.name, "severity": "page", "labels": {"channel": "pager"}}
    book, plan = RuleBook({rule.name: rule}), Plan(use_case="tocsin")

    def heard(use_case: str) -> list[str]:
        fired = AlertEvent(**{**event, "use_case": use_case})  # type: ignore[arg-type]  # only what is asked for
        member = Member(fired=fired, last=fired, onset=kit.DAY_0)
        return [channel.name for channel in (pager, log) if hears(channel, member, plan, book)]

    assert heard("tocsin") == ["log"]
    assert heard("shop") == ["pager"], "a label of that name elsewhere means nothing"
