"""The guard escalates by rule, and returns by hand."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tocsin_alerts.errors import GuardRefused
from tocsin_alerts.guard import GuardBook
from tocsin_alerts.journal_sql import statement
from tocsin_alerts.plan import Plans
from tocsin_collector.store.database import Database

WALL = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture
def make_book(books: Any, plans: Any, rules: Any, later: Any) -> Callable[..., GuardBook]:
    """Makes a book over one store: again is a restart."""

    def make(store: Any = books, **changes: Any) -> GuardBook:
        wiring = {"clock": lambda: later(hours=1), "wall": lambda: WALL} | changes
        return GuardBook(store, wiring.pop("plans", plans), rules, **wiring)

    return make


@pytest.fixture
def book(make_book: Any) -> GuardBook:
    """A book without history."""
    return make_book()  # type: ignore[no-any-return]


def _hand(book: GuardBook, *events: Any, live: bool = True) -> None:
    book.handle(events, events[0].slot, live=live)


def _states(book: GuardBook, use_case: str = "digit-reader") -> list[tuple[str, str, bool]]:
    return [(row.state, row.mode, row.applied) for row in book.history(use_case)]


def test_an_automatic_plan_trips(book: GuardBook, event: Any, later: Any) -> None:
    """That is what the team asked for."""
    _hand(book, event())

    (row,) = book.rows()
    assert (row.state, row.mode, row.version, row.applied) == ("fallback", "automatic", 1, True)
    assert row.cause == "accuracy-below-floor: upper 0.896 < floor 0.9"
    assert row.actor == "rule:accuracy-below-floor"
    assert (row.since, row.hold_until, row.probe_share) == (event().slot, later(hours=6), 0.1)


def test_a_shadow_plan_only_says_that_it_would_have(book: GuardBook, event: Any) -> None:
    """The default: trust is earned before anything is switched."""
    _hand(book, event(use_case="mail-sorter"), event("estimated-accuracy-drop", use_case="mail-sorter"))

    assert book.rows() == []
    assert _states(book, "mail-sorter") == [("fallback", "shadow", False)]
    assert book.history("mail-sorter")[0].cause.startswith("would have tripped: ")
    assert book.news("default", "mail-sorter", "incident-1").in_force == "normal"


def test_it_only_escalates(book: GuardBook, event: Any) -> None:
    """Verify after fallback would serve the model again without anybody's decision."""
    _hand(book, event("estimated-accuracy-drop"))
    _hand(book, event("accuracy-below-floor"))
    _hand(book, event("estimated-accuracy-drop", incident="incident-2"))
    _hand(book, event("accuracy-below-floor", "resolved"))

    assert _states(book) == [("verify", "automatic", True), ("fallback", "automatic", True)]


def test_a_rule_without_a_guard_action_does_nothing(book: GuardBook, event: Any) -> None:
    """Most rules only tell."""
    _hand(book, event("input-drift"))

    assert book.rows() == []


def test_catching_up_trips_nothing(book: GuardBook, event: Any) -> None:
    """What fired while we were down may be over; the notice says what still stands."""
    _hand(book, event(), live=False)
    assert book.rows() == []

    _hand(book, event())

    assert len(book.rows()) == 1


def test_a_replayed_slot_adds_no_version(make_book: Any, event: Any, database: Database) -> None:
    """After a crash the engine hands the same events in again."""
    _hand(make_book(database), event("estimated-accuracy-drop"), event())
    again = make_book(database)

    _hand(again, event("estimated-accuracy-drop"), event())

    assert [row.version for row in again.history("digit-reader")] == [1, 2]


def test_a_replay_after_a_release_does_not_trip(make_book: Any, event: Any) -> None:
    """The release answered that very transition."""
    book = make_book()
    _hand(book, event())
    book.release("digit-reader", "ann")
    again = make_book()

    _hand(again, event())

    assert [row.state for row in again.rows()] == ["normal"]


def test_release_is_by_hand_and_audited(make_book: Any, event: Any, database: Database) -> None:
    """Who brought the model back, when and why, is asked later."""
    book = make_book(database)
    _hand(book, event())

    row = book.release("digit-reader", "ann", "new scanner installed")

    assert (row.state, row.mode, row.version, row.actor) == ("normal", "manual", 2, "ann")
    assert "before the end of its minimum hold, 2026-04-17 06:00 UTC" in row.cause
    (entry,) = database.rows("SELECT * FROM audit_log")
    assert (entry["actor"], entry["action"], entry["subject"]) == ("ann", "guard release", "default/digit-reader")
    assert entry["detail"].startswith("fallback -> normal: new scanner installed")
    assert entry["at"] == WALL
    assert make_book(database).rows() == [row]


def test_after_a_release_only_a_new_firing_trips(book: GuardBook, event: Any, later: Any) -> None:
    """Alerts that are still firing were known to whoever released."""
    _hand(book, event())
    book.release("digit-reader", "ann")
    _hand(book, event())
    assert [row.state for row in book.rows()] == ["normal"]

    _hand(book, event(incident="incident-2", slot=later(days=1)))

    assert [row.state for row in book.rows()] == ["fallback"]


def test_a_persons_state_holds_against_the_rules(book: GuardBook, event: Any, later: Any) -> None:
    """Somebody who looks knows more than a rule."""
    book.set("digit-reader", "verify", "ann", "looking")
    _hand(book, event())
    assert [row.state for row in book.rows()] == ["verify"]
    noted = book.history("digit-reader")[-1]
    assert noted.cause.startswith("would have tripped, but ann holds verify: ")

    book.release("digit-reader", "ann")
    _hand(book, event(incident="incident-2", slot=later(days=1)))

    assert [row.state for row in book.rows()] == ["fallback"]


def test_a_persons_state_survives_a_restart(make_book: Any, event: Any) -> None:
    """Nothing that a person decided is forgotten."""
    make_book().set("digit-reader", "verify", "ann")
    again = make_book()

    _hand(again, event())

    assert [row.state for row in again.rows()] == ["verify"]


def test_trips_are_capped_by_the_hour(make_book: Any, event: Any, later: Any) -> None:
    """A rule that flaps must not flap what users see."""
    book = make_book(trips_per_hour=2)
    for number in range(3):
        slot = later(minutes=10 * number)
        _hand(book, event(incident=f"incident-{number}", slot=slot))
        if book.rows()[0].state != "normal":
            book.release("digit-reader", "ann")

    last = book.history("digit-reader")[-1]
    assert not last.applied
    assert "2 trips in an hour are the most" in last.cause


@pytest.mark.parametrize(
    ("act", "said"),
    [
        (lambda book: book.release("digit-redaer", "ann"), "did you mean 'digit-reader'"),
        (lambda book: book.set("digit-reader", "fallbak", "ann"), "did you mean 'fallback'"),
        (lambda book: book.set("digit-reader", "verify", "ann", project="other"), "in project 'other'"),
        (lambda book: book.release("digit-reader", "ann"), "nothing to release"),
        (lambda book: book.set("digit-reader", "normal", "ann"), "nothing to release"),
    ],
)
def test_what_cannot_be_done_is_refused_with_a_reason(book: GuardBook, act: Any, said: str) -> None:
    """A typo must not quietly guard nothing."""
    with pytest.raises(GuardRefused, match=said):
        act(book)

    assert book.rows() == []


def test_a_use_case_without_a_plan_can_be_set_once_it_is_met(book: GuardBook) -> None:
    """Calls come before plans."""
    book.meet([("default", "new-one")])

    assert book.set("new-one", "off", "ann").state == "off"


def test_changes_are_announced_once_and_shadows_are_not(make_book: Any, event: Any) -> None:
    """Each announcement wakes every open stream."""
    told: list[int] = []
    book = make_book(changed=lambda: told.append(1))

    _hand(book, event("estimated-accuracy-drop"), event())
    _hand(book, event(use_case="mail-sorter"))
    book.release("digit-reader", "ann")

    assert len(told) == 2


def test_news_prefers_what_was_done(book: GuardBook, event: Any) -> None:
    """A page says what is, before what would have been."""
    _hand(book, event("estimated-accuracy-drop"))
    book.set("digit-reader", "verify", "ann")
    _hand(book, event())

    news = book.news("default", "digit-reader", "incident-1")

    assert news.in_force == "verify"
    assert news.row is not None
    assert news.row.applied


def test_a_store_that_is_away_changes_nothing(book: GuardBook, event: Any, books: Any) -> None:
    """What is served must be what is on record; the same events come again."""
    books.is_away = True
    with pytest.raises(ConnectionError):
        _hand(book, event())
    assert book.rows() == []
    books.is_away = False

    _hand(book, event())

    assert [row.state for row in book.rows()] == ["fallback"]


def test_causes_and_actors_are_one_line(book: GuardBook, event: Any) -> None:
    """They are shown in terminals and served to services."""
    _hand(book, replace(event(), reason="bad\x1b[31m\nforged"))
    row = book.set("digit-reader", "off", "ann\nroot", "\x1b]0;x\x07gone")

    assert book.history("digit-reader")[0].cause == "accuracy-below-floor: bad forged"
    assert (row.actor, row.cause) == ("ann root", "gone")


def test_a_page_rule_that_is_only_a_ticket_here_trips_nothing(book: GuardBook, event: Any) -> None:
    """What leans on a provisional reference may be wrong about the model: nobody is cut off from it by that."""
    book.handle([event(severity="ticket")], event().slot, live=True)

    assert book.rows() == []


def test_a_use_case_whose_first_calls_have_just_come_can_be_set(make_book: Any) -> None:
    """Whoever sees a feature go wrong in its first minute does not wait for the engine's next turn."""
    book = make_book(look=lambda: [("default", "minutes-old")])

    row = book.set("minutes-old", "fallback", "ana")

    assert (row.use_case, row.state) == ("minutes-old", "fallback")


def test_nobody_is_asked_about_a_use_case_that_is_known(make_book: Any) -> None:
    """A guard is set in the middle of an incident: every question to the store is time."""
    asked: list[int] = []
    book = make_book(look=lambda: asked.append(1) or ())

    book.set("digit-reader", "fallback", "ana")

    assert asked == []


class Clock:
    """A logical clock that moves when told to."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> datetime:
        """Say what time it is."""
        return self.at


def measured(plans: Plans) -> Plans:
    """The same plans; what trips is released by measurement."""
    changed = [
        plan.model_copy(update={"guard": plan.guard.model_copy(update={"release": "measured"})}) for plan in plans
    ]
    return Plans.of(*changed)


def test_what_a_person_set_for_a_time_ends_with_it(make_book: Any, event: Any, later: Any, books: Any) -> None:
    """An override that everybody forgot would be a guard that is off."""
    clock = Clock(later(hours=1))
    book = make_book(clock=clock)
    row = book.set("digit-reader", "verify", "ann", "a look", lasts=timedelta(hours=2))
    assert row.expires_at == later(hours=3)

    clock.at = later(hours=2)
    assert book.tend() == []
    clock.at = later(hours=3)
    book = make_book(clock=clock)  # a restart forgets no end
    [back] = book.tend()
    assert book.tend() == []
    _hand(book, event(slot=later(hours=4)))

    assert (back.state, back.mode, back.actor) == ("normal", "manual", "tocsin")
    assert [row.state for row in book.rows()] == ["fallback"]
    assert [each["action"] for each in books.tables["audit_log"]] == ["guard set", "guard release"]


def test_a_trip_is_released_when_its_end_is_measured_and_not_before_its_hold(
    make_book: Any, event: Any, later: Any, books: Any, plans: Plans
) -> None:
    """Probes are the only calls that say whether the model is well again."""
    clock = Clock(later(hours=5))
    book = make_book(plans=measured(plans), clock=clock)
    _hand(book, event())
    stages = (
        (5, 500, False),  # within the hold of six hours
        (6, 500, True),  # the alert still fires
        (7, 49, False),  # too few probes
        (8, 50, False),
    )

    made = []
    for hours, books.answered, books.is_open in stages:
        clock.at = later(hours=hours)
        made.append([row.state for row in book.tend()])

    assert made == [[], [], [], ["normal"]]
    [row] = book.rows()
    assert (row.mode, row.actor) == ("automatic", "tocsin")
    assert row.cause == "its alerts are over, and the model has answered 50 calls since"
    _hand(book, event())
    assert book.rows() == [row]


def test_release_is_manual_unless_the_plan_says_otherwise(
    make_book: Any, event: Any, later: Any, books: Any, plans: Plans
) -> None:
    """Nobody's fallback ends by itself who has not asked for it; and what a person set never does."""
    books.answered, books.is_open = 500, False
    book = make_book(clock=lambda: later(days=9))
    _hand(book, event())
    assert book.tend() == []

    book = make_book(plans=measured(plans), clock=lambda: later(days=9))
    book.set("digit-reader", "off", "ann")

    assert book.tend() == []


def test_an_end_that_was_measured_is_no_trip(make_book: Any, event: Any, later: Any, books: Any, plans: Plans) -> None:
    """The cap of trips an hour counts trips."""
    books.answered, books.is_open = 500, False
    clock = Clock(later(days=9))
    book = make_book(plans=measured(plans), clock=clock, trips_per_hour=2)
    for number in range(2):
        _hand(book, event(incident=f"i{number}", slot=later(days=9, minutes=number)))
        clock.at = later(days=10 + number)
        assert len(book.tend()) == 1

    assert [row.applied for row in book.history("digit-reader")] == [True] * 4


def test_calls_of_the_model_are_counted_with_probes_and_without_the_fallbacks(database: Database, later: Any) -> None:
    """What the fallback answered says nothing of the model."""
    said = {"project": "default", "use_case": "u", "sign": 1}
    kinds = [("model", 0, 2), ("fallback", 1, 3), ("fallback", 0, 5)]
    rows = [
        {
            **said,
            "served_by": served,
            "is_probe": probe,
            "started_at": later(hours=hour),
            "call_key": f"{served}{probe}{n}{hour}",
            "ingested_at": datetime.now(UTC),  # what retention counts from
        }
        for served, probe, count in kinds
        for n in range(count)
        for hour in (-1, 1)
    ]
    database.insert("ai_calls", rows)

    [row] = database.rows(statement("model_calls"), {"project": "default", "use_case": "u", "since": later()})

    assert row["answered"] == 5
