"""The collector over a spool that the disk has damaged: it starts, loads what is whole, and its books say the rest."""

import os
from collections.abc import Callable, Collection
from pathlib import Path

import pytest
from tests.collector.conftest import Run
from tests.collector.sending import count, eventually, loaded, trace_request
from tests.collector.test_loading import Down

from tocsin_collector.collector import Collector
from tocsin_collector.errors import StoreUnavailable
from tocsin_collector.load.stores import EmbeddedStore
from tocsin_collector.spool.disk import RealDisk
from tocsin_collector.spool.segments import Segment
from tocsin_collector.store.database import Database


def left_behind(run: Run, database: Database, folder: Path, *, requests: int = 6) -> Path:
    """Leave one sealed segment of two spans a request, as a collector does whose store is down."""
    collector, client = run(store=Down(database), quiet_s=5, segment_max_age_s=60)
    for number in range(requests):
        client.export(trace_request(2, number=number, word=f"word-{number}"))
    collector.stop(drain_s=0)
    [path] = (folder / "spool" / "traces").glob("*.seg")
    return path


def spoil(path: Path, change: Callable[[bytes], bytes]) -> None:
    """Change a file's bytes, not its size."""
    path.write_bytes(change(path.read_bytes()))


def balance(collector: Collector) -> tuple[int, int, int]:
    """Read the books: received, stored, damaged spans; what is left over must be none."""
    stats = collector.stats()
    assert stats.waiting_requests == stats.waiting_spans == 0
    return stats.received_spans, stats.stored_spans, stats.damaged_spans


def test_bit_that_flips_while_the_segment_waits_costs_one_request(run: Run, database: Database, tmp_path: Path) -> None:
    """The digests are compared before a segment of an earlier run is loaded: a changed span must never be stored."""
    path = left_behind(run, database, tmp_path)
    spoil(path, lambda data: data.replace(b"word-2", b"word-9"))

    collector, _ = run()
    loaded(collector)

    assert balance(collector) == (12, 10, 2)
    assert collector.stats().damaged_requests == collector.stats().damaged_files == 1
    assert count(database, "otel_traces", "SpanAttributes['word'] = 'word-9'") == 0
    assert count(database, "otel_traces") == 10
    [row] = database.rows("SELECT kind, file, requests, items, uncounted FROM spool_damage FINAL")
    assert row == {"kind": "traces", "file": path.name, "requests": 1, "items": 2, "uncounted": 0}


@pytest.mark.parametrize("left", ["index", "no index"])
def test_truncated_file_loads_what_is_whole(run: Run, database: Database, tmp_path: Path, left: str) -> None:
    """A file cut short on disk: with its index every lost span is known, without it the marks and the cut still tell."""
    path = left_behind(run, database, tmp_path)
    spoil(path, lambda data: data[:-30])
    if left == "no index":
        path.with_suffix(".idx").unlink()

    collector, _ = run()
    loaded(collector)

    assert count(database, "otel_traces") == 10
    assert collector.stats().damaged_requests == 1
    assert balance(collector) == ((12, 10, 2) if left == "index" else (10, 10, 0))


def test_damage_after_the_rows_were_stored_loses_nothing(run: Run, database: Database, tmp_path: Path) -> None:
    """Killed between insert and ledger, then a bad sector: the rows are there, and what is whole must not be stored again."""
    path = left_behind(run, database, tmp_path)
    interrupted, _ = run(store=Interrupted(database))
    eventually(lambda: count(database, "otel_traces") == 12)
    interrupted.stop(drain_s=0)
    spoil(path, lambda data: data.replace(b"word-2", b"word-9"))

    collector, _ = run()
    loaded(collector)

    assert count(database, "otel_traces") == count(database, "ai_calls") == 12
    assert balance(collector) == (12, 12, 0)
    assert not path.exists()


def test_damage_after_some_rows_were_stored_sets_the_rest_aside(run: Run, database: Database, tmp_path: Path) -> None:
    """No token fits what is left of a half-stored segment: neither lost nor doubled, so it is kept with the reason."""
    path = left_behind(run, database, tmp_path)
    interrupted, _ = run(store=Interrupted(database))
    eventually(lambda: count(database, "otel_traces") == 12)
    interrupted.stop(drain_s=0)
    database.command(
        "ALTER TABLE otel_traces DELETE WHERE SpanAttributes['word'] = 'word-1' SETTINGS mutations_sync = 1"
    )
    spoil(path, lambda data: data.replace(b"word-2", b"word-9"))

    collector, _ = run()
    loaded(collector)

    stats = collector.stats()
    assert (stats.received_spans, stats.damaged_spans, stats.dead_lettered_spans) == (12, 2, 10)
    assert count(database, "dead_letters FINAL") == 5
    assert count(database, "otel_traces") == 10


class Interrupted:
    """A store that stores, and whose answer never arrives."""

    def __init__(self, database: Database) -> None:
        self.real = EmbeddedStore(database)
        self.check = self.real.check
        self.try_out = self.real.try_out

    def insert(self, segment: Segment) -> None:
        """Store, and fail."""
        self.real.insert(segment)
        raise StoreUnavailable("the answer was lost")

    def settle(self, segment: Segment, beside: Collection[str] = ()) -> None:
        """Store what is missing, and fail."""
        self.real.settle(segment, beside)
        raise StoreUnavailable("the answer was lost")


def test_retry_is_recognised_after_load_and_restart(run: Run, database: Database) -> None:
    """The reply was lost, the process killed, the segment loaded and gone: the sender's retry is still a retry."""
    first, client = run()
    request = trace_request(2)
    client.export(request)
    loaded(first)
    first.stop()

    second, client = run()
    client.export(request)
    loaded(second)

    assert second.stats().duplicate_spans == 2
    assert count(database, "otel_traces") == 2


@pytest.mark.parametrize("name", ["notes.txt", "x.seg", "00000009.seg", "00000009.idx", "00000009.open", "9.seg"])
def test_it_starts_whatever_is_in_its_folder(run: Run, database: Database, tmp_path: Path, name: str) -> None:
    """Foreign files, empty ones, directories under our names: said, and in nobody's way."""
    folder = tmp_path / "spool" / "traces"
    folder.mkdir(parents=True)
    (folder / name).touch()
    (folder / "00000004.seg").mkdir()
    (folder / "00000005.open").write_bytes(os.urandom(500))

    collector, client = run()
    client.export(trace_request(2))
    loaded(collector)

    assert count(database, "otel_traces") == 2
    assert collector.stats().strange_files >= 1
    assert (folder / "00000004.seg").is_dir()


def test_copied_segment_is_loaded_once(run: Run, database: Database, tmp_path: Path) -> None:
    """An operator copies a segment beside itself: its spans were received once."""
    path = left_behind(run, database, tmp_path)
    copy = path.with_name("00000077.seg")
    copy.write_bytes(path.read_bytes())
    copy.with_suffix(".idx").write_bytes(path.with_suffix(".idx").read_bytes())

    collector, client = run()
    loaded(collector)
    client.export(trace_request(2, number=50))
    loaded(collector)

    assert count(database, "otel_traces") == 14
    assert balance(collector) == (14, 14, 0)


def test_write_that_could_not_be_cut_back_is_not_loaded(run: Run, database: Database) -> None:
    """The disk fails and then will not truncate either: what follows was refused, and must not be stored."""

    class Failing(RealDisk):
        fails = False

        def append(self, handle: int, parts: object, /) -> None:
            super().append(handle, parts)  # type: ignore[arg-type]
            if self.fails:
                raise OSError(5, "Input/output error")

        def cut(self, handle: int, size: int, /) -> None:
            raise OSError(5, f"Input/output error on {handle} at {size}")

    disk = Failing()
    collector, client = run(disk=disk, quiet_s=5)
    client.export(trace_request(2, number=1))
    disk.fails = True
    client.refused(trace_request(2, number=2))
    disk.fails = False
    client.export(trace_request(2, number=2))
    collector.stop()

    again, _ = run()
    loaded(again)

    assert count(database, "otel_traces") == 4
    assert collector.stats().refused_spans == 2
