"""Of two evaluators the later one is right: what the earlier one writes afterwards is not read, and it writes no more."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from tocsin_alerts.errors import Superseded
from tocsin_alerts.fencing import FencedNotifier, FencedQuery, Tenancy


@dataclass
class Stopped(Exception):  # noqa: N818 - SIGSTOP, as far as a test can
    """The process stands still here."""


@dataclass
class StallingQuery:
    """A store whose writes stand still from the k-th on, and go on when they are let: a process stopped and continued."""

    inner: Any
    stall_at: int
    held: list[tuple[str, list[Mapping[str, Any]], str | None]] = field(default_factory=list)
    inserts: int = 0

    def rows(self, sql: str, parameters: Mapping[str, Any] | None = None, /) -> list[dict[str, Any]]:
        """Read from the real store."""
        return self.inner.rows(sql, parameters)  # type: ignore[no-any-return]

    def insert(self, table: str, rows: Sequence[Mapping[str, Any]], /, *, token: str | None = None) -> None:
        """Write, or keep it for later."""
        self.inserts += 1
        if self.inserts > self.stall_at:
            self.held.append((table, list(rows), token))
        else:
            self.inner.insert(table, rows, token=token)

    def go_on(self) -> None:
        """Write now what stood still."""
        for table, rows, token in self.held:
            self.inner.insert(table, rows, token=token)


def standing(database: Any) -> list[dict[str, Any]]:
    """Read where alerts stand, as everybody does."""
    return database.rows("SELECT state, slot, epoch FROM standing_alerts")  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    "stall_at", [1, 2, 3]
)  # samples, states and runs; states that were stored in time are taken over
def test_what_a_stopped_evaluator_still_writes_loses(kit: Any, database: Any, stall_at: int) -> None:
    """Stopped before any of its writes and continued after another took over, it must change nothing that anybody reads."""
    book, now = kit.make_book(kit.FLOOR_RULE), kit.at(2)
    stale = kit.accuracy_by_day(0.8, 0.8, 0.8)  # the zombie has seen labels that were corrected since
    fresh = kit.accuracy_by_day(0.8, 0.95, 0.95)
    query = StallingQuery(database, stall_at=100)
    zombie = kit.make_engine(query, book, stale, epoch=1)
    zombie.tick(kit.at(1), kit.at(1))
    query.stall_at = query.inserts + stall_at - 1
    zombie.tick(now, now)
    heir, sink = kit.make_engine(database, book, fresh, epoch=2), kit.FakeSink()
    heir.tick(now, now)
    before = standing(database)

    query.go_on()

    assert standing(database) == before == [{"state": "resolved", "slot": kit.at(2), "epoch": 2}]
    restored = kit.make_engine(database, book, fresh, sink, epoch=3)
    restored.tick(kit.at(3), kit.at(3))
    assert restored.evaluated_through() == kit.at(3)
    assert sink.told == [], "nothing was left to be told"


def test_a_slot_that_only_the_stopped_one_has_done_is_done_again(kit: Any, database: Any) -> None:
    """Its word that a slot is done, without its states, would skip the slot for good."""
    book = kit.make_book(kit.FLOOR_RULE)
    world = kit.accuracy_by_day(0.95, 0.8, 0.8)
    query = StallingQuery(database, stall_at=100)
    zombie = kit.make_engine(query, book, world, epoch=1)
    zombie.tick(kit.at(1), kit.at(1))
    query.stall_at = 0
    zombie.tick(kit.at(2), kit.at(2))
    heir = kit.make_engine(database, book, world, epoch=2)
    heir.tick(kit.at(1), kit.at(1))
    query.go_on()
    sink = kit.FakeSink()

    kit.make_engine(database, book, world, sink, epoch=3).tick(kit.at(2), kit.at(2))

    assert sink.moves(live=True) == [("below-floor", "firing")]


def test_a_takeover_goes_on_in_the_middle_of_for(kit: Any, database: Any) -> None:
    """An alert that has been true for most of its time does not begin anew because a machine died."""
    rule = kit.FLOOR_RULE + "for: 2\n"
    world = kit.accuracy_by_day(0.8, 0.8, 0.8)
    kit.make_engine(database, kit.make_book(rule), world, epoch=1).tick(kit.at(1), kit.at(1))
    second = kit.make_engine(database, kit.make_book(rule), world, epoch=2)
    second.tick(kit.at(2), kit.at(2))
    sink = kit.FakeSink()

    kit.make_engine(database, kit.make_book(rule), world, sink, epoch=3).tick(kit.at(3), kit.at(3))

    assert sink.moves(live=True) == [("below-floor", "firing")]


def test_an_evaluator_that_finds_a_later_one_stops(kit: Any, database: Any) -> None:
    """It evaluates nothing more, so it cannot tell anybody anything either."""
    book, world = kit.make_book(kit.FLOOR_RULE), kit.accuracy_by_day(0.8, 0.8)
    sink = kit.FakeSink()
    first = kit.make_engine(database, book, world, sink, epoch=1)
    first.tick(kit.at(1), kit.at(1))
    heard = list(sink.told)
    kit.make_engine(database, book, world, epoch=2).tick(kit.at(1), kit.at(1))

    with pytest.raises(Superseded, match="epoch 2"):
        first.tick(kit.at(2), kit.at(2))

    assert sink.told == heard
    with pytest.raises(Superseded):
        kit.make_engine(database, book, world, epoch=1).tick(kit.at(2), kit.at(2))


def test_every_row_says_who_wrote_it(kit: Any, database: Any) -> None:
    """After two evaluators had worked for a moment, people must be able to tell whose rows are whose."""
    engine = kit.make_engine(database, kit.make_book(kit.FLOOR_RULE), kit.accuracy_by_day(0.8), epoch=7)

    engine.tick(kit.at(1), kit.at(1))

    for table in ("evaluations", "alert_events", "alert_state", "rule_runs", "takeovers"):
        assert database.rows(f"SELECT DISTINCT epoch FROM {table}") == [{"epoch": 7}], table


def test_without_its_lease_nothing_is_written_or_sent(database: Any) -> None:
    """A process that was stopped for an hour goes on where it was: between deciding and sending."""
    is_held = True
    tenancy = Tenancy(epoch=3, is_held=lambda: is_held)
    query, sent = FencedQuery(database, tenancy), []

    class Remembering:
        def send(self, notification: Any, /) -> None:
            sent.append(notification)

    notifier, message = FencedNotifier(Remembering(), tenancy), object()
    row = {"notification": "n", "state": "sent", "version": 2}
    query.insert("notifications", [row])
    notifier.send(message)  # type: ignore[arg-type]  # opaque here
    is_held = False

    with pytest.raises(Superseded, match="epoch 3"):
        query.insert("notifications", [row])
    with pytest.raises(Superseded, match="lease"):
        notifier.send(message)  # type: ignore[arg-type]

    assert sent == [message]
    assert query.rows("SELECT epoch FROM notifications") == [{"epoch": 3}]


def test_what_the_later_one_says_of_a_message_outweighs_the_earlier(database: Any) -> None:
    """An earlier evaluator that tried five times in vain must not make a message pending again that was sent."""
    earlier, later = (FencedQuery(database, Tenancy(epoch=epoch)) for epoch in (1, 2))
    later.insert("notifications", [{"notification": "x", "state": "sent", "version": 2}])
    earlier.insert("notifications", [{"notification": "x", "state": "pending", "version": 6}])

    found = database.rows("SELECT state FROM notifications FINAL WHERE notification = 'x'")

    assert found == [{"state": "sent"}]
