"""An older version's spool, and tables of the next version: what was acknowledged is in every table once."""

import time
from collections.abc import Collection
from pathlib import Path

import pytest
from tests.collector.conftest import NOW, Run
from tests.collector.sending import count, loaded, trace_request
from tests.collector.test_loading import spooled
from tests.collector.test_settling import totals

from tocsin_collector.errors import StoreUnavailable
from tocsin_collector.load.careful import CarefulStore
from tocsin_collector.load.decoder import Kind
from tocsin_collector.load.ledger import Ledger
from tocsin_collector.load.stores import EmbeddedStore, ServerStore
from tocsin_collector.spool.frames import Envelope, Frame, digest, varint
from tocsin_collector.spool.segments import Segment
from tocsin_collector.store.database import Database
from tocsin_collector.store.migrate import Migration, migrate, shipped

LATER = Migration(
    name="9999_later.sql",
    text="""
ALTER TABLE spans_in ${on_cluster} ADD COLUMN IF NOT EXISTS Later String;
ALTER TABLE otel_traces ${on_cluster} ADD COLUMN IF NOT EXISTS Later String;
ALTER TABLE ai_calls ${on_cluster} ADD COLUMN IF NOT EXISTS later String;
ALTER TABLE load_ledger ${on_cluster} ADD COLUMN IF NOT EXISTS later String;
""",
)


def test_frames_without_a_mark_are_loaded(run: Run, database: Database, tmp_path: Path) -> None:
    """An upgrade over a full spool: before marks and indexes, a frame was a length, the request and three fields of ours."""
    folder = tmp_path / "spool" / "traces"
    folder.mkdir(parents=True)
    for name, numbers in (("0000000000000001.seg", range(3)), ("0000000000000002.open", range(3, 6))):
        (folder / name).write_bytes(b"".join(unmarked(number) for number in numbers))

    collector, client = run()
    loaded(collector)
    client.export(trace_request(2, number=6))
    loaded(collector)

    assert totals(database) == (14, 14, 14, 14)
    assert list(folder.glob("*.seg")) == []


@pytest.mark.parametrize("kind", ["embedded", pytest.param("server", marks=pytest.mark.server)])
def test_version_before_loads_into_tables_of_the_next(
    request: pytest.FixtureRequest, database: Database, tmp_path: Path, kind: str
) -> None:
    """Whoever goes back finds columns that his decoding does not fill: they take their defaults, and settling works."""
    over = database if kind == "embedded" else request.getfixturevalue("server_database")
    store = EmbeddedStore(over) if kind == "embedded" else ServerStore(over, database)
    migrate(over, now=NOW, version="1.5.0", known=(*shipped(), LATER))
    assert migrate(over, now=NOW, version="1.4.0") == ()
    segment = spooled(over, tmp_path, requests=3)

    Ledger(over, time.time_ns).write(segment, "begun")
    store.insert(segment)
    store.insert(segment)
    store.settle(segment)

    assert totals(over) == (6, 6, 6, 6)
    assert over.rows("SELECT DISTINCT Later FROM otel_traces") == [{"Later": ""}]


def test_version_without_its_last_files_runs_on_todays_tables(database: Database) -> None:
    """The rule of the next minor number, with the files that there are."""
    database.command("TRUNCATE TABLE schema_migrations")
    migrate(database, now=NOW, version="1.5.0")

    assert migrate(database, now=NOW, version="1.4.0", known=shipped()[:-3]) == ()


def test_migration_between_insert_and_retry_puts_a_segment_in_doubt(database: Database, tmp_path: Path) -> None:
    """Tables that were altered do not know a token again: the same insert would store calls twice."""
    segment = spooled(database, tmp_path, requests=3)
    Ledger(database, time.time_ns).write(segment, "begun")
    EmbeddedStore(database).insert(segment)
    migrate(database, now=NOW, known=(*shipped(), LATER))

    after = Ledger(database, time.time_ns)
    after.loaded([segment])
    CarefulStore([EmbeddedStore(database)], after).insert(segment)

    assert after.is_doubted(segment)
    assert totals(database) == (6, 6, 6, 6)


def test_retry_after_others_migrated_is_settled(database: Database, tmp_path: Path) -> None:
    """Collectors of a store are upgraded one by one: one that runs meanwhile retries into other tables."""

    class Unanswered(EmbeddedStore):
        answers = False

        def insert(self, segment: Segment) -> None:
            super().insert(segment)
            if not self.answers:
                raise StoreUnavailable("the answer was lost")

    store, ledger = Unanswered(database), Ledger(database, time.time_ns)
    careful = CarefulStore([store], ledger)
    segment = spooled(database, tmp_path, requests=3)
    ledger.write(segment, "begun")
    with pytest.raises(StoreUnavailable):
        careful.insert(segment)
    migrate(database, now=NOW, known=(*shipped(), LATER))
    store.answers = True

    careful.insert(segment)

    assert totals(database) == (6, 6, 6, 6)
    assert count(database, "otel_traces_trace_id_ts") == 6


def unmarked(number: int) -> bytes:
    """Write a frame as the version before marks did."""
    body = trace_request(2, number=number).SerializeToString()
    frame = Frame(body=body, envelope=Envelope(project="default", received_ns=time.time_ns(), digest=digest(body)))
    return varint(len(body) + len(frame.tail())) + body + frame.tail()


class _Failing:
    """A store whose first insert fails in some way; says what it was asked for."""

    def __init__(self, error: StoreUnavailable) -> None:
        self.asked: list[str] = []
        self._errors = [error]

    def insert(self, _segment: Segment) -> None:
        self.asked.append("insert")
        if self._errors:
            raise self._errors.pop()

    def settle(self, _segment: Segment, _beside: Collection[str] = ()) -> None:
        self.asked.append("settle")

    def try_out(self, _segment: Segment) -> None:
        raise AssertionError("nobody asks for it")

    def check(self, _kind: Kind, _path: Path) -> None:
        raise AssertionError("nobody asks for it")


@pytest.mark.parametrize(
    ("facts", "place", "then"),
    [
        ({}, "disk:backups/monday", "settle"),
        ({"nothing_sent": True}, "disk:backups/monday", "insert"),
        ({}, "", "insert"),
        ({"is_unknown": True}, "", "settle"),
    ],
    ids=[
        "sent before a restore",
        "never sent",
        "refused before a node came",
        "on one replica, and the other is another now",
    ],
)
def test_tables_made_anew_put_in_doubt_what_may_be_in_them(
    database: Database, tmp_path: Path, facts: dict[str, bool], place: str, then: str
) -> None:
    """Settling costs seconds, and a dozen at once cannot be told apart: what waited for a dead shard is simply inserted."""
    segment, error = spooled(database, tmp_path, requests=3), StoreUnavailable("away")
    for name, value in facts.items():
        setattr(error, name, value)
    inner = _Failing(error)
    ledger = Ledger(database, time.time_ns)
    ledger.write(segment, "begun")
    store = CarefulStore([inner], ledger)
    with pytest.raises(StoreUnavailable):
        store.insert(segment)
    database.insert("restores", [{"restore": "r", "at": NOW, "place": place, "shard": 2}])

    store.insert(segment)

    assert inner.asked == ["insert", then]
