"""What every table holds, in two numbers that neither merges nor the order of rows change: so that two stores can be compared."""

from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final

from tocsin_collector.store.cluster import each_shard
from tocsin_collector.store.database import Database

SUMMED_UP_TO: Final = 10_000_000  # rows of a table: a second or two of reading; above it only counted
_FILLED: Final = """SELECT name, engine, assumeNotNull(total_rows) AS total FROM system.tables
WHERE database = {database:String} AND engine LIKE '%MergeTree' AND total_rows > 0 AND name != 'backups' ORDER BY name"""
_SUMS: Final = ("ai_calls_1h", "input_histogram_1h")
_MERGED: Final = ("Replacing", "Summing", "Collapsing")  # rows of one key may not have met yet


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """One table on one shard."""

    shard: int  # 0: the table is the same everywhere
    table: str
    rows: int  # after merging
    checksum: int | None  # sum of the rows' hashes, modulo 2^64; None: too many rows to read


def count_tables(database: Database) -> tuple[Counted, ...]:
    """Count the rows of every table that has any, and sum up their hashes.

    Raises:
        StoreUnavailable: the store, or a shard, does not answer.
    """
    address = database.address
    found = list(_counted(database, address.database, shard=0))
    if address.cluster:
        with ExitStack() as ends:
            for number, shard in enumerate(each_shard(database), start=1):
                ends.callback(shard.close)
                found += _counted(shard, address.shard_database, shard=number)
    return tuple(found)


def _counted(database: Database, name: str, *, shard: int) -> Iterable[Counted]:
    for row in database.rows(_FILLED, {"database": name}):
        final = " FINAL" if any(kind in row["engine"] for kind in _MERGED) else ""
        # As bytes: hashing columns, older servers refuse a NULL within an array.
        checksum = "sum(cityHash64(formatRow('RowBinary', *)))" if row["total"] <= SUMMED_UP_TO else "NULL"
        [counted] = database.rows(
            f"SELECT count() AS rows, {checksum} AS checksum FROM `{name}`.`{row['name']}`{final}"
        )
        yield Counted(shard=shard, table=row["name"], **counted)


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One table, then and now."""

    shard: int
    table: str
    then: int
    now: int
    verdict: str  # same; more or changed: written to while the backup was taken; fewer; counted: equal, too many rows to read


def compare(then: Sequence[Counted], now: Sequence[Counted]) -> list[Compared]:
    """Hold what is there against what was: the same, more, or fewer of it, table by table."""
    present = {(each.shard, each.table): each for each in now}
    compared = []
    for was in then:
        has = present.get((was.shard, was.table))
        rows = has.rows if has else 0
        if rows != was.rows:
            verdict = "more" if rows > was.rows else "fewer"
        elif has is None or has.checksum is None or was.checksum is None:
            verdict = "counted"
        else:
            verdict = "same" if has.checksum == was.checksum else "changed"
        compared.append(Compared(shard=was.shard, table=was.table, then=was.rows, now=rows, verdict=verdict))
    return compared


def of_one_server(counted: Iterable[Counted]) -> list[Counted]:
    """Add up shards, as one server would hold them: all but hourly sums, of which shards have rows of the same key."""
    rows: Counter[str] = Counter()
    sums: dict[str, int | None] = {}
    for each in counted:
        if each.table in _SUMS:
            continue
        rows[each.table] += each.rows
        before = sums.get(each.table, 0)
        known = before is not None and each.checksum is not None
        sums[each.table] = (before + each.checksum) % 2**64 if known else None  # type: ignore[operator]
    return [Counted(shard=0, table=name, rows=rows[name], checksum=sums[name]) for name in sorted(rows)]
