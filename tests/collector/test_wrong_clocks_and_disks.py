"""What bench/faults.py uncovered, each as small as it gets."""

import errno
from collections.abc import Sequence
from pathlib import Path

import pytest
from clickhouse_connect.driver.exceptions import DatabaseError
from tests.collector.conftest import Run
from tests.collector.sending import count, trace_request

from tocsin_collector.errors import StoreUnavailable
from tocsin_collector.load.ledger import Ledger
from tocsin_collector.spool import disk as disk_module
from tocsin_collector.spool.disk import RealDisk
from tocsin_collector.spool.segments import Segment
from tocsin_collector.store.connection import translated
from tocsin_collector.store.database import Database

SEGMENT = Segment(
    kind="traces", path=Path("00000001.seg"), hash="5e9", requests=1, items=2, size_bytes=3, first_received_ns=1,
    last_received_ns=1, last_end_ns=1,
)  # fmt: skip
NOW_NS, TEN_YEARS_NS = 1_772_452_800_000_000_000, 315_360_000_000_000_000


class Clock:
    """Says what it is told to."""

    def __init__(self, now_ns: int) -> None:
        self.now_ns = now_ns

    def __call__(self) -> int:
        """Nanoseconds since 1970."""
        return self.now_ns


def test_what_became_of_a_segment_is_known_although_the_clock_was_put_back(database: Database) -> None:
    """A clock that ran ten years ahead must not have the ledger say for ten years that a segment is under way."""
    clock = Clock(NOW_NS + TEN_YEARS_NS)
    ledger = Ledger(database, clock)

    ledger.write(SEGMENT, "begun")
    clock.now_ns = NOW_NS
    after_a_restart = Ledger(database, clock)
    waiting = after_a_restart.loaded([SEGMENT])
    after_a_restart.write(SEGMENT, "begun")
    after_a_restart.write(SEGMENT, "loaded")

    assert waiting == set()
    assert after_a_restart.loaded([SEGMENT]) == {SEGMENT.hash}


def test_watermark_is_renewed_although_the_clock_was_put_back(database: Database) -> None:
    """Evaluators on other machines read it: it must not stand still for ten years."""
    clock = Clock(NOW_NS + TEN_YEARS_NS)
    Ledger(database, clock).write_watermark("collector", clock.now_ns, NOW_NS)

    clock.now_ns = NOW_NS
    ledger = Ledger(database, clock)
    ledger.read_watermark("collector")
    ledger.write_watermark("collector", NOW_NS, NOW_NS + 1000)

    assert ledger.read_watermark("collector") == (NOW_NS, NOW_NS + 1000)


def test_file_whose_fsync_failed_is_written_to_no_more(run: Run, database: Database) -> None:
    """Linux marks the pages of a failed fsync as clean: the next one succeeds, and proves nothing."""

    class Failing(RealDisk):
        fails = False
        failed: int | None = None
        written_to_again = False

        def create(self, path: Path, /) -> int:
            handle = super().create(path)
            self.failed = None if handle == self.failed else self.failed
            return handle

        def append(self, handle: int, parts: Sequence[bytes], /) -> None:
            self.written_to_again |= handle == self.failed
            super().append(handle, parts)
            if self.fails:
                self.failed = handle
                raise OSError(errno.EIO, "Input/output error")

    disk = Failing()
    collector, client = run(disk=disk, quiet_s=5, segment_max_age_s=5)

    client.export(trace_request(2, number=1))
    disk.fails = True
    client.refused(trace_request(2, number=2))
    disk.fails = False
    client.export(trace_request(2, number=2))
    collector.stop()

    assert not disk.written_to_again
    assert count(database, "otel_traces") == 4
    assert (collector.stats().stored_spans, collector.stats().refused_spans) == (4, 2)


def test_name_of_a_file_that_could_not_be_made_durable_is_free_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next attempt takes the same name; finding it taken, the spool would refuse everything from then on."""

    def failing(_: Path) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(disk_module, "sync_folder", failing)
    with pytest.raises(OSError, match="Input/output"):
        RealDisk().create(tmp_path / "00000001.open")

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name_of_code", ["CANNOT_OPEN_FILE 76", "CANNOT_FSYNC 204", "NOT_ENOUGH_SPACE 243"])
def test_failing_disk_under_the_tables_costs_only_time(name_of_code: str) -> None:
    """It says nothing of the rows: set aside as refused, everything acknowledged meanwhile would be a dead letter."""
    error = DatabaseError(name_of_code)
    error.code = int(name_of_code.split()[1])

    with pytest.raises(StoreUnavailable, match="cannot take this now"), translated(None, writes=True):
        raise error
