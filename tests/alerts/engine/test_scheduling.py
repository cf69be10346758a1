"""When slots are evaluated: spread, overrun, held by the watermark, and over clocks that are wrong for a while."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from tocsin_alerts.jobs import list_jobs
from tocsin_alerts.spreading import spread

HOURLY = """
rule: nulls
summary: a field is missing
evaluator: null_rate
every: 1h
severity: page
when: value >= 0.5
"""


def says(kit: Any, bad: set[float]) -> Any:
    """Say that a field is missing at some hours after the first day began."""
    return kit.FakeWorld(
        lambda _evaluator, slot: [kit.sample(slot, 0.9 if (slot - kit.DAY_0) / kit.HOUR in bad else 0.0)]
    )


def test_what_wakes_nobody_waits_its_own_while_and_pages_do_not(kit: Any) -> None:
    """Forty evaluators at midnight are a burst that a page would stand behind."""
    names = ("input_psi", "volume", "freshness", "cost_per_day", "reviewed_accuracy", "confidence_shift")
    tickets = [
        f"rule: t-{name.replace('_', '-')}\nsummary: s\nevaluator: {name}\nseverity: ticket\nwhen: value > 1\n"
        for name in names
    ]
    shares = "rule: beside\nsummary: s\nevaluator: accuracy\nseverity: ticket\nwhen: value < 0.1\n"
    hourly = "rule: hourly\nsummary: s\nevaluator: volume\nevery: 1h\nseverity: ticket\nwhen: value > 1\n"
    book = kit.make_book(kit.FLOOR_RULE, shares, hourly, *tickets)
    jobs = list_jobs(book, kit.EVALUATORS, keep_offset=True)

    def offsets() -> dict[str, timedelta]:
        spread_out = spread(jobs, most=timedelta(minutes=2))
        return {
            made.name: made.schedule.offset - job.schedule.offset for job, made in zip(jobs, spread_out, strict=True)
        }

    found = offsets()

    assert found == offsets(), "the same at every start"
    assert found["below-floor"] == found["beside"] == timedelta(0)
    assert len(set(found.values())) > 2
    assert all(timedelta(0) <= offset < timedelta(minutes=2) for offset in found.values())
    assert spread(jobs, most=timedelta(0)) == jobs


def test_a_short_interval_waits_a_tenth_of_it_at_most(kit: Any) -> None:
    """A rule of every five minutes must not be two minutes late."""
    text = "rule: t\nsummary: s\nevaluator: {}\nevery: 5m\nseverity: ticket\nwhen: value > 1\n"
    for name in kit.EVALUATORS:
        [job] = list_jobs(kit.make_book(text.format(name)), {}, keep_offset=True)
        [made] = spread([job], most=timedelta(minutes=2))
        assert made.schedule.offset < timedelta(seconds=30)


def test_what_was_overrun_is_taken_in_order_and_only_the_newest_is_news(kit: Any, database: Any) -> None:
    """A tick that takes longer than the interval leaves slots behind it; nobody is paged for an hour that is over."""
    sink = kit.FakeSink()
    engine = kit.make_engine(database, kit.make_book(HOURLY), says(kit, {2, 4}), sink)
    engine.tick(kit.at(1 / 24), kit.at(1 / 24))

    report = engine.tick(kit.at(4.5 / 24), kit.at(4.5 / 24))

    assert [round((slot - kit.DAY_0) / kit.HOUR) for slot in report.slots] == [2, 3, 4]
    assert sink.moves(live=False) == [("nulls", "firing"), ("nulls", "resolved")]
    assert sink.moves(live=True) == [("nulls", "firing")]


def test_a_slot_waits_until_its_data_are_there(kit: Any, database: Any) -> None:
    """Judged too early, an hour has too few calls."""
    world = says(kit, set())
    engine = kit.make_engine(database, kit.make_book(HOURLY), world)
    engine.tick(kit.at(1), kit.at(1))

    assert engine.tick(kit.at(1) + 3 * kit.HOUR, kit.at(1) + timedelta(minutes=59)).slots == ()
    late = engine.tick(kit.at(1) + 3 * kit.HOUR, kit.at(1) + 2 * kit.HOUR)

    assert late.slots == (kit.at(1) + kit.HOUR, kit.at(1) + 2 * kit.HOUR)


def test_a_clock_that_was_hours_ahead_leaves_nobody_blind(kit: Any, database: Any) -> None:
    """Slots that were judged before they came, on no data, are judged again when they come, by a restarted process too."""
    sink, book = kit.FakeSink(), kit.make_book(HOURLY)
    engine = kit.make_engine(database, book, says(kit, set()), sink, epoch=1 << 10)
    engine.tick(kit.at(1), kit.at(1))
    ahead = kit.at(1) + 6 * kit.HOUR
    engine.tick(ahead, ahead)
    engine._evaluate = says(kit, {26, 27})
    back = kit.at(1) + 1.5 * kit.HOUR

    engine.tick(back, back)
    now = kit.at(1) + 2 * kit.HOUR
    report = engine.tick(now, now)
    again = kit.make_engine(database, book, says(kit, {26}), sink, epoch=2 << 10)
    over = again.tick(now + kit.HOUR, now + kit.HOUR)

    assert report.slots == (now,)
    assert [(event.to_state, event.slot) for event in report.events] == [("firing", now)]
    assert [(event.to_state, event.slot) for event in over.events] == [("resolved", now + kit.HOUR)]


def test_a_clock_that_is_corrected_by_a_little_is_waited_for(kit: Any, database: Any) -> None:
    """Time servers move clocks by seconds every day: nothing begins anew for that."""
    world = says(kit, set())
    engine = kit.make_engine(database, kit.make_book(HOURLY), world)
    engine.tick(kit.at(1), kit.at(1))
    asked = len(world.calls)
    before = kit.at(1) - timedelta(minutes=2)

    assert engine.tick(before, before).slots == ()

    assert len(world.calls) == asked
    assert database.rows("SELECT count() AS n FROM takeovers")[0]["n"] == 1


def test_a_clock_that_jumped_ahead_makes_up_for_the_hours_quietly(kit: Any, database: Any) -> None:
    """A machine that slept, or was wrong until now: nobody is paged for the night hour by hour."""
    sink = kit.FakeSink()
    engine = kit.make_engine(database, kit.make_book(HOURLY), says(kit, {25, 26, 27, 29, 30}), sink)
    engine.tick(kit.at(1), kit.at(1))
    ahead = kit.at(1) + 6.2 * kit.HOUR

    engine.tick(ahead, ahead)

    assert sink.moves(live=False) == [("nulls", "firing"), ("nulls", "resolved"), ("nulls", "firing")]
    assert sink.moves(live=True) == [("nulls", "firing")]
    assert len(sink.incidents()) == 1


def test_a_job_keeps_its_slots_whatever_its_while(kit: Any) -> None:
    """A slot names the window it speaks of: waiting for it moves nothing."""
    [job] = list_jobs(kit.make_book(kit.DRIFT_RULE), {}, keep_offset=True)
    later = replace(job.schedule, offset=timedelta(seconds=90))

    assert later.newest(kit.at(2), kit.at(2)) == kit.at(1)
    assert later.newest(kit.at(2) + timedelta(seconds=90), kit.at(2)) == kit.at(2)
