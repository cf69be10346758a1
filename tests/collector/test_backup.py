"""Backups of the embedded engine, and what of a backup is decided without any store."""

import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.collector.conftest import Run
from tests.collector.sending import count, eventually, loaded, trace_request
from tests.collector.test_normalisation import span_segment, spans

from tocsin_collector.errors import BackupProblem
from tocsin_collector.load.stores import EmbeddedStore
from tocsin_collector.store.backup import take_backup
from tocsin_collector.store.backup_place import Place, parse_place
from tocsin_collector.store.database import Database, StoreAddress
from tocsin_collector.store.hold import HOLD, held, held_by
from tocsin_collector.store.inventory import Counted, compare, count_tables, of_one_server
from tocsin_collector.store.restore import restore

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
CALL = {"tocsin.use_case": "ticket-triage", "tocsin.output.label": "billing", "tocsin.input.ink": 0.5}
ON_A_SERVER = StoreAddress(url="http://127.0.0.1:8123")


def identity() -> str:
    """Make an id as a caller does."""
    return uuid.uuid4().hex


def test_what_was_backed_up_comes_back_and_what_came_later_does_not(database: Database, tmp_path: Path) -> None:
    """The one promise of a backup; the second adds to the first, and both are needed."""
    places = [Place(kind="file", holder="", path=str(tmp_path / name)) for name in ("whole", "added")]
    store, sizes = EmbeddedStore(database), []
    for number, place in enumerate(places):
        store.insert(span_segment(tmp_path, spans(*[CALL] * 50), number=number))
        base = places[0] if number else None
        taken = take_backup(database, place, identity=identity(), now=NOW, version="1", base=base)
        sizes.append(sum(each.stat().st_size for each in Path(place.path).rglob("*.bin")))
    then = count_tables(database)
    store.insert(span_segment(tmp_path, spans(*[CALL] * 50), number=2))

    with pytest.raises(BackupProblem, match="expected an empty store"):
        restore(database, places[1], identity=identity, now=NOW, version="1")
    restored = restore(database, places[1], identity=identity, now=NOW, version="1", overwrite=True)

    assert {each.verdict for each in restored.tables} == {"same"}
    assert {"otel_traces", "ai_calls", "ai_calls_1h"} <= {each.table for each in restored.tables}
    assert (restored.backup.backup, restored.backup.base) == (taken.backup.backup, str(places[0]))
    assert sizes[1] < sizes[0]
    assert {each.table: each for each in count_tables(database)}.items() >= {each.table: each for each in then}.items()
    store.insert(span_segment(tmp_path, spans(*[CALL] * 50), number=2))  # its views are there again
    assert database.rows("SELECT count() AS n FROM ai_calls") == [{"n": 150}]


def test_segments_wait_while_a_backup_is_taken(run: Run, database: Database) -> None:
    """A segment goes into several tables, which a backup reads one after the other: it would be in some and not in others."""
    collector, client = run(quiet_s=0.0)

    with held(database, "disk:backups/monday"):
        client.export(trace_request(3))
        eventually(lambda: collector.stats().load_errors > 0)
        stored = count(database, "otel_traces")
    loaded(collector)

    assert stored == 0
    assert count(database, "otel_traces") == 3


def test_hold_of_whoever_died_ends(database: Database) -> None:
    """Senders would be refused once the spool is full, for a backup that nobody takes any more."""
    old = datetime.now(UTC) - timedelta(minutes=2)
    row = {"backup": HOLD, "at": old, "place": "disk:backups/monday", "base": "", "version": "", "shards": 0}
    database.insert("backups", [{**row, "tables": [], "views": [], "counts": []}])

    assert held_by(database) == ""


def test_nothing_is_written_over_another_backup(database: Database, tmp_path: Path) -> None:
    """Cron with a fixed name would replace the good backup by that of the empty store."""
    place = Place(kind="file", holder="", path=str(tmp_path / "backup"))
    take_backup(database, place, identity=identity(), now=NOW, version="1")

    with pytest.raises(BackupProblem, match="already exists"):
        take_backup(database, place, identity=identity(), now=NOW, version="1")


@pytest.mark.parametrize(
    ("text", "sql"),
    [
        ("disk:backups/2026-03-02", "Disk('backups', '2026-03-02')"),
        ("s3:bucket/tocsin/monday", "S3(bucket, 'tocsin/monday')"),
        ("file:/var/backups/monday", "File('/var/backups/monday')"),
    ],
)
def test_place_is_said_as_the_engine_takes_it(text: str, sql: str) -> None:
    """What people write is written down in the backup, and must lead there again."""
    place = parse_place(text, ON_A_SERVER)

    assert (place.sql, str(place)) == (sql, text)


@pytest.mark.parametrize("text", ["", "monday", "disk:backups", "disk:b/../../etc", "file:relative", "s3:b/x', 'y"])
def test_anything_else_is_no_place(text: str) -> None:
    """It is written into a statement as it stands."""
    with pytest.raises(BackupProblem, match="expected a place"):
        parse_place(text, ON_A_SERVER)


def test_tables_are_compared_by_rows_and_by_what_is_in_them() -> None:
    """Rows that arrived while the backup was taken are no fault, rows that are missing are."""
    then = [Counted(shard=0, table=name, rows=10, checksum=1) for name in ("a", "b", "c", "d", "e")]
    now = [
        Counted(shard=0, table="a", rows=10, checksum=1),
        Counted(shard=0, table="b", rows=10, checksum=2),
        Counted(shard=0, table="c", rows=11, checksum=3),
        Counted(shard=0, table="d", rows=9, checksum=1),
    ]

    verdicts = [each.verdict for each in compare(then, now)]

    assert verdicts == ["same", "changed", "more", "fewer", "fewer"]


def test_shards_in_one_server_are_their_sum() -> None:
    """A cluster's backup in one server is held against all of its shards."""
    whole = of_one_server(
        [
            Counted(shard=1, table="a", rows=3, checksum=2**64 - 1),
            Counted(shard=2, table="a", rows=4, checksum=2),
            Counted(shard=1, table="b", rows=5, checksum=None),
        ]
    )

    assert whole == [
        Counted(shard=0, table="a", rows=7, checksum=1),
        Counted(shard=0, table="b", rows=5, checksum=None),
    ]
