"""How much of the disk the data takes, whether that is too much, and what could go first. Nothing goes by itself."""

import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from tocsin_collector.privacy.letters import LetterStore

WARN_AT: Final = 0.8  # of the limit
_FULL_AT: Final = 0.95  # of the disk, whoever filled it
_BLOCK: Final = 512  # bytes, as stat counts them
# Raw records, of which the hourly sums, the calls and the outcomes keep what quality is judged by. Nothing else is ever
# proposed: calls, outcomes, reviews and references are the evidence.
_RAW: Final = ("otel_traces", "otel_logs", "call_content", "otel_traces_trace_id_ts")


@dataclass(frozen=True, slots=True, kw_only=True)
class Partition:
    """A part of a table that can go at once."""

    table: str
    partition: str  # as people read it: a day or a month
    partition_id: str
    rows: int
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskUse:
    """What is used, and what could go."""

    used_bytes: int  # spool and store
    limit_bytes: int | None
    free_bytes: int  # on the folder's disk
    disk_bytes: int
    partitions: Sequence[Partition]
    would_drop: Sequence[
        Partition
    ]  # the oldest raw records, as many as bring it below the warning; empty while all is well

    @property
    def is_over(self) -> bool:
        """Whether 80 % of the limit are used."""
        return self.limit_bytes is not None and self.used_bytes >= WARN_AT * self.limit_bytes

    @property
    def is_nearly_full(self) -> bool:
        """Whether the disk itself is nearly full."""
        return self.free_bytes < (1 - _FULL_AT) * self.disk_bytes

    def sentence(self) -> str:
        """Say what is wrong and what could be done; empty when nothing is."""
        if self.is_over and self.limit_bytes:
            share = self.used_bytes / self.limit_bytes
            said = f"spool and store hold {size(self.used_bytes)} of the {size(self.limit_bytes)} that max_disk allows ({share:.0%})"
        elif self.is_nearly_full:
            said = f"the data folder's disk has {size(self.free_bytes)} of {size(self.disk_bytes)} left"
        else:
            return ""
        if not self.would_drop:
            return f"{said}; nothing is dropped by itself, and no old raw records are there to drop: make room or raise max_disk"
        first, rest = self.would_drop[0], len(self.would_drop) - 1
        total = sum(each.size_bytes for each in self.would_drop)
        more = f" and {rest} more" if rest else ""
        return (
            f"{said}; nothing is dropped by itself: 'tocsin disk --drop' would drop {first.table} of {first.partition}{more} "
            f"({size(total)}), or raise max_disk"
        )


def look(store: LetterStore, folder: Path, *, limit_bytes: int | None, is_embedded: bool = True) -> DiskUse:
    """Look at the folder, its disk and the tables.

    Args:
        store: The store.
        folder: The data folder.
        limit_bytes: What is allowed; None: no limit.
        is_embedded: The tables are files of the folder; else a server's, whose bytes count as well, but not on this disk.

    Raises:
        StoreUnavailable: the store did not answer.
    """
    disk = os.statvfs(folder)
    free_bytes, disk_bytes = disk.f_bavail * disk.f_frsize, disk.f_blocks * disk.f_frsize
    used_bytes = folder_bytes(folder)
    partitions = [Partition(**row) for row in store.rows(_PARTITIONS)]
    if not is_embedded:
        used_bytes += sum(each.size_bytes for each in partitions)
    excess = 0
    if limit_bytes is not None and used_bytes >= WARN_AT * limit_bytes:
        excess = used_bytes - int(WARN_AT * limit_bytes) + 1
    if is_embedded and free_bytes < (1 - _FULL_AT) * disk_bytes:
        excess = max(excess, int((1 - _FULL_AT) * disk_bytes) - free_bytes)
    return DiskUse(
        used_bytes=used_bytes,
        limit_bytes=limit_bytes,
        free_bytes=free_bytes,
        disk_bytes=disk_bytes,
        partitions=partitions,
        would_drop=oldest_raw(_without_evidence(store, partitions), excess) if excess else [],
    )


def _without_evidence(store: LetterStore, partitions: Sequence[Partition]) -> list[Partition]:
    """Leave out the days of which content of picked calls is kept: somebody has yet to review it, or did so lately."""
    held = {row["day"] for row in store.rows(_EVIDENCE)}
    return [each for each in partitions if each.table != "call_content" or each.partition not in held]


def oldest_raw(partitions: Iterable[Partition], excess_bytes: int) -> list[Partition]:
    """Choose the oldest raw records, table by table, until they come to so many bytes."""
    chosen: list[Partition] = []
    raw = [each for each in partitions if each.table in _RAW]
    for each in sorted(raw, key=lambda each: (_RAW.index(each.table), each.partition)):
        if sum(one.size_bytes for one in chosen) >= excess_bytes:
            break
        chosen.append(each)
    return chosen


def drop(store: LetterStore, partitions: Sequence[Partition], *, by: str, now: datetime) -> None:
    """Drop partitions, each on record before it goes.

    Raises:
        StoreUnavailable: some are gone; look again.
    """
    for each in partitions:
        what = f"{each.table}/{each.partition_id}/{each.rows}/{each.size_bytes}"
        entry = {
            "id": hashlib.blake2b(f"{what}/{now.isoformat()}".encode(), digest_size=16).hexdigest(),
            "at": now,
            "actor": by,
            "action": "disk drop",
            "subject": f"{each.table}/{each.partition}",
            "detail": f"{each.rows} rows, {each.size_bytes} bytes",
        }
        store.insert("audit_log", [entry])
        record(store, each.table, each.rows, what=what, reason="disk", now=now)
        store.command(f"ALTER TABLE {each.table} DROP PARTITION ID {{id:String}}", parameters={"id": each.partition_id})


def record(store: LetterStore, place: str, rows: int, *, what: str, reason: str, now: datetime) -> None:
    """Tell the loss ledger of rows that are about to be erased on purpose."""
    row: Mapping[str, Any] = {
        "id": hashlib.blake2b(what.encode(), digest_size=16).hexdigest(),
        "place": place,
        "rows": rows,
        "reason": reason,
        "at": now,
    }
    store.insert("erasures", [row])


def folder_bytes(folder: Path) -> int:
    """Sum up what the files of a folder take on the disk, a file with several names once."""
    seen: set[tuple[int, int]] = set()
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                found = os.lstat(os.path.join(place, name))  # noqa: PTH118 - thousands of files, every half minute
            except FileNotFoundError:  # merged away meanwhile
                continue
            if found.st_nlink > 1:
                if (found.st_dev, found.st_ino) in seen:
                    continue
                seen.add((found.st_dev, found.st_ino))
            total += found.st_blocks * _BLOCK
    return total


def size(amount: float) -> str:
    """Write bytes for people, in powers of 1,000 as disks are sold."""
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} TB"


_PARTITIONS: Final = """
SELECT table, partition, partition_id, sum(rows) AS rows, sum(bytes_on_disk) AS size_bytes
FROM system.parts
WHERE database = currentDatabase() AND active AND table NOT LIKE '.%'
GROUP BY table, partition, partition_id
ORDER BY table, partition
"""

_EVIDENCE: Final = "SELECT DISTINCT toString(toDate(at)) AS day FROM call_content WHERE pick != ''"
