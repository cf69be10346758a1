"""A rule that cannot be evaluated says so under its own name, after a while, and takes it back when it can."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from bench._alerts.books import Books, PowerCut

from tocsin_alerts import blindness
from tocsin_alerts.board import Batch, Board
from tocsin_alerts.records import AlertEvent
from tocsin_alerts.rules import RuleBook

MINUTE = timedelta(minutes=1)
WRONG = "2026-03-03 00:00 UTC: ValueError: DB::Exception: no such column"


def says(kit: Any) -> Any:
    """Say that accuracy is below the floor each day, and that a second version comes on the third."""

    def answer(evaluator: str, slot: datetime) -> list[Any]:
        if evaluator != "accuracy":
            return [kit.sample(slot, 0.0)]
        versions = ["v1", "v2"] if slot >= kit.at(2) else ["v1"]
        return [kit.sample(slot, 0.8, upper=0.81, labels={"model_version": each}) for each in versions]

    return kit.FakeWorld(answer)


def told(sink: Any) -> list[tuple[str, str, str]]:
    """List severity, overlay and state of what was told live."""
    return [
        (event.severity, event.labels.get("overlay", ""), event.to_state)
        for _, live, events in sink.told
        if live
        for event in events
    ]


def errors(sink: Any) -> list[AlertEvent]:
    """List what was said of evaluators that fail."""
    return [event for _, _, events in sink.told for event in events if event.labels.get("overlay") == "error"]


def tick(engine: Any, now: datetime) -> None:
    """Tick until whatever rests after failures has been tried."""
    for _ in range(20):
        engine.tick(now, now)


def test_a_rule_that_keeps_failing_is_a_ticket_under_its_own_name(kit: Any, database: Any) -> None:
    """Who owns the use case must hear that nobody watches it, by the rule's routes; what was wrong is still taken for wrong."""
    world, sink = says(kit), kit.FakeSink()
    engine = kit.make_engine(database, kit.make_book(kit.FLOOR_RULE, kit.DRIFT_RULE), world, sink)
    tick(engine, kit.at(1))
    world.broken = {"accuracy"}

    tick(engine, kit.at(2))
    waiting = [event.to_state for event in errors(sink)]
    tick(engine, kit.at(2) + 2 * kit.HOUR)
    tick(engine, kit.at(2) + 3 * kit.HOUR)
    (pending, fired) = errors(sink)
    world.broken = set()
    tick(engine, kit.at(2) + 3 * kit.HOUR)

    assert waiting == ["pending"], "a store that is away for a moment is nobody's ticket"
    assert (fired.project, fired.use_case, fired.rule) == ("default", "triage", "below-floor")
    assert (fired.severity, fired.labels, fired.value) == ("ticket", {"overlay": "error"}, None)
    assert fired.reason == f"its evaluator has failed since {WRONG}"
    assert (pending.slot, fired.slot) == (kit.at(2), kit.at(2) + 2 * kit.HOUR)
    assert [(event.to_state, event.reason) for event in errors(sink)[2:]] == [
        ("resolved", "its evaluator answers again")
    ]
    assert errors(sink)[2].incident == fired.incident
    own = database.rows("SELECT labels, state FROM standing_alerts WHERE labels['model_version'] != '' ORDER BY labels")
    assert [row["state"] for row in own] == ["firing", "firing"]
    assert [event.to_state for _, _, events in sink.told for event in events if "model_version" in event.labels] == [
        "firing",
        "firing",
    ]


def test_a_crash_around_any_write_tells_the_same(kit: Any) -> None:
    """The slot that fails is not done, so what was said of it is stored before anything is: ids must not depend on who says it."""
    failing = (kit.at(2), kit.at(2) + 2 * kit.HOUR, kit.at(2) + 3 * kit.HOUR)
    hours = [kit.at(1), *failing, *[kit.at(2) + 4 * kit.HOUR] * 6]

    def story(books: Books, sink: Any, left: list[datetime], epoch: int) -> None:
        world = says(kit)
        engine = kit.make_engine(books, kit.make_book(kit.FLOOR_RULE + "limit: 2\n"), world, sink, epoch=epoch)
        while left:
            world.broken = {"accuracy"} if left[0] in failing else set()
            engine.tick(left[0], left[0])
            left.pop(0)

    whole, undisturbed = Books(kit.DAY_0), kit.FakeSink()
    story(whole, undisturbed, list(hours), 1)
    assert [event.to_state for event in errors(undisturbed)] == ["pending", "firing", "resolved"]

    for cut_at in range(whole.inserts):
        for after in (False, True):
            books, sink, left = Books(kit.DAY_0, cut_at=cut_at, after=after), kit.FakeSink(), list(hours)
            with pytest.raises(PowerCut):
                story(books, sink, left, 1)

            story(books, sink, left, 2)

            assert books.events() == whole.events(), f"cut {'after' if after else 'before'} insert {cut_at}"
            assert books.standing() == whole.standing()
            assert {event.event_id for event in errors(sink)} == {event.event_id for event in errors(undisturbed)}
            assert {("ticket", "error", "firing"), ("ticket", "error", "resolved")} <= set(told(sink))


def board_of(kit: Any, text: str, *, days: int = 1) -> tuple[Any, Board]:
    """Make a rule and a board on which it has judged a use case for some days."""
    rule = kit.make_rule(text)
    board = Board((), book=RuleBook({rule.name: rule}), plans=kit.make_plan())
    for day in range(1, days + 1):
        board.take(kit.at(day), [Batch(rule=rule, samples=[kit.sample(kit.at(day), 0.95)])])
    return rule, board


def fail(board: Board, *times: datetime) -> list[AlertEvent]:
    """Let the evaluator of every rule fail at some times."""
    name = next(iter(board.series.values())).rule
    return [event for now in times for event in board.take_attempts(now, failed={name: "Timeout"}, answered=())]


@pytest.mark.parametrize(
    ("rule", "said", "expected"),
    [
        ("page", "", "ticket"),
        ("ticket", "", "ticket"),
        ("log", "", "log"),
        ("ticket", "page", "page"),
        ("page", "log", "log"),
        ("page", "ignore", None),
    ],
)
def test_a_rule_says_how_loud_it_is(kit: Any, rule: str, said: str, expected: str | None) -> None:
    """That a rule is blind wakes nobody unless its owner wants it to, and a rule that is only noted is only noted."""
    text = kit.FLOOR_RULE.replace("severity: page", f"severity: {rule}") + (f"error: {said}\n" if said else "")
    _, board = board_of(kit, text)

    events = fail(board, kit.at(2), kit.at(2.5))

    assert [event.severity for event in events if event.to_state == "firing"] == ([expected] if expected else [])


def test_one_failure_between_answers_is_told_to_nobody(kit: Any) -> None:
    """Memory runs short for a second each night; what passes is not worth a ticket, and in the same minute not a state."""
    rule, board = board_of(kit, kit.FLOOR_RULE)

    events = fail(board, kit.at(2))
    events += board.take_attempts(kit.at(2) + timedelta(seconds=5), failed={}, answered={rule.name})
    events += fail(board, kit.at(2) + 3 * kit.HOUR)

    assert [event.to_state for event in events] == ["pending", "inactive", "pending"]
    assert len({event.event_id for event in events}) == 3
    assert board.take_attempts(kit.at(3), failed={}, answered=()) == [], "what was not tried says nothing"


@pytest.mark.parametrize(
    ("every", "patience"), [("1m", 15 * MINUTE), ("15m", 30 * MINUTE), ("1h", 120 * MINUTE), ("1d", 120 * MINUTE)]
)
def test_two_periods_pass_before_anybody_hears(kit: Any, every: str, patience: timedelta) -> None:
    """Within bounds: seven failures of a rule of minutes are an outage of minutes, and nobody waits two days for a daily one."""
    assert blindness.patience(kit.make_rule(kit.FLOOR_RULE + f"every: {every}\n")) == patience


def test_a_use_case_that_ended_is_not_missed(kit: Any) -> None:
    """A rule knows every use case that it ever judged, for as long as its tables go back."""
    rule, board = board_of(kit, kit.FLOOR_RULE)
    for day in range(2, 30):
        board.take(kit.at(day), [Batch(rule=rule, samples=[kit.sample(kit.at(day), 0.95, use_case="shop")])])

    events = fail(board, kit.at(30), kit.at(30.5))

    assert {event.use_case for event in events} == {"shop"}


def test_an_alert_of_a_rule_that_is_gone_ends(kit: Any) -> None:
    """A rule that cannot be mended is taken out, and its ticket with it."""
    _, board = board_of(kit, kit.FLOOR_RULE)
    fail(board, kit.at(2), kit.at(2.5))
    left = Board(board.series.values(), book=RuleBook({}), plans=kit.make_plan())

    assert [(event.to_state, event.reason) for event in left.retire()] == [("resolved", "the rule is no longer there")]


def test_a_page_asked_for_by_a_ticket_rule_is_a_page(kit: Any) -> None:
    """Its incident is that of the use case's pages, or channels for pages would never hear of it."""
    _, board = board_of(kit, kit.DRIFT_RULE + "error: page\n")
    _, other = board_of(kit, kit.FLOOR_RULE + "error: page\n")

    [drift], [floor] = ([e for e in fail(each, kit.at(2), kit.at(2.5)) if e.incident] for each in (board, other))

    assert drift.severity == "page"
    assert drift.incident == floor.incident
