"""Which slots are taken in, in which order, and what sinks hear of old ones."""

from datetime import datetime
from typing import Any


def test_after_downtime_old_slots_are_noted_and_one_notice_says_where_things_stand(kit: Any, database: Any) -> None:
    """Nobody is paged for last week, and whoever is still concerned hears of it once."""
    world = kit.accuracy_by_day(0.95, 0.8, 0.95, 0.8, 0.8, 0.8)
    sink = kit.FakeSink()
    engine = kit.make_engine(database, kit.make_book(kit.FLOOR_RULE), world, sink)
    engine.tick(kit.at(1), kit.at(1))

    engine.tick(kit.at(6), kit.at(6))

    assert sink.moves(live=False) == [("below-floor", "firing"), ("below-floor", "resolved"), ("below-floor", "firing")]
    assert sink.moves(live=True) == [("below-floor", "firing")]
    assert sink.told[-1][0] == kit.at(6)
    assert sink.told[-1][2][0].slot == kit.at(4), "the notice says since when"


def test_a_page_that_ended_during_downtime_is_resolved_once(kit: Any, database: Any) -> None:
    """Somebody was told that it began: they must hear that it is over. What began and ended unheard stays unheard."""
    world = kit.accuracy_by_day(0.8, 0.8, 0.95, 0.8, 0.95, 0.95)
    sink = kit.FakeSink()
    engine = kit.make_engine(database, kit.make_book(kit.FLOOR_RULE), world, sink)
    engine.tick(kit.at(1), kit.at(1))

    kit.make_engine(database, kit.make_book(kit.FLOOR_RULE), world, sink).tick(kit.at(6), kit.at(6))

    assert sink.moves(live=True) == [("below-floor", "firing"), ("below-floor", "resolved")]
    assert len(sink.incidents()) == 1


def test_on_the_datas_clock_every_slot_is_live_from_the_first_call_on(kit: Any, database: Any) -> None:
    """A replay of history tells its story day by day, also when a burst brings many days at once."""
    kit.write_hour(database, kit.DAY_0)
    world = kit.accuracy_by_day(0.95, 0.8, 0.95)
    sink = kit.FakeSink()
    offset = kit.FLOOR_RULE + "offset: 5m\n"
    engine = kit.make_engine(database, kit.make_book(offset), world, sink, clock_mode="data")

    engine.tick(kit.at(3), kit.at(3))

    assert sink.moves(live=True) == [("below-floor", "firing"), ("below-floor", "resolved")]
    assert [slot for slot, _, _ in sink.told] == [kit.at(2), kit.at(3)]
    assert engine.evaluated_through("default", "triage") == kit.at(3), "the service waits for exactly this"


def test_on_the_datas_clock_nothing_is_due_before_the_first_call(kit: Any, database: Any) -> None:
    """An empty store's watermark is 1970: no slot of that year may ever be marked done."""
    engine = kit.make_engine(database, kit.make_book(kit.FLOOR_RULE), kit.accuracy_by_day(), clock_mode="data")
    origin = datetime(1970, 1, 1, tzinfo=kit.DAY_0.tzinfo)

    assert engine.tick(origin, origin).slots == ()
    assert database.rows("SELECT count() AS n FROM rule_runs")[0]["n"] == 0


def test_a_long_history_is_taken_in_portions_and_a_long_pause_from_its_end(kit: Any, database: Any) -> None:
    """A year of hours in one query would be a year of hours in memory."""
    kit.write_hour(database, kit.DAY_0)
    world = kit.FakeWorld(lambda _evaluator, _slot: [])
    replay = kit.make_engine(database, kit.make_book(kit.NULL_RULE, kit.FLOOR_RULE), world, clock_mode="data")

    first, second = replay.tick(kit.at(60), kit.at(60)), replay.tick(kit.at(60), kit.at(60))

    assert first.has_more
    assert not second.has_more
    assert first.slots[-1] == kit.DAY_0 + 1000 * kit.HOUR
    assert second.slots[-1] == kit.at(60)

    paused = kit.make_engine(database, kit.make_book(kit.NULL_RULE, kit.FLOOR_RULE), world)
    report = paused.tick(kit.at(360), kit.at(360))

    assert not report.has_more
    assert len([s for s in report.slots if s > kit.at(318)]) == 1000


def test_hourly_and_daily_rules_step_in_slot_order(kit: Any, database: Any) -> None:
    """The first to fire opens the incident: an hourly alert of Monday night comes before Tuesday's daily one."""

    def says(evaluator: str, slot: datetime) -> list[Any]:
        if evaluator == "null_rate":
            return [kit.sample(slot, 0.5 if slot >= kit.at(1.5) else 0.0, labels={"field": "ink"})]
        return [kit.sample(slot, 0.8, upper=0.81)] if slot >= kit.at(2) else []

    sink = kit.FakeSink()
    engine = kit.make_engine(database, kit.make_book(kit.FLOOR_RULE, kit.NULL_RULE), kit.FakeWorld(says), sink)
    engine.tick(kit.at(1), kit.at(1))

    engine.tick(kit.at(2), kit.at(2))

    events = [event for _, _, told in sink.told for event in told]
    assert [(e.rule, e.to_state) for e in events[:3]] == [
        ("nulls", "pending"),
        ("nulls", "firing"),
        ("below-floor", "firing"),
    ]
    assert events[1].slot == kit.at(1.5) + kit.HOUR
    assert len({e.incident for e in events if e.incident}) == 1
