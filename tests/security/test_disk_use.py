"""Room: what is used is measured, what could go is proposed and never more than raw records, and nothing goes by itself."""

import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.collector.conftest import Run
from tests.collector.sending import loaded, trace_request

from tocsin_collector.privacy.disk_use import DiskUse, Partition, folder_bytes, look, oldest_raw, size
from tocsin_collector.store.database import Database
from tocsin_console.disk_watch import DiskWatch

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
GB = 10**9


def _part(table: str, day: str, gigabytes: float = 1) -> Partition:
    return Partition(table=table, partition=day, partition_id=day, rows=10, size_bytes=int(gigabytes * GB))


USE = DiskUse(
    used_bytes=41 * GB,
    limit_bytes=50 * GB,
    free_bytes=500 * GB,
    disk_bytes=1000 * GB,
    partitions=(),
    would_drop=(_part("otel_traces", "2026-02-01"), _part("otel_traces", "2026-02-02", 0.5)),
)


def test_the_oldest_raw_records_are_proposed_until_it_is_enough() -> None:
    """Spans before logs, days in order, and calls and sums never: they are the evidence."""
    there = [
        _part("ai_calls", "202601", 90),
        _part("otel_logs", "2026-01-01"),
        _part("otel_traces", "2026-02-02"),
        _part("otel_traces", "2026-02-01"),
        _part("outcomes", "202601"),
    ]

    assert [each.partition for each in oldest_raw(there, int(1.5 * GB))] == ["2026-02-01", "2026-02-02"]
    assert [each.table for each in oldest_raw(there, 99 * GB)] == ["otel_traces", "otel_traces", "otel_logs"]
    assert oldest_raw(there, 0) == []


def test_the_sentence_says_how_much_what_would_go_and_that_nothing_does() -> None:
    """It is read in a log at night."""
    assert USE.sentence() == (
        "spool and store hold 41.0 GB of the 50.0 GB that max_disk allows (82%); nothing is dropped by itself: "
        "'tocsin disk --drop' would drop otel_traces of 2026-02-01 and 1 more (1.5 GB), or raise max_disk"
    )
    assert "no old raw records" in replace(USE, would_drop=()).sentence()


@pytest.mark.parametrize(
    ("use", "warns"),
    [
        (replace(USE, used_bytes=40 * GB), True),
        (replace(USE, used_bytes=40 * GB - 1), False),
        (replace(USE, limit_bytes=None), False),
        (replace(USE, limit_bytes=None, free_bytes=49 * GB), True),
    ],
)
def test_it_warns_from_four_fifths_of_the_limit_or_on_a_full_disk(use: DiskUse, *, warns: bool) -> None:
    """The disk may be filled by somebody else."""
    assert bool(use.sentence()) is warns


def test_a_file_with_two_names_counts_once(tmp_path: Path) -> None:
    """The engine's mutations hard-link what they do not change."""
    (tmp_path / "a").write_bytes(os.urandom(100_000))
    (tmp_path / "deep").mkdir()
    os.link(tmp_path / "a", tmp_path / "deep" / "b")

    assert 100_000 <= folder_bytes(tmp_path) < 120_000


def test_a_full_folder_is_told_once_and_dropped_on_request(
    run: Run, database: Database, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The log is not filled with it; what goes is on record, and the ledger knows that it was not lost."""
    collector, client = run()
    client.export(trace_request(50))
    loaded(collector)
    watch = DiskWatch(database, tmp_path, limit_bytes=1, now=lambda: NOW)

    watch.turn()
    watch.turn()
    dropped = watch.drop(by="ann")

    assert caplog.text.count("nothing is dropped by itself") == 1
    assert watch.summary()["warning"]
    assert [each.table for each in dropped.would_drop] == ["otel_traces", "otel_traces_trace_id_ts"]
    counted = {
        table: database.rows(f"SELECT count() AS n FROM {table}")[0]["n"] for table in ("otel_traces", "ai_calls")
    }
    assert counted == {"otel_traces": 0, "ai_calls": 50}
    (erased,) = database.rows("SELECT rows, reason FROM erasures FINAL WHERE place = 'otel_traces'")
    assert (erased["rows"], erased["reason"]) == (50, "disk")
    assert look(database, tmp_path, limit_bytes=None).sentence() == ""


@pytest.mark.parametrize(("amount", "said"), [(0, "0 B"), (999, "999 B"), (41.2e9, "41.2 GB"), (2e15, "2000.0 TB")])
def test_sizes_are_written_as_disks_are_sold(amount: float, said: str) -> None:
    """The same unit in the limit and in what is used."""
    assert size(amount) == said


@pytest.mark.server
def test_a_servers_tables_count_against_the_limit(server_database: Database, tmp_path: Path) -> None:
    """They are what grows, though they are not on this disk."""
    (tmp_path / "spool").mkdir()

    use = look(server_database, tmp_path, limit_bytes=10**9, is_embedded=False)

    assert use.used_bytes >= sum(each.size_bytes for each in use.partitions) > 0
