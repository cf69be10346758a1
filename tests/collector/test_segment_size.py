"""How large segments become, and that a large one is still one block."""

import threading
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.collector.sending import count, eventually, trace_request
from tests.collector.spooled import frame, spool_file

from tocsin_collector.load.stores import EmbeddedStore, ServerStore
from tocsin_collector.settings import CollectorSettings
from tocsin_collector.spool.contents import contents_of
from tocsin_collector.spool.disk import RealDisk
from tocsin_collector.spool.frames import Contents
from tocsin_collector.spool.segments import SEALED, Segment, describe, read
from tocsin_collector.spool.spool import Spool
from tocsin_collector.store.database import Database

REQUESTS, SPANS, VALUE_BYTES = 12, 50, 60_000  # 36 MB, more than two of the pieces in which a segment is read


@dataclass
class Drain:
    """A loader that is busy, and behind until it is told that it is not."""

    sealed: list[Segment] = field(default_factory=list)
    asked: threading.Event = field(default_factory=threading.Event)
    has_caught_up: bool = False

    def is_idle(self) -> bool:
        """Never: something is always being loaded."""
        return False

    def is_behind(self) -> bool:
        """Until it has caught up."""
        self.asked.set()
        return not self.has_caught_up


def large(folder: Path) -> Segment:
    """Write a segment that is read in several pieces."""
    bodies = [
        trace_request(SPANS, number=number, note=f"{number:04}" * (VALUE_BYTES // 4)).SerializeToString()
        for number in range(REQUESTS)
    ]
    path = folder / f"00000001{SEALED}"
    spool_file(path, bodies)
    return describe("traces", path, read(path), path.stat().st_size, contents_of("traces"))


def rows_of_parts(database: Database, table: str) -> list[int]:
    """List the rows of each part that an insert wrote."""
    found = database.rows(
        "SELECT rows FROM system.parts WHERE database = currentDatabase() AND active AND table = {table:String}",
        {"table": table},
    )
    return [row["rows"] for row in found]


def test_segment_read_in_pieces_is_one_block(database: Database, tmp_path: Path) -> None:
    """A segment is taken apart in pieces to save memory; two blocks under one token would be two to a retry."""
    segment = large(tmp_path)
    store = EmbeddedStore(database)

    store.insert(segment)
    store.insert(segment)

    assert rows_of_parts(database, "otel_traces") == [REQUESTS * SPANS]
    assert rows_of_parts(database, "ai_calls") == [REQUESTS * SPANS]
    assert database.rows("SELECT sum(calls) AS n FROM ai_calls_1h") == [{"n": REQUESTS * SPANS}]


@pytest.mark.server
def test_segment_read_in_pieces_is_one_block_to_a_server(
    database: Database, server_database: Database, tmp_path: Path
) -> None:
    """The server gets the pieces one after another and must put them together before its views see them."""
    segment = large(tmp_path)
    store = ServerStore(server_database, database)

    store.insert(segment)
    store.insert(segment)

    assert rows_of_parts(server_database, "otel_traces") == [REQUESTS * SPANS]
    assert rows_of_parts(server_database, "ai_calls") == [REQUESTS * SPANS]
    assert count(server_database, "otel_traces") == REQUESTS * SPANS


def test_segment_grows_while_others_wait(tmp_path: Path) -> None:
    """Planning costs as much for a small segment: behind a slow store, many small ones would never be caught up with."""
    drain = Drain()
    settings = CollectorSettings(data_dir=tmp_path, segment_max_age_s=0.001)
    (settings.spool_dir / "traces").mkdir(parents=True)
    spool = Spool("traces", settings, RealDisk(), sealed=drain.sealed.append, drain=drain)
    spool.start()

    for number in range(3):
        drain.asked.clear()
        body = trace_request(1, number=number).SerializeToString()
        ticket = spool.submit(frame(body), Contents(items=1, last_end_ns=0), key=bytes([number]), spooled_bytes=0)
        ticket.wait(10)
        drain.asked.wait(10)
    assert not drain.sealed
    drain.has_caught_up = True
    eventually(lambda: drain.sealed)
    spool.stop()

    assert [segment.requests for segment in drain.sealed] == [3]
