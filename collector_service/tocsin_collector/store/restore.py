"""A backup brought back: into an empty store, into one shard that was lost, or from a cluster into one server.

Data comes before the views that segments go through, so a collector that waits begins to load only when all of it is there,
and what it is unsure of is looked for among it.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from tocsin_collector.errors import BackupProblem
from tocsin_collector.store.backup import Backup, Say, backup_of, on_cluster, run_to_end
from tocsin_collector.store.backup_place import Place
from tocsin_collector.store.cluster import survey
from tocsin_collector.store.database import LEDGER, Database
from tocsin_collector.store.inventory import Compared, compare, count_tables, of_one_server
from tocsin_collector.store.migrate import migrate
from tocsin_collector.store.nodes import Name
from tocsin_collector.store.placement import SHARDED
from tocsin_collector.store.rebuild import Rebuilding, make_functions, write_down

_FILLED: Final = """SELECT concat(database, '.', name) AS name, total_rows AS n FROM {source}
WHERE database IN {databases:Array(String)} AND total_rows > 0 AND name NOT IN ('schema_migrations', 'backups') ORDER BY n DESC LIMIT 1"""
_REPLICATED: Final = """SELECT database, name FROM system.tables
WHERE database IN {databases:Array(String)} AND engine LIKE 'Replicated%' ORDER BY database, name"""
_SYNC_S: Final = 3600
_CHILDREN: Final = "SELECT concat(path, '/', name) AS child FROM system.zookeeper WHERE path IN {paths:Array(String)}"
_PATHS: Final = "/clickhouse/tables"
_ANY_TABLE: Final = "allow_different_table_def = 1, allow_non_empty_tables = 1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What was brought back, and how it compares with what the backup found when it began."""

    backup: Backup
    tables: tuple[Compared, ...]
    seconds: float

    @property
    def fewer(self) -> list[Compared]:
        """Tables that lack rows: nothing may be among them but what expired or was merged since."""
        return [each for each in self.tables if each.verdict == "fewer"]


def restore(
    database: Database,
    place: Place,
    *,
    identity: Callable[[], str],
    now: datetime,
    version: str,
    shard: int = 0,
    overwrite: bool = False,
    say: Say = lambda _: None,
) -> Restored:
    """Bring a backup back, and count.

    Args:
        database: The store to fill.
        place: The backup's.
        identity: Makes one for each statement.
        now: The time of day.
        version: Of tocsin.
        shard: The one shard, from 1, that was lost; 0: everything.
        overwrite: Drop what is there first.
        say: Told how far it is.

    Raises:
        BackupProblem: there is something already, or no such backup, or it does not fit.
        StoreUnavailable: a node does not answer.
    """
    began_s = time.monotonic()
    if shard:
        _shard(database, place, shard, identity=identity, now=now, say=say)
    else:
        _require_empty(database, overwrite=overwrite, say=say)
        if database.address.cluster or not _is_of_a_cluster(database, place, identity, now=now, version=version):
            _whole(database, place, identity=identity, now=now, say=say)
        else:
            _one_server(database, place, identity=identity, say=say)
            write_down(database, now=now, place=str(place))
    say("counting")
    backup = _of_this(database, place)
    then = list(backup.counts)
    if not database.address.cluster and backup.shards:
        then = [each for each in of_one_server(then) if each.table != LEDGER]  # it has its own
    found = compare(then, count_tables(database))
    return Restored(
        backup=backup,
        tables=tuple(each for each in found if not shard or each.shard == shard),
        seconds=time.monotonic() - began_s,
    )


def _require_empty(database: Database, *, overwrite: bool, say: Say) -> None:
    address = database.address
    names = list(dict.fromkeys((address.database, address.shard_database)))
    source = f"clusterAllReplicas('{address.cluster}', system.tables)" if address.cluster else "system.tables"
    found = database.rows(_FILLED.replace("{source}", source), {"databases": names})
    if found and not overwrite:
        raise BackupProblem(
            f"expected an empty store, but {found[0]['name']} has {found[0]['n']:,} rows: restore into another one, or give "
            f"--overwrite, which drops everything that is stored now"
        )
    say("making room")
    for name in names:
        database.command(f"DROP DATABASE IF EXISTS `{name}`{on_cluster(database)} SYNC", database="default")
    for name in names:
        database.command(f"CREATE DATABASE `{name}`{on_cluster(database)}", database="default")
    if address.cluster:
        _forget_replicas(database)


def _forget_replicas(database: Database) -> None:
    """Take out of Keeper what lost disks left there: tables of this database that no node has."""

    def children(paths: Sequence[str]) -> list[str]:
        return [row["child"] for row in database.rows(_CHILDREN, {"paths": list(paths)})] if paths else []

    tops = {f"{shard}/{database.address.database}" for shard in children([_PATHS])}
    replicas = children([f"{table}/replicas" for table in children(sorted(tops))])
    for path in replicas:
        table, _, name = path.rpartition("/replicas/")
        database.command(f"SYSTEM DROP REPLICA '{name}' FROM ZKPATH '{table}'", database="default")


def _whole(database: Database, place: Place, *, identity: Callable[[], str], now: datetime, say: Say) -> None:
    make_functions(database)

    def bring_back(names: Iterable[Name]) -> None:
        tables = ", ".join(f"TABLE `{one}`.`{two}`" for one, two in names)
        sql = f"RESTORE {tables}{on_cluster(database)} FROM {place.sql}"
        run_to_end(database, sql, identity=identity(), say=say)

    book = (database.address.database, "backups")
    bring_back([book])
    _catch_up(database)
    backup = _of_this(database, place)
    bring_back(name for name in backup.tables if name != book)
    _catch_up(database)
    write_down(database, now=now, place=str(place))
    bring_back(backup.views)


def _catch_up(database: Database) -> None:
    """Wait until every replica has what was attached to one of them: nobody knows which of them is asked next."""
    address = database.address
    if address.cluster:
        for row in database.rows(_REPLICATED, {"databases": [address.database, address.shard_database]}):
            where = f"{on_cluster(database)} `{row['database']}`.`{row['name']}`"
            database.command(f"SYSTEM SYNC REPLICA{where} LIGHTWEIGHT", settings={"receive_timeout": _SYNC_S})


def _of_this(database: Database, place: Place) -> Backup:
    backup = backup_of(database, place)
    if backup is None:
        raise BackupProblem(f"expected {place} to hold what tocsin backed up, but no backup is written down in it")
    return backup


def _shard(
    database: Database, place: Place, shard: int, *, identity: Callable[[], str], now: datetime, say: Say
) -> None:
    """Give the shard's nodes tables and data, and only then views. Books come from the other shards' nodes."""
    rebuilding = Rebuilding(database, may_begin_empty=True, say=say)
    if not any(node.shard == shard and node.missing for node in rebuilding.lacking):
        raise BackupProblem(
            f"expected every node of shard {shard} to be empty, as after its disks were lost, but its tables are there: "
            f"`tocsin cluster` shows each node"
        )
    rebuilding.tables()
    hosts = survey(database.address).hosts.get(shard)
    if not hosts:
        raise BackupProblem(f"expected store.url to name a node of shard {shard}, and it to answer")
    node = database.on_shard(hosts)
    try:
        tables = ", ".join(f"TABLE `{database.address.shard_database}`.`{name}`" for name in sorted(SHARDED))
        run_to_end(
            node,
            f"RESTORE {tables} FROM {place.sql}",
            identity=identity(),
            settings=f", shard_num_in_backup = {shard}, replica_num_in_backup = 1",
            say=say,
        )
    finally:
        node.close()
    _catch_up(database)
    rebuilding.views(now=now, place=str(place), shard=shard)


def _is_of_a_cluster(
    database: Database, place: Place, identity: Callable[[], str], *, now: datetime, version: str
) -> bool:
    """Look into a backup: its row says of how many shards it is."""
    migrate(database, now=now, version=version)
    name = database.address.database
    run_to_end(
        database,
        f"RESTORE TABLE `{name}`.backups FROM {place.sql}",
        identity=identity(),
        settings=f", {_ANY_TABLE}",
    )
    is_of_a_cluster = bool(_of_this(database, place).shards)
    if not is_of_a_cluster:  # all of it is made anew, of the backup's own version
        database.command(f"DROP DATABASE `{name}` SYNC", database="default")
        database.command(f"CREATE DATABASE `{name}`", database="default")
    return is_of_a_cluster


def _one_server(database: Database, place: Place, *, identity: Callable[[], str], say: Say) -> None:
    """Fill this version's tables from each shard's in turn: one server has them all in one database."""
    backup = _of_this(database, place)
    name = database.address.database
    shard_database = replace(database.address, cluster="any").shard_database
    books = {each.table for each in backup.counts if not each.shard} - {LEDGER}
    for shard in range(1, backup.shards + 1):
        filled = {each.table for each in backup.counts if each.shard == shard}
        parts = [f"TABLE `{shard_database}`.`{table}` AS `{name}`.`{table}`" for table in sorted(filled)]
        if shard == 1:
            parts += [f"TABLE `{name}`.`{table}`" for table in sorted(books)]
        if parts:
            run_to_end(
                database,
                f"RESTORE {', '.join(parts)} FROM {place.sql}",
                identity=identity(),
                settings=f", {_ANY_TABLE}, shard_num_in_backup = {shard}, replica_num_in_backup = 1",
                say=say,
            )
