"""The project of a request is its key's, and a key is known by proof, never by what it says of itself."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tocsin_collector.errors import KeyProblem, Overloaded, StoreUnavailable, Unauthenticated
from tocsin_collector.receive.ingest_keys import IngestKeys, hash_of
from tocsin_collector.receive.key_book import KeyBook
from tocsin_collector.store.database import Database

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@dataclass
class FakeStore:
    """Holds rows; unreachable when told to be."""

    held: dict[str, list[Mapping[str, Any]]] = field(default_factory=lambda: {"ingest_keys": [], "audit_log": []})
    is_down: bool = False

    def rows(self, _sql: str, _parameters: Mapping[str, Any] | None = None, /) -> list[dict[str, Any]]:
        """Give the newest row of each key."""
        if self.is_down:
            raise StoreUnavailable("down")
        newest = {row["key_id"]: dict(row) for row in sorted(self.held["ingest_keys"], key=lambda row: row["at"])}
        return list(newest.values())

    def insert(self, table: str, rows: list[Mapping[str, Any]], /) -> None:
        """Keep rows."""
        if self.is_down:
            raise StoreUnavailable("down")
        self.held[table] += rows


@dataclass
class Clock:
    """Seconds that pass when told to."""

    now_s: float = 1000.0

    def __call__(self) -> float:
        """Read it."""
        return self.now_s


@pytest.fixture
def store() -> FakeStore:
    """An empty store."""
    return FakeStore()


@pytest.fixture
def clock() -> Clock:
    """A clock that stands still."""
    return Clock()


def _ring(store: FakeStore, clock: Clock, *, required: bool = True) -> IngestKeys:
    ring = IngestKeys(store, required=required, clock=clock)
    ring.refresh()
    return ring


@pytest.mark.parametrize("shown", ["{key}", "Bearer {key}", "bearer   {key}", " {key} "])
def test_a_key_gives_its_project(store: FakeStore, clock: Clock, shown: str) -> None:
    """With Bearer as the standard header has it, or bare as in x-tocsin-key."""
    made = KeyBook(store).create("shop", name="", by="ann", now=NOW)

    assert _ring(store, clock).project_of(shown.format(key=made.key)) == "shop"


def test_without_a_key_a_sender_is_default_or_refused(store: FakeStore, clock: Clock) -> None:
    """On loopback nothing has to be configured; beyond it a key is needed."""
    assert _ring(store, clock, required=False).project_of(None) == "default"

    with pytest.raises(Unauthenticated, match=r"got none: make one with 'tocsin keys create PROJECT'"):
        _ring(store, clock).project_of(None)


@pytest.mark.parametrize("required", [True, False])
def test_a_wrong_key_is_refused_even_where_none_is_needed(store: FakeStore, clock: Clock, required: bool) -> None:
    """Who means to be a project must not silently become another one."""
    made = KeyBook(store).create("shop", name="", by="ann", now=NOW)
    ring = _ring(store, clock, required=required)
    wrong = [
        "",
        "Bearer",
        "tk_",
        "tk__",
        f"tk_{made.facts.key_id}_",
        made.key[:-1],
        made.key + "0",
        "Basic YTpi",
        "x" * 9999,
    ]

    for text in wrong:
        with pytest.raises(Unauthenticated):
            ring.project_of(text)


def test_no_message_contains_what_was_shown(store: FakeStore, clock: Clock) -> None:
    """Messages end up in logs of both sides; a mistyped key is still most of a key."""
    book = KeyBook(store)
    made = book.create("shop", name="", by="ann", now=NOW)
    book.revoke(made.facts.key_id, by="ann", now=NOW)
    ring = _ring(store, clock)
    secret = made.key.rpartition("_")[2]

    for text in (made.key, made.key[:-1], f"tk_ffffffffffff_{secret}"):
        with pytest.raises(Unauthenticated) as refused:
            ring.project_of(text)
        assert secret[:8] not in str(refused.value)
    assert secret not in repr(made)


def test_only_a_hash_is_stored(store: FakeStore) -> None:
    """A copy of the table lets nobody send."""
    made = KeyBook(store).create("shop", name="ci", by="ann", now=NOW)

    (row,) = store.held["ingest_keys"]
    assert row["hash"] == hash_of(made.key)
    assert made.key.rpartition("_")[2] not in str(store.held)


def test_a_revoked_key_is_refused_with_its_id_after_the_next_look(store: FakeStore, clock: Clock) -> None:
    """Another collector of the same store learns of it by looking."""
    book = KeyBook(store)
    made = book.create("shop", name="", by="ann", now=NOW)
    ring = _ring(store, clock, required=False)
    book.revoke(made.key, by="bob", now=NOW)

    ring.refresh()

    with pytest.raises(Unauthenticated, match=f"tk_{made.facts.key_id}_… of project shop was revoked"):
        ring.project_of(made.key)


def test_the_ring_looks_often_enough_by_itself(store: FakeStore) -> None:
    """Five seconds are promised; the ring's own period is a third of that, and shorter here."""
    ring = IngestKeys(store, required=True, period_s=0.001)
    ring.start()
    try:
        made = KeyBook(store).create("shop", name="", by="ann", now=NOW)
        for _ in range(10_000):
            try:
                assert ring.project_of(made.key) == "shop"
                break
            except Unauthenticated:
                ring._ended.wait(0.001)
        else:
            pytest.fail("the ring never looked")
    finally:
        ring.stop()
    assert IngestKeys(store, required=True)._period_s <= 2


def test_known_keys_hold_while_the_store_is_down_but_not_for_ever(store: FakeStore, clock: Clock) -> None:
    """An outage must not cost spans; a day without word might hide a revocation, so senders are asked to wait."""
    made = KeyBook(store).create("shop", name="", by="ann", now=NOW)
    ring = _ring(store, clock)
    store.is_down = True

    with pytest.raises(StoreUnavailable):
        ring.refresh()
    clock.now_s += 23 * 3600
    assert ring.project_of(made.key) == "shop"

    clock.now_s += 2 * 3600
    with pytest.raises(Overloaded, match="24 h"):
        ring.project_of(made.key)


def test_revoking_again_changes_nothing(store: FakeStore) -> None:
    """Who revoked it first, and when, is what an investigation asks."""
    book = KeyBook(store)
    made = book.create("shop", name="", by="ann", now=NOW)

    first = book.revoke(made.facts.key_id, by="bob", now=NOW)
    again = book.revoke(made.facts.key_id, by="eve", now=NOW + timedelta(days=1))

    assert again == first
    assert (again.revoked_by, again.revoked_at) == ("bob", NOW)


@pytest.mark.parametrize("project", ["", "a b", "a/b", "-a", "x" * 65, "a\n", "ä"])
def test_a_project_is_a_plain_name(store: FakeStore, project: str) -> None:
    """It stands in URLs, labels and selectors."""
    with pytest.raises(KeyProblem, match="expected a project"):
        KeyBook(store).create(project, name="", by="ann", now=NOW)


def test_an_unknown_id_is_a_finding_of_its_own(store: FakeStore) -> None:
    """Believing a key revoked that is not would be the worst outcome."""
    with pytest.raises(KeyProblem, match="expected the id of a key"):
        KeyBook(store).revoke("0123456789ab", by="ann", now=NOW)


@pytest.fixture(params=["embedded", pytest.param("server", marks=pytest.mark.server)])
def real(request: pytest.FixtureRequest) -> Any:
    """Each store that the table lives in."""
    return request.getfixturevalue("database" if request.param == "embedded" else "server_database")


def test_both_stores_keep_the_book(real: Database) -> None:
    """The same statements on the embedded engine and on a server, and every act on record."""
    book = KeyBook(real)
    ring = IngestKeys(real, required=True)
    kept = book.create("shop", name="checkout", by="ann", now=NOW)
    lost = book.create("labs", name="", by="ann", now=NOW)
    book.revoke(lost.facts.key_id, by="bob", now=NOW - timedelta(hours=1))  # a clock put back must not undo it

    ring.refresh()

    assert ring.project_of(kept.key) == "shop"
    with pytest.raises(Unauthenticated, match="revoked"):
        ring.project_of(lost.key)
    assert [facts.project for facts in book.listed()] == ["labs", "shop"]
    assert book.listed("shop") == [kept.facts]
    acts = [
        (row["action"], row["actor"]) for row in real.rows("SELECT action, actor FROM audit_log ORDER BY action, at")
    ]
    assert acts == [("key create", "ann"), ("key create", "ann"), ("key revoke", "bob")]
