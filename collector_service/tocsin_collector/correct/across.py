"""Corrections over the shards of a cluster: spans of one response that came to several of them are made one call, too.

Where a segment goes is named by its hash, so an outer span from one process and the inner one from another often lie apart.
Each row is taken back on its own shard, where its sums are. All of it is first written down on every node in one block: a
process that dies half-way leaves what the next one needs to end it.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from string import Template
from typing import Any, Final

from tocsin_collector.correct.corrections import (
    AT_ONCE,
    MOST_BLOCKS,
    MOST_CALLS,
    SHARES,
    TAKEN_BACK,
    Corrected,
    call_columns,
    fresh_token,
    merging,
    one_block,
)
from tocsin_collector.errors import StoreUnavailable
from tocsin_collector.store.database import Database
from tocsin_collector.store.statement import statement

_ANY: Final = f"""SELECT 1 AS found FROM ai_calls
WHERE ingested_at >= {{since:DateTime64(3)}} AND sign = 1
GROUP BY project, call_key
HAVING uniqExact(_shard_num) > 1 AND countIf({SHARES}) > 0
LIMIT 1"""
_PLANNED: Final = (
    "SELECT shard, count() AS n, countIf(sign > 0) AS written FROM cluster_corrections WHERE token = {token:String}"
    " GROUP BY shard ORDER BY shard"
)
_OF_SHARD: Final = "FROM cluster_corrections WHERE token = {token:String} AND shard = {shard:UInt32}"


def settle_across(
    database: Database, shards: Sequence[Database], since: datetime, *, fresh: Callable[[], str] = fresh_token
) -> Corrected:
    """Make one call of all spans that share a response id and lie on several shards, among those that arrived since then.

    Args:
        database: The cluster, as everybody reads it.
        shards: A client of each shard, in order.
        since: Where to begin.
        fresh: Draws tokens.

    Raises:
        StoreUnavailable: run it again.
    """
    taken_back = written = 0
    if len(shards) > 1:
        finish_across(database, shards)
        columns = call_columns(database)
        made = {"columns": ", ".join(columns), "merged": merging(columns), "shares": SHARES}
        sql = Template(statement("merge_calls_across")).substitute(made)
        for _ in range(MOST_BLOCKS):
            if not database.rows(_ANY, {"since": since}):
                break
            token = f"across-{fresh()}"
            settings = {**one_block(database, token), "insert_quorum": database.address.insert_quorum}
            told = {"since": since, "limit": MOST_CALLS, "token": token}
            database.command(sql, parameters=told, settings=settings)
            done = _finish(database, shards, token)
            taken_back += done.taken_back
            written += done.written
    return Corrected(taken_back=taken_back, written=written)


def finish_across(database: Database, shards: Sequence[Database]) -> None:
    """Do what an interrupted run left undone.

    Raises:
        StoreUnavailable: run it again.
    """
    for row in database.rows("SELECT DISTINCT token FROM cluster_corrections ORDER BY token"):
        _finish(database, shards, row["token"])


def _finish(database: Database, shards: Sequence[Database], token: str) -> Corrected:
    planned = database.rows(_PLANNED, {"token": token})
    for row in planned:
        _apply(database, shards[row["shard"] - 1], token, row)
    told = {"token": token}
    database.command("DELETE FROM cluster_corrections WHERE token = {token:String}", parameters=told, settings=AT_ONCE)
    written = sum(int(row["written"]) for row in planned)
    return Corrected(taken_back=sum(int(row["n"]) for row in planned) - written, written=written)


def _apply(database: Database, shard: Database, token: str, planned: dict[str, Any]) -> None:
    of_shard = {"token": token, "shard": planned["shard"]}
    columns = call_columns(shard)
    whole = f"(SELECT count() {_OF_SHARD}) = {{n:UInt64}}"  # another host, asked after this one failed, may be behind
    block = database.raw(
        f"SELECT {', '.join(columns)} {_OF_SHARD} AND {whole} ORDER BY project, call_key, call_id, span_id, segment, sign",
        fmt="Native",
        parameters={**of_shard, "n": planned["n"]},
        settings={"max_block_size": MOST_CALLS * 1_000},
    )
    if not block:
        raise StoreUnavailable(
            f"a host that is behind does not know the whole of the correction {token}: asked again soon"
        )
    shard.insert_raw("ai_calls", columns, block, fmt="Native", settings=one_block(shard, token))
    [back] = database.rows(f"{TAKEN_BACK} {_OF_SHARD} AND sign = -1", of_shard)
    if back["rows"]:
        shard.command(statement("delete_corrected"), parameters=back, settings=AT_ONCE)
