"""Where each statement of a migration belongs on a cluster. Pure: text in, text out.

Two databases. In the one that everybody reads (``tocsin``) are the books, replicated to every node, and a `Distributed`
table over each sharded one, under the same name. In ``tocsin_shard`` are the sharded tables themselves, the `Null` tables
that are inserted into, and the views between them, which read the books of their own node.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

# What grows with traffic, and by what an insert through the Distributed table finds its shard: by what no retry changes.
# Segments do not go that way: each is inserted whole on the shard that its hash names.
SHARDED: Final = {
    "otel_traces": "cityHash64(TraceId)",
    "otel_traces_trace_id_ts": "cityHash64(TraceId)",
    "otel_logs": "cityHash64(TraceId, Timestamp)",
    "ai_calls": "cityHash64(call_id)",
    "call_content": "cityHash64(call_id)",
    "call_keys": "cityHash64(call_id)",
    "call_corrections": "cityHash64(call_id)",
    "ai_calls_1h": "cityHash64(project, use_case, hour)",
    "input_histogram_1h": "cityHash64(project, use_case, hour)",
}
_CREATED: Final = re.compile(r"CREATE (?:TABLE|VIEW) IF NOT EXISTS (\w+)", re.IGNORECASE)
_VERB: Final = re.compile(
    r"(CREATE MATERIALIZED VIEW IF NOT EXISTS|CREATE (?:TABLE|VIEW) IF NOT EXISTS|(?:ALTER|OPTIMIZE|DROP|TRUNCATE) TABLE"
    r"(?: IF EXISTS)?|INSERT INTO)\s+(\w+)",
    re.IGNORECASE,
)
_CHANGE: Final = re.compile(r"ALTER TABLE (\w+)\s+(?:DELETE|UPDATE|MODIFY|MATERIALIZE|REMOVE|RESET)\b")
_ENGINE: Final = re.compile(r"\bENGINE = Replicated(\w*MergeTree)\b(\s*\()?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """One statement, and where to run it."""

    sql: str
    on_shard: bool  # in the shards' database
    twin: str = ""  # the sharded table whose Distributed twin must follow


def books(texts: Collection[str]) -> frozenset[str]:
    """List the tables and views of migrations that are the same on every node."""
    found: set[str] = set()
    for text in texts:
        for statement in re.split(r";[ \t]*\n", text):
            created = _CREATED.search(statement)
            if created and created[1] not in SHARDED and "ENGINE = Null" not in statement:
                found.add(created[1])
    return frozenset(found)


def place(statement: str, *, database: str, known: Collection[str]) -> Placed:
    """Say where a statement runs, with its Keeper paths and the books it reads written out.

    Args:
        statement: One statement, cluster and engine filled in.
        database: The database that everybody reads.
        known: The books.
    """
    found = _VERB.match(statement)
    if found is None:  # a function
        return Placed(sql=statement, on_shard=False)
    verb, name = found[1].upper(), found[2]
    if verb.startswith("CREATE VIEW"):
        return Placed(sql=statement, on_shard=False)
    if verb.startswith("CREATE MATERIALIZED") or (name not in known and name not in SHARDED):
        return Placed(sql=_with_books(statement, database, known), on_shard=True)
    on_shard = name in SHARDED
    return Placed(sql=_with_path(statement, database, name), on_shard=on_shard, twin=name if on_shard else "")


def twin(table: str, *, cluster: str, database: str, shard_database: str) -> str:
    """Write the statement that lays the Distributed table over a sharded one. It stores nothing, so it may be replaced."""
    return (
        f"CREATE OR REPLACE TABLE `{database}`.`{table}` ON CLUSTER `{cluster}` AS `{shard_database}`.`{table}`"
        f" ENGINE = Distributed('{cluster}', '{shard_database}', '{table}', {SHARDED[table]})"
    )


def everywhere(statement: str, *, cluster: str, shard_database: str) -> str:
    """Send a change of a sharded table, as anybody writes it, to the table of every shard."""
    found = _CHANGE.match(statement)
    if found is None or found[1] not in SHARDED:
        return statement
    return f"ALTER TABLE `{shard_database}`.`{found[1]}` ON CLUSTER `{cluster}`{statement[found.end(1) :]}"


def _with_path(statement: str, database: str, table: str) -> str:
    """Name the Keeper path: by database and table, so that a replica which lost its disk finds its place again."""
    shard, replica = ("{shard}", "{replica}") if table in SHARDED else ("all", "{shard}-{replica}")
    where = f"'/clickhouse/tables/{shard}/{database}/{table}', '{replica}'"
    return _ENGINE.sub(
        lambda found: f"ENGINE = Replicated{found[1]}({where}" + (", " if found[2] else ")"), statement, count=1
    )


def _with_books(statement: str, database: str, known: Collection[str]) -> str:
    """Say of each book in which database it is: a view resolves names in its own."""
    names = "|".join(sorted(known, key=len, reverse=True))
    return re.sub(rf"\b(FROM|JOIN|TO|IN)(\s+)({names})\b(?!\s*[.(])", rf"\1\2`{database}`.`\3`", statement)
