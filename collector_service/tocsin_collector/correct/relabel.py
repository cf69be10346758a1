"""Move what is stored from one use case name to another: calls, their rollups and their outcomes."""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final

from tocsin_collector.store.cluster import each_shard
from tocsin_collector.store.database import Database
from tocsin_collector.store.statement import statement

_ROLLUPS: Final = ("ai_calls_1h", "input_histogram_1h")
_COUNTED: Final = {  # what holds anything: sums that came to nothing may stay as rows
    "ai_calls": "ai_calls WHERE 1",
    "ai_calls_1h": "ai_calls_1h FINAL WHERE (calls != 0 OR cost != 0)",
    "input_histogram_1h": "input_histogram_1h FINAL WHERE n != 0",
}
_AT_ONCE: Final = {"mutations_sync": 2}  # return when the rows are changed, on every replica


@dataclass(frozen=True, slots=True, kw_only=True)
class Relabelled:
    """How much was moved."""

    calls: int
    hours: int  # rows of the hourly sums
    histogram_cells: int
    outcomes: int


def relabel(database: Database, project: str, old: str, new: str) -> Relabelled:
    """Give everything that is stored under one use case's name to another.

    Interrupted at any point, it can be run again and ends the same. What arrives meanwhile under the old name stays
    there: map it first, and run this after. Evaluations and alerts keep the name under which they were made.

    Args:
        database: The store.
        project: The project of both names.
        old: The present name.
        new: The name to give; it may have calls of its own already.

    Raises:
        ValueError: a name is empty, or both are the same.
        StoreUnavailable: run it again.
    """
    if not new or not old or old == new:
        raise ValueError(f"expected two different names, got {old!r} and {new!r}")
    names = {"project": project, "old": old, "new": new}
    with ExitStack() as open_clients:
        shards = each_shard(database)
        for shard in shards:
            open_clients.callback(shard.close)
        moved = [_relabel(shard, names) for shard in shards]
    return Relabelled(
        calls=sum(each["ai_calls"] for each in moved),
        hours=sum(each["ai_calls_1h"] for each in moved),
        histogram_cells=sum(each["input_histogram_1h"] for each in moved),
        outcomes=_relabel_outcomes(database, names),
    )


def _relabel(shard: Database, names: Mapping[str, str]) -> dict[str, int]:
    """Move what one shard has: its calls count in its own sums."""
    counted = {table: _count(shard, table, names) for table in _COUNTED}
    for table in _ROLLUPS:
        if counted[table]:
            shard.command(statement(f"relabel_{table}"), parameters=names)
    if counted["ai_calls"]:
        _move_calls(shard, names)
    return counted


def _relabel_outcomes(database: Database, names: Mapping[str, str]) -> int:
    found = database.rows(
        "SELECT count() AS found FROM outcomes FINAL WHERE project = {project:String} AND use_case = {old:String}",
        {"project": names["project"], "old": names["old"]},
    )
    if found[0]["found"]:
        database.command(
            "ALTER TABLE outcomes UPDATE use_case = {new:String} WHERE project = {project:String} AND use_case = {old:String}",
            parameters=names,
            settings=_AT_ONCE,
        )
    return int(found[0]["found"])


def _move_calls(database: Database, names: Mapping[str, str]) -> None:
    """Copy under the new name by attaching partitions, which wakes no view; then delete the old."""
    keys = database.rows(
        "SELECT partition_key AS parts, sorting_key AS sorting FROM system.tables"
        " WHERE database = currentDatabase() AND name = 'ai_calls'"
    )[0]
    database.command("DROP TABLE IF EXISTS ai_calls_relabelled SYNC")
    # Never a replicated one: partitions are attached from it on the node where it is.
    database.command(
        f"CREATE TABLE ai_calls_relabelled AS ai_calls ENGINE = MergeTree"
        f" PARTITION BY {keys['parts']} ORDER BY ({keys['sorting']})"
    )
    database.command(statement("relabel_calls"), parameters=names)
    partitions = database.rows(
        "SELECT DISTINCT partition_id AS id FROM system.parts"
        " WHERE database = currentDatabase() AND table = 'ai_calls_relabelled' AND active ORDER BY id"
    )
    for row in partitions:
        database.command(
            "ALTER TABLE ai_calls ATTACH PARTITION ID {partition:String} FROM ai_calls_relabelled",
            parameters={"partition": row["id"]},
        )
    database.command(
        "ALTER TABLE ai_calls DELETE WHERE project = {project:String} AND use_case = {old:String}",
        parameters=names,
        settings=_AT_ONCE,
    )
    database.command("DROP TABLE ai_calls_relabelled SYNC")


def _count(database: Database, table: str, names: Mapping[str, str]) -> int:
    sql = (
        f"SELECT count() AS found FROM {_COUNTED[table]} AND project = {{project:String}} AND use_case = {{old:String}}"
    )
    return int(database.rows(sql, names)[0]["found"])
