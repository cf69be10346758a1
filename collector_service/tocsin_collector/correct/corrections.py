"""Corrections of stored calls that leave every sum right: spans of one response made one call, unknown costs filled in.

A correction is written down whole before any of it is done, so that one that was interrupted is done again with the
same rows. One process at a time may correct a store.
"""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from string import Template
from typing import Final

from tocsin_collector.load.decoder import BLOCK_SETTINGS
from tocsin_collector.load.stores import NEWER_THAN_SERVERS
from tocsin_collector.store.database import Database
from tocsin_collector.store.statement import statement

MOST_CALLS: Final = 5_000  # calls corrected at once: their hashes must fit a statement's parameters
MOST_BLOCKS: Final = 1_000  # blocks of one run; what is left comes with the next
AT_ONCE: Final = {
    "lightweight_deletes_sync": 2,
    "mutations_sync": 2,
}  # return when the rows are gone, on every replica

# Datetimes come back in microseconds: rounded down, the last call would be left standing beside its correction.
TAKEN_BACK: Final = (
    "SELECT min(started_at) AS first, addMicroseconds(max(started_at), 1) AS last,"
    " groupUniqArray(cityHash64(project, call_id, span_id, segment)) AS rows"
)

# How the rows of one response become one; depth is (start, minus duration, span): its minimum is the outermost span's.
_OUTERMOST: Final = "argMin({0}, depth)"
_FIRST_SAID: Final = "argMinIf({0}, depth, {0} != '')"  # by the outermost span that says it
_LAST_SAID: Final = "argMaxIf({0}, depth, {0} != '')"  # by the innermost
_FIRST_KNOWN: Final = "argMinIf({0}, depth, {0} IS NOT NULL)"
_FIRST_FILLED: Final = "argMinIf({0}, depth, notEmpty({0}))"
_COST_RANK: Final = "(transform(toString(cost_source), ['provider', 'local'], [2, 1], 0), depth)"
_PAID: Final = f"argMaxIf({{0}}, {_COST_RANK}, spans.cost IS NOT NULL)"
_MERGED: Final = {
    "project": "project",
    "call_key": "call_key",
    # A name that somebody gave comes before service/model, whoever of them is further out.
    "use_case": "argMin(use_case, (startsWith(use_case, concat(service, '/')), depth))",
    "call_id": "argMin(call_id, (spans.call_id = concat(spans.trace_id, spans.span_id) OR spans.call_id = call_key, depth))",
    "sign": "toInt8(1)",
    "segment": "{{token:String}}",
    "is_probe": "max(is_probe)",
    "attempt": "max(attempt)",
    "input_tokens": "max({0})",
    "output_tokens": "max({0})",
    "cache_read_tokens": "max({0})",
    "cache_write_tokens": "max({0})",
    "flags": "arrayDistinct(arrayFlatten(groupArray({0})))",
    "ingested_at": "max({0})",
    "received_at": "max({0})",
    **dict.fromkeys(("cost", "currency", "cost_source", "price_version"), _PAID),
    **dict.fromkeys(("model_name", "model_version", "provider", "operation", "error_type"), _LAST_SAID),
    **dict.fromkeys(("task", "prompt_version", "guard_state", "retry_of", "output_label", "output_text"), _FIRST_SAID),
    **dict.fromkeys(("confidence_source", "session_id", "user_id", "environment", "release"), _FIRST_SAID),
    **dict.fromkeys(("output_value", "confidence"), _FIRST_KNOWN),
    **dict.fromkeys(
        ("output_probabilities", "input_numbers", "input_strings", "input_nulls", "segments"), _FIRST_FILLED
    ),
}  # the others are the outermost span's

# A row says that others may tell of its call too: by a response's id, by naming the span around it (its trace id and span id), or
# since it was read out of a table of others, beside which the same span may have come to a collector of ours.
SHARES: Final = (
    "(call_key != call_id OR startsWith(segment, 'adopted-')"
    " OR call_id != concat(trace_id, span_id) AND length(call_id) = 48 AND NOT match(call_id, '[^0-9a-f]'))"
)
_ANY_SHARED: Final = f"""SELECT 1 AS found FROM ai_calls
WHERE ingested_at >= {{since:DateTime64(3)}} AND sign = 1
    AND (project, call_key) IN
        (SELECT project, call_key FROM ai_calls WHERE ingested_at >= {{since:DateTime64(3)}} AND sign = 1 AND {SHARES})
GROUP BY project, call_key
HAVING count() > 1
LIMIT 1"""


def fresh_token() -> str:
    """Draw a name for a correction."""
    return uuid.uuid4().hex


@dataclass(frozen=True, slots=True, kw_only=True)
class Corrected:
    """How much was corrected."""

    taken_back: int  # rows
    written: int


def settle_duplicates(database: Database, since: datetime, *, fresh: Callable[[], str] = fresh_token) -> Corrected:
    """Make one call of all spans that share a response id, among those that arrived since then, on one shard.

    Raises:
        StoreUnavailable: run it again.
    """
    if not database.rows(_ANY_SHARED, {"since": since}):  # most often: the rest of it plans for 30 ms
        return Corrected(taken_back=0, written=0)
    columns = call_columns(database)
    parameters = {"since": since, "limit": MOST_CALLS}
    return _correct(database, "merge_calls", parameters, columns, fresh=fresh, merged=merging(columns))


def price_calls(database: Database, models: Sequence[str], *, fresh: Callable[[], str] = fresh_token) -> Corrected:
    """Give the calls of these models whose cost is unknown the one that a price says by now.

    Raises:
        StoreUnavailable: run it again.
    """
    if not models:
        return Corrected(taken_back=0, written=0)
    parameters = {"models": list(models), "limit": MOST_CALLS}
    return _correct(database, "price_calls", parameters, call_columns(database), fresh=fresh)


def finish_corrections(database: Database) -> None:
    """Do what an interrupted run left undone."""
    for row in database.rows("SELECT DISTINCT token FROM call_corrections ORDER BY token"):
        _apply(database, row["token"], call_columns(database))


def _correct(
    database: Database,
    name: str,
    parameters: dict[str, object],
    columns: Sequence[str],
    *,
    fresh: Callable[[], str],
    merged: str = "",
) -> Corrected:
    finish_corrections(database)
    taken_back = written = 0
    listed, books = ", ".join(columns), f"`{database.address.database}`"  # of a cluster, beside its shards
    for _ in range(MOST_BLOCKS):
        token = f"{name}-{fresh()}"
        sql = Template(statement(name)).substitute(columns=listed, merged=merged, books=books, shares=SHARES)
        database.command(sql, parameters={**parameters, "token": token}, settings=one_block(database, token))
        [found] = database.rows(
            "SELECT countIf(sign < 0) AS taken_back, countIf(sign > 0) AS written FROM call_corrections"
            " WHERE token = {token:String}",
            {"token": token},
        )
        if not found["written"]:
            break
        _apply(database, token, columns)
        taken_back += found["taken_back"]
        written += found["written"]
    return Corrected(taken_back=taken_back, written=written)


def _apply(database: Database, token: str, columns: Sequence[str]) -> None:
    sql = Template(statement("apply_corrections")).substitute(columns=", ".join(columns))
    database.command(sql, parameters={"token": token}, settings=one_block(database, token))
    [back] = database.rows(
        f"{TAKEN_BACK} FROM call_corrections WHERE token = {{token:String}} AND sign = -1", {"token": token}
    )
    database.command(statement("delete_corrected"), parameters=back, settings=AT_ONCE)
    database.command(
        "DELETE FROM call_corrections WHERE token = {token:String}", parameters={"token": token}, settings=AT_ONCE
    )


def one_block(database: Database, token: str) -> dict[str, str | int]:
    """Say how rows become one block under one token."""
    known = {
        name: value
        for name, value in BLOCK_SETTINGS.items()
        if database.address.is_embedded or name not in NEWER_THAN_SERVERS
    }
    return {**known, "insert_deduplication_token": token}


def merging(columns: Sequence[str]) -> str:
    """Write how the spans of a response become one call, column by column."""
    return ", ".join(f"{_MERGED.get(name, _OUTERMOST).format(f'spans.{name}')}" for name in columns)


def call_columns(database: Database) -> list[str]:
    """List the columns of ai_calls."""
    rows = database.rows(
        "SELECT name FROM system.columns WHERE database = currentDatabase() AND table = 'ai_calls' ORDER BY position"
    )
    return [row["name"] for row in rows]
