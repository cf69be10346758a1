"""From spool to store when the store says no, the disk fails, or the process restarts."""

import errno
import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import grpc
import pytest
from tests.collector.conftest import Run
from tests.collector.sending import START_NS, Client, count, eventually, loaded, trace_request

from tocsin_collector.collector import Collector
from tocsin_collector.errors import StoreRejected, StoreUnavailable
from tocsin_collector.instants import instant
from tocsin_collector.load.decoder import Kind
from tocsin_collector.load.stores import EmbeddedStore
from tocsin_collector.settings import CollectorSettings
from tocsin_collector.spool.disk import RealDisk
from tocsin_collector.spool.segments import Segment, read
from tocsin_collector.store.database import Database

# Two members of one oneof: legal protobuf, the last one holds; the engine refuses it.
DUPLICATE_ONEOF = b"\x0a\x05first\x0a\x06second"


def poisoned(number: int) -> bytes:
    """Make a request that upb reads and the engine does not."""
    request = trace_request(2, number=number, odd="@@@@@@@@@@@@@@@").SerializeToString()
    return request.replace(b"\x0a\x0f" + b"@" * 15, DUPLICATE_ONEOF + b"\x0a\x00")


class Refusing:
    """A real store that refuses requests which hold a word, as the engine refuses what it cannot decode."""

    def __init__(self, database: Database, word: bytes) -> None:
        self.real = EmbeddedStore(database)
        self.word = word

    def insert(self, segment: Segment) -> None:
        """Refuse the segment, or store it."""
        self.check(segment.kind, segment.path)
        self.real.insert(segment)

    def check(self, kind: Kind, path: Path) -> None:
        """Refuse or pass."""
        if self.word in path.read_bytes():
            raise StoreRejected("expected something else")
        self.real.check(kind, path)

    def try_out(self, segment: Segment) -> None:
        """As the real one does."""
        self.real.try_out(segment)


class Down(Refusing):
    """A store that does not answer until it is told to."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, b"\xff" * 40)
        self.is_up = threading.Event()
        self.asked = threading.Event()

    def insert(self, segment: Segment) -> None:
        """Say that it is down, or store."""
        self.asked.set()
        if not self.is_up.is_set():
            raise StoreUnavailable("down")
        super().insert(segment)


def test_request_that_the_engine_misreads_is_written_anew(run: Run, database: Database) -> None:
    """Legal protobuf that the engine refuses is our problem, not the sender's: every span of it must arrive."""
    collector, client = run(quiet_s=0.2)

    for number, body in enumerate([trace_request(2, number=1), poisoned(2), trace_request(2, number=3)]):
        client.export(body)
        assert collector.stats().received_requests == number + 1
    loaded(collector)

    assert count(database, "otel_traces") == 6
    assert count(database, "otel_traces", "SpanAttributes['odd'] = ''") == 6
    assert count(database, "dead_letters") == 0
    assert collector.stats().load_errors >= 1


def test_hopeless_request_is_set_aside_and_its_neighbours_load(run: Run, database: Database) -> None:
    """One request must never stop the others, nor vanish: it is kept whole, with the reason."""
    collector, client = run(store=Refusing(database, b"poison"), quiet_s=0.2)
    bad = trace_request(2, number=7, word="poison")

    for number in range(5):
        client.export(trace_request(2, number=number))
    client.export(bad)
    client.export(trace_request(2, number=8))
    loaded(collector)

    [letter] = database.rows("SELECT kind, reason, hex(body) AS body, project FROM dead_letters FINAL")
    stats = collector.stats()
    assert count(database, "otel_traces") == 12
    assert letter["reason"] == "expected something else"
    assert bytes.fromhex(letter["body"]) == bad.SerializeToString()
    assert (stats.received_spans, stats.stored_spans, stats.dead_lettered_spans) == (14, 12, 2)
    assert stats.spool_bytes == 0


def test_store_that_is_down_costs_only_time(run: Run, database: Database) -> None:
    """Spans are acknowledged while the database is away, and arrive once when it is back."""
    store = Down(database)
    collector, client = run(store=store)

    client.export(trace_request(3))
    assert store.asked.wait(20)
    held_back = collector.watermark().complete_to
    waiting = collector.stats().waiting_spans
    store.is_up.set()
    loaded(collector)

    assert waiting == 3
    assert held_back < collector.watermark().complete_to
    assert count(database, "otel_traces") == 3


def test_stop_leaves_in_the_spool_what_the_store_cannot_take(run: Run, database: Database) -> None:
    """SIGTERM with the database down: the process must end, and the next one go on."""
    collector, client = run(store=Down(database))
    client.export(trace_request(3))

    collector.stop(drain_s=0)
    again, _ = run()
    loaded(again)

    assert count(database, "otel_traces") == 3
    assert again.stats().stored_spans == 3


def test_same_segment_again_stores_nothing_more(database: Database, tmp_path: Path) -> None:
    """A crash after the insert and before the ledger: the insert is repeated, the token makes it one, in every target."""
    segment = spooled(database, tmp_path, requests=3)
    store = EmbeddedStore(database)

    store.insert(segment)
    store.insert(segment)

    assert count(database, "otel_traces") == count(database, "ai_calls") == 6
    assert database.rows("SELECT sum(calls) AS n FROM ai_calls_1h") == [{"n": 6}]
    assert database.rows("SELECT sum(n) AS n FROM input_histogram_1h WHERE kind = 'latency'") == [{"n": 6}]


def test_target_that_failed_is_filled_by_the_retry(database: Database, tmp_path: Path) -> None:
    """A view may fail after another has stored: the same segment again fills the one and leaves the other as it is."""
    segment = spooled(database, tmp_path, requests=3)
    store = EmbeddedStore(database)
    database.command("RENAME TABLE ai_calls_1h TO elsewhere")
    with pytest.raises((StoreRejected, StoreUnavailable)):
        store.insert(segment)
    database.command("RENAME TABLE elsewhere TO ai_calls_1h")

    store.insert(segment)

    assert count(database, "otel_traces") == count(database, "ai_calls") == 6
    assert database.rows("SELECT sum(calls) AS n FROM ai_calls_1h") == [{"n": 6}]
    assert database.rows("SELECT sum(n) AS n FROM input_histogram_1h WHERE kind = 'latency'") == [{"n": 6}]


def test_segment_over_many_days_is_one_insert(run: Run, database: Database) -> None:
    """Replayed history crosses hundreds of daily partitions in one request; none of its spans may go missing."""
    collector, client = run()
    request = trace_request(200)
    for day, span in enumerate(request.resource_spans[0].scope_spans[0].spans):
        span.start_time_unix_nano = span.end_time_unix_nano = START_NS - day * 86_400_000_000_000

    client.export(request)
    loaded(collector)

    assert count(database, "otel_traces") == count(database, "ai_calls") == 200
    assert collector.stats().load_errors == 0


def test_disk_that_fills_up_refuses_and_recovers(run: Run, database: Database) -> None:
    """No room on the disk: the sender is asked to wait, nothing half-written is ever loaded, and it passes."""

    class Full(RealDisk):
        is_full = True

        def append(self, handle: int, parts: Sequence[bytes], /) -> None:
            if self.is_full:
                os.write(handle, b"".join(parts)[:50])
                raise OSError(errno.ENOSPC, "No space left on device")
            super().append(handle, parts)

    disk = Full()
    collector, client = run(disk=disk)
    request = trace_request(3)

    refusal = client.refused(request)
    disk.is_full = False
    client.export(request)
    loaded(collector)

    assert refusal.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert "No space left" in refusal.details()
    assert count(database, "otel_traces") == 3
    stats = collector.stats()
    assert (stats.received_spans, stats.refused_spans, stats.stored_spans) == (6, 3, 3)


def test_books_balance_under_concurrent_senders(run: Run, database: Database) -> None:
    """Received = stored + duplicate + refused + dead-lettered + waiting, whoever sends what at the same time."""
    collector, client = run(segment_max_bytes=2_000)
    requests = [trace_request(5, number=number // 2) for number in range(60)]  # each twice

    threads = [threading.Thread(target=lambda part=requests[n::4]: [client.export(r) for r in part]) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    loaded(collector)

    stats = collector.stats()
    assert (stats.received_spans, stats.stored_spans, stats.duplicate_spans) == (300, 150, 150)
    assert count(database, "otel_traces") == 150
    assert stats.segments_loaded > 1
    eventually(lambda: not list((collector._settings.spool_dir / "traces").iterdir()))


def test_restart_knows_the_watermark_and_the_recent_requests(run: Run, database: Database) -> None:
    """The data clock must not fall back, and a retry over a restart must still be recognised while it waits."""
    first, client = run(store=Down(database))
    request = trace_request(2)
    client.export(request)
    first.stop(drain_s=0)

    second, client = run()
    client.export(request)
    loaded(second)
    mark = second.watermark().data_complete_to
    second.stop()
    third, _ = run()

    assert count(database, "otel_traces") == 2
    assert second.stats().duplicate_spans == 2
    assert third.watermark().data_complete_to == mark


def test_loaded_segment_found_on_disk_is_only_removed(run: Run, database: Database, tmp_path: Path) -> None:
    """A crash after the ledger said loaded and before the file was gone must not load it again."""
    segment = spooled(database, tmp_path, requests=2)
    body = segment.path.read_bytes()
    collector, _ = run()
    loaded(collector)
    collector.stop()
    segment.path.write_bytes(body)

    again, _ = run()

    assert again.stats().received_requests == 0
    assert not segment.path.exists()
    assert count(database, "otel_traces") == 4


def spooled(
    database: Database,
    folder: Path,
    *,
    requests: int,
    make: Callable[[int], Any] = lambda number: trace_request(2, number=number, tocsin__input__ink=0.5),
) -> Segment:
    """Leave a sealed segment of requests of two spans each, as a crash before its load does."""
    settings = CollectorSettings(data_dir=folder, grpc_address="127.0.0.1:0", quiet_s=5, segment_max_age_s=60)
    collector = Collector(settings, database, stores=[Down(database)])
    collector.start()
    client = Client(collector.grpc_port)
    for number in range(requests):
        client.export(make(number))
    client.channel.close()
    collector.stop(drain_s=0)
    [path] = (folder / "spool" / "traces").glob("*.seg")
    frames: list[Any] = read(path)
    from tocsin_collector.spool.contents import contents_of
    from tocsin_collector.spool.segments import describe

    assert frames[0].envelope.received_ns > 0
    assert instant(frames[0].envelope.received_ns).year >= 2026
    return describe("traces", path, frames, path.stat().st_size, contents_of("traces"))
