"""Segments of which nobody can say what is stored: each target ends with their rows once, whatever it held before."""

import time
from collections.abc import Collection, Iterator
from pathlib import Path

import pytest
from tests.collector.sending import START_NS, count, trace_request
from tests.collector.test_loading import spooled

from tocsin_collector.collector import Collector
from tocsin_collector.errors import StoreUnavailable
from tocsin_collector.load.careful import CarefulStore
from tocsin_collector.load.ledger import Ledger
from tocsin_collector.load.stores import EmbeddedStore, ServerStore
from tocsin_collector.settings import CollectorSettings
from tocsin_collector.spool.segments import Segment
from tocsin_collector.store.database import Database

DAY_NS = 86_400_000_000_000
TARGETS = ("otel_traces", "otel_traces_trace_id_ts", "ai_calls", "ai_calls_1h", "input_histogram_1h")
Made = tuple[Database, EmbeddedStore | ServerStore]


@pytest.fixture(params=["embedded", pytest.param("server", marks=pytest.mark.server)])
def made(request: pytest.FixtureRequest, database: Database) -> Iterator[Made]:
    """A migrated store of either kind."""
    if request.param == "embedded":
        yield database, EmbeddedStore(database)
    else:
        server = request.getfixturevalue("server_database")
        yield server, ServerStore(server, database)


def totals(database: Database) -> tuple[int, ...]:
    """Count what evaluators and people would read."""
    [sums] = database.rows(
        "SELECT (SELECT sum(calls) FROM ai_calls_1h) AS calls, (SELECT sum(n) FROM input_histogram_1h WHERE kind = 'latency') AS cells"
    )
    return count(database, "otel_traces"), count(database, "ai_calls"), int(sums["calls"]), int(sums["cells"])


SERVER = pytest.mark.server
LOST = [TARGETS, ("otel_traces",), ("ai_calls", "input_histogram_1h")]
SUMMED = [(), (0,), (1,), (0, 1)]


# All of them on the embedded engine; on a server, where each takes ten seconds, those that differ most.
@pytest.mark.parametrize(
    ("made", "lost"),
    [*(("embedded", lost) for lost in LOST), *(pytest.param("server", lost, marks=SERVER) for lost in LOST[::2])],
    indirect=["made"],
)
def test_only_what_is_missing_is_filled(made: Made, tmp_path: Path, lost: tuple[str, ...]) -> None:
    """A view failed after others had stored, and the tables have forgotten the token since: it would double the others."""
    database, store = made
    segment = spooled(database, tmp_path, requests=3)
    store.insert(segment)
    for table in lost:
        database.command(f"TRUNCATE TABLE {table}")

    store.settle(segment)
    store.settle(segment)

    assert totals(database) == (6, 6, 6, 6)
    assert count(database, "otel_traces_trace_id_ts") == 6
    assert (
        database.rows("SELECT name FROM system.tables WHERE database = currentDatabase() AND name LIKE 'again%'") == []
    )


def test_a_target_that_is_torn_is_filled_whole(made: Made, tmp_path: Path) -> None:
    """Of a segment over several days a part may be there: a day more than one would be stored twice."""
    database, store = made
    segment = over_days(database, tmp_path, days=150)
    store.insert(segment)
    [row] = database.rows(
        "SELECT partition_id AS id FROM system.parts WHERE database = currentDatabase() AND table = 'otel_traces' AND active LIMIT 1"
    )
    database.command(f"ALTER TABLE otel_traces DROP PARTITION ID '{row['id']}'")

    store.settle(segment)

    assert totals(database) == (150, 150, 150, 150)


def test_sums_under_load_are_asked_again(made: Made, tmp_path: Path) -> None:
    """Another collector's segment that is in the calls and not yet in the sums must not be taken for this one's."""
    database, store = made
    segment = spooled(database, tmp_path, requests=3)
    store.insert(segment)
    database.command("INSERT INTO ai_calls_1h SELECT * REPLACE (calls - 1 AS calls) FROM ai_calls_1h LIMIT 1")

    with pytest.raises(StoreUnavailable, match="cannot be told"):
        store.settle(segment)


@pytest.mark.parametrize(
    ("made", "summed"),
    [*(("embedded", each) for each in SUMMED), *(pytest.param("server", each, marks=SERVER) for each in SUMMED[1::2])],
    indirect=["made"],
)
def test_two_segments_cut_short_together_are_told_apart(made: Made, tmp_path: Path, summed: tuple[int, ...]) -> None:
    """Two load beside each other: a power cut leaves both in the calls, and either of them in the sums or not."""
    database, store = made
    segments = [spooled(database, tmp_path / name, requests=count) for name, count in (("a", 2), ("b", 3))]
    sums = ("ai_calls_1h", "input_histogram_1h")
    for number in summed:
        store.insert(segments[number])
    for table in sums:
        database.command(f"CREATE TABLE was_{table} AS {table} ENGINE = Log")
        database.command(f"INSERT INTO was_{table} SELECT * FROM {table}")
    for segment in segments:
        store.insert(segment)
    for table in sums:
        database.command(f"TRUNCATE TABLE {table}")
        database.command(f"INSERT INTO {table} SELECT * FROM was_{table}")

    for segment, other in (segments, segments[::-1]):
        store.settle(segment, [other.hash])

    assert totals(database) == (10, 10, 10, 10)


def test_retry_under_other_settings_stores_nothing_twice(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An upgrade between the insert and the ledger may cut other blocks, which the tables would not know again."""
    segment = spooled(database, tmp_path, requests=3)
    began = Ledger(database, time.time_ns)
    began.write(segment, "begun")
    EmbeddedStore(database).insert(segment)
    monkeypatch.setattr(began, "_settings", "of an older version")
    began.write(segment, "begun")

    _recovered(database, tmp_path)

    assert totals(database) == (6, 6, 6, 6)


def test_retry_beyond_the_window_stores_nothing_twice(database: Database, tmp_path: Path) -> None:
    """A collector that was away for long finds tables that have forgotten its tokens."""
    segment = spooled(database, tmp_path, requests=3)
    EmbeddedStore(database).insert(segment)
    Ledger(database, time.time_ns).write(segment, "begun")
    for table in TARGETS:
        database.command(f"ALTER TABLE {table} MODIFY SETTING non_replicated_deduplication_window = 0")

    _recovered(database, tmp_path, later_ns=7 * DAY_NS)

    assert totals(database) == (6, 6, 6, 6)


def test_doubt_outlives_a_second_crash(database: Database, tmp_path: Path) -> None:
    """The next start writes "begun" again: that must not make it certain."""
    segment = spooled(database, tmp_path, requests=1)
    first = Ledger(database, time.time_ns)
    first.doubt(segment)
    first.write(segment, "begun")

    second = Ledger(database, time.time_ns)
    loaded = second.loaded([segment])

    assert loaded == set()
    assert second.is_doubted(segment)


def test_an_insert_that_failed_long_ago_is_settled(database: Database, tmp_path: Path) -> None:
    """A store that was down for an hour took segments of other collectors first."""
    segment = spooled(database, tmp_path, requests=1)
    done: list[str] = []

    class Flaky(EmbeddedStore):
        def insert(self, _segment: Segment) -> None:
            done.append("insert")
            raise StoreUnavailable("down")

        def settle(self, _segment: Segment, _beside: Collection[str] = ()) -> None:
            done.append("settle")

    now_s = [0.0]
    careful = CarefulStore([Flaky(database)], Ledger(database, lambda: START_NS), elapsed=lambda: now_s[0])
    for later_s in (0.0, 30.0):
        now_s[0] = later_s
        with pytest.raises(StoreUnavailable):
            careful.insert(segment)
    now_s[0] = 3600.0
    careful.insert(segment)

    assert done == ["insert", "insert", "settle"]


def over_days(database: Database, folder: Path, *, days: int) -> Segment:
    """Leave a segment of one span a day."""

    def spread(number: int) -> object:
        request = trace_request(days, number=number)
        for day, span in enumerate(request.resource_spans[0].scope_spans[0].spans):
            span.start_time_unix_nano = span.end_time_unix_nano = START_NS - day * DAY_NS
        return request

    return spooled(database, folder, requests=1, make=spread)


def _recovered(database: Database, folder: Path, *, later_ns: int = 0) -> None:
    settings = CollectorSettings(data_dir=folder, grpc_address="127.0.0.1:0", http_address=None)
    collector = Collector(settings, database, clock=lambda: time.time_ns() + later_ns)
    collector.start()
    collector.stop(drain_s=30)
    assert collector.stats().load_errors == 0
