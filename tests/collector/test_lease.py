"""One holder at a time, whoever stops, comes back, or reads another clock."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tocsin_collector.store.database import Database
from tocsin_collector.store.lease import RENEWAL_S, TTL_S, Holder, Lease
from tocsin_collector.store.lease_claims import TableClaims, holder_of

EPOCH_0 = datetime(2026, 3, 2, tzinfo=UTC)


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.s = 0.0

    def __call__(self) -> float:
        """Tell the time."""
        return self.s


class FakeClaims:
    """Claims as Keeper has them: an epoch can be claimed once. Its clock is the store's, and no lease may rely on it."""

    def __init__(self) -> None:
        self.kept: dict[int, Holder] = {}
        self.now = EPOCH_0

    def last(self) -> Holder | None:
        """Give the highest epoch's."""
        return self.kept[max(self.kept)] if self.kept else None

    def claim(self, epoch: int, *, holder: str, address: str) -> Holder | None:
        """Take an epoch that nobody has."""
        if epoch in self.kept:
            return None
        made = Holder(epoch=epoch, holder=holder, address=address, asked_at=self.now, beat=self._tick(), age_s=0.0)
        return self.kept.setdefault(epoch, made)

    def renew(self, held: Holder, *, released: bool = False) -> None:
        """Note that it still holds."""
        self.kept[held.epoch] = replace(held, beat=self._tick(), released=released)

    def _tick(self) -> datetime:
        self.now += timedelta(microseconds=1)
        return self.now


def lease(claims: FakeClaims, holder: str, clock: Clock) -> Lease:
    """Make one process's part."""
    return Lease(claims, holder=holder, address="127.0.0.1:1", elapsed=clock)


def test_a_lease_has_one_holder() -> None:
    """The second waits for as long as the first is heard of, however long that is."""
    claims, clock = FakeClaims(), Clock()
    first, second = lease(claims, "first", clock), lease(claims, "second", clock)
    assert first.take()

    for _ in range(20):
        clock.s += RENEWAL_S
        assert first.renew()
        assert not second.take()

    assert first.is_held
    assert not second.is_held


def test_a_silent_holder_is_followed_by_the_next_epoch() -> None:
    """The next has a higher epoch, so that readers know whom to believe."""
    claims, clock = FakeClaims(), Clock()
    first, second = lease(claims, "first", clock), lease(claims, "second", clock)
    first.take()
    assert not second.take()

    clock.s += TTL_S

    assert not first.is_held, "it must have stopped before the other may begin"
    assert second.take()
    assert (first.epoch, second.epoch) == (1, 2)
    assert not first.renew()
    assert first.epoch == 0


def test_a_lease_is_lost_by_the_clock_alone_and_not_by_giving_it_back() -> None:
    """Who has to end must not have to ask the store, which may be why it was not renewed."""
    claims, clock = FakeClaims(), Clock()
    first, second = lease(claims, "first", clock), lease(claims, "second", clock)
    first.take()
    second.take()
    seen = [(first.is_lost, second.is_lost)]

    clock.s += TTL_S
    seen.append((first.is_lost, second.is_lost))
    second.take()
    second.release()

    assert seen == [(False, False), (True, False)]
    assert (first.is_lost, second.is_lost) == (True, False)


def test_who_begins_gives_the_holder_time_whatever_the_stores_clock_says() -> None:
    """Set forward by hours, it makes every claim look old; a takeover then would make two evaluators."""
    claims, clock = FakeClaims(), Clock()
    first, second = lease(claims, "first", clock), lease(claims, "second", clock)
    first.take()
    claims.now += timedelta(hours=5)

    assert not second.take()
    clock.s += RENEWAL_S
    assert first.renew()
    clock.s += TTL_S - 1

    assert not second.take(), "it has been heard of since"


def test_of_two_who_ask_at_once_one_has_it() -> None:
    """Both found it free; the second claim to the same epoch is refused."""
    claims, clock = FakeClaims(), Clock()
    late = lease(claims, "late", clock)

    class Racing(FakeClaims):
        def last(self) -> Holder | None:
            seen = claims.last()
            late.take()
            return seen

    racing = Racing()
    racing.kept = claims.kept
    early = lease(racing, "early", clock)

    assert not early.take()
    assert late.is_held


def test_a_claim_that_took_too_long_is_none() -> None:
    """A process that stood still between asking and having it may not act: another may have begun meanwhile."""
    clock = Clock()

    class Slow(FakeClaims):
        def claim(self, epoch: int, *, holder: str, address: str) -> Holder | None:
            made = super().claim(epoch, holder=holder, address=address)
            clock.s += TTL_S
            return made

    assert not lease(Slow(), "first", clock).take()


def test_a_lease_given_back_is_taken_at_once() -> None:
    """An upgrade should not cost a quarter of a minute of evaluation."""
    claims, clock = FakeClaims(), Clock()
    first, second = lease(claims, "first", clock), lease(claims, "second", clock)
    first.take()

    first.release()

    assert not first.is_held
    assert second.take()
    assert second.epoch == 2


@pytest.mark.parametrize("moved", ["", "127.0.0.1:9"])
def test_claims_in_a_table_are_read_back(database: Database, moved: str) -> None:
    """Who refuses to start says who holds the lease, since when, and where it listens."""
    claims = TableClaims(database, "evaluator", sleep=lambda _s: None)
    held = Lease(claims, holder="host:1", address="127.0.0.1:1")
    assert held.take()
    if moved:
        held.moved_to(moved)
    assert held.renew()

    found = holder_of(database, "evaluator")

    assert found is not None
    assert (found.epoch, found.holder, found.address) == (1, "host:1", moved or "127.0.0.1:1")
    assert found.is_live
    held.release()
    left = holder_of(database, "evaluator")
    assert left is not None
    assert not left.is_live


def test_a_claim_in_a_table_that_was_not_the_first_is_none(database: Database) -> None:
    """Two found the table empty: after a pause both see both claims, and only one of them is the first."""
    late = TableClaims(database, "evaluator", sleep=lambda _s: None)

    def race(_seconds: float) -> None:
        assert late.claim(1, holder="late", address="") is None

    early = TableClaims(database, "evaluator", sleep=race)

    assert early.claim(1, holder="early", address="") is not None


def test_epochs_in_a_table_go_on_from_those_that_began(database: Database) -> None:
    """A store whose lease moves from Keeper to a table must not begin at 1 again: every row would count as stale."""
    database.insert("takeovers", [{"epoch": (41 << 10) + 3, "at": EPOCH_0}])
    held = Lease(TableClaims(database, "evaluator", sleep=lambda _s: None), holder="host:1", address="")

    assert held.take()

    assert held.epoch == 42
