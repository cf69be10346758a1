"""Tables for nodes of a cluster that have none: copied from a node that has them, and the data comes from Keeper's other replicas.

The views that segments go through are made last, once the node has the books that they read: until then a collector finds
its shape incomplete and keeps its segments in the spool, so a node that is half made takes nothing in.
"""

import re
import secrets
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from tocsin_collector.errors import SchemaError, StoreRejected
from tocsin_collector.store.database import LEDGER, Database
from tocsin_collector.store.migrate import STATEMENT_SETTINGS, shipped
from tocsin_collector.store.nodes import ClusterNode, Name, look, lost_shards

_MADE: Final = """SELECT database, name, toString(uuid) AS uuid, engine, engine_full, create_table_query AS made FROM system.tables
WHERE database IN {databases:Array(String)} ORDER BY database, name"""
_REGISTERED: Final = "SELECT path, name FROM system.zookeeper WHERE path IN {paths:Array(String)}"
_OWN: Final = "SELECT zookeeper_path AS path, database, table FROM system.replicas"
_CREATE: Final = re.compile(r"^CREATE (TABLE|VIEW|MATERIALIZED VIEW) (\S+)")
_PLACE: Final = re.compile(r"^Replicated\w*MergeTree\('([^']+)', '([^']+)'")
_VIEWS: Final = ("View", "MaterializedView")
_SYNC_S: Final = 600
_IS_ACTIVE: Final = 305
_SESSION_S: Final = 60.0  # twice what a server asks Keeper for by itself
_PAUSE_S: Final = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuilt:
    """What was done."""

    nodes: tuple[str, ...]
    tables: int  # made, over all nodes
    registrations: int  # of replicas that were lost, taken out of Keeper


Say = Callable[[str], object]


class Rebuilding:
    """Gives nodes what others have, in two steps between which data may be restored.

    Raises:
        SchemaError: a shard has lost all of its replicas, and nobody said that it shall begin empty.
    """

    def __init__(self, database: Database, *, may_begin_empty: bool = False, say: Say = lambda _: None) -> None:
        self._database = database
        self._address = database.address
        self._say = say
        nodes = look(database)
        self.lacking: Sequence[ClusterNode] = [node for node in nodes if node.missing]
        if (lost := lost_shards(nodes)) and not may_begin_empty:
            raise SchemaError(
                f"expected a node of shard {lost[0]} that still has its tables, but all that answer are empty: "
                f"`tocsin restore --from BACKUP --shard {lost[0]}` brings back what a backup holds; "
                f"--begin-empty goes on without it"
            )
        databases = [self._address.database, self._address.shard_database]
        self._made = database.rows(_MADE, {"databases": databases}) if self.lacking else []
        self._registrations = 0

    def tables(self) -> None:
        """Make databases, functions, tables and plain views."""
        if not self.lacking:
            return
        for name in dict.fromkeys((self._address.database, self._address.shard_database)):
            self._run(f"CREATE DATABASE IF NOT EXISTS `{name}` ON CLUSTER `{self._address.cluster}`")
        make_functions(self._database)
        self._forget_lost_replicas()
        self._in_rounds(row for row in self._missing() if row["engine"] not in _VIEWS and row["name"] != LEDGER)
        self._in_rounds(row for row in self._missing() if row["engine"] == "View")
        self._in_rounds(row for row in self._missing() if row["name"] == LEDGER)  # from now on it is asked

    def views(self, *, now: datetime, place: str = "", shard: int = 0) -> Rebuilt:
        """Wait for the books, let collectors know, then make the views that segments go through."""
        names = tuple(node.name for node in self.lacking)
        if self.lacking:
            self._say("waiting for the books")
            for row in self._missing():
                if row["database"] == self._address.database and _PLACE.match(row["engine_full"]):
                    where = f"ON CLUSTER `{self._address.cluster}` `{row['database']}`.`{row['name']}`"
                    self._run(f"SYSTEM SYNC REPLICA {where} LIGHTWEIGHT", receive_timeout=_SYNC_S)
            write_down(self._database, now=now, place=place, shard=shard)
            self._in_rounds(row for row in self._missing() if row["engine"] == "MaterializedView")
        made = sum(len(node.missing) for node in self.lacking)
        return Rebuilt(nodes=names, tables=made, registrations=self._registrations)

    def _missing(self) -> Iterable[dict[str, Any]]:
        lacked: frozenset[Name] = frozenset().union(*(node.missing for node in self.lacking))
        return [row for row in self._made if (row["database"], row["name"]) in lacked]

    def _forget_lost_replicas(self) -> None:
        """Take out of Keeper what stands there under the name of a node that has no such table: it would be in the way."""
        stale: dict[tuple[str, str], str] = {}
        for node in self.lacking:
            for row in self._missing():
                found = _PLACE.match(row["engine_full"])
                if found and (row["database"], row["name"]) in node.missing:
                    path, replica = (_with_macros(part, node, row) for part in (found[1], found[2]))
                    stale[f"{path}/replicas", replica] = path
        known = self._database.rows(_REGISTERED, {"paths": sorted({path for path, _ in stale})}) if stale else []
        # A server takes the path only of a table that it has not itself.
        own = {row["path"]: f"TABLE `{row['database']}`.`{row['table']}`" for row in self._database.rows(_OWN)}
        for row in known:
            if path := stale.get((row["path"], row["name"]), ""):
                where = own.get(path, f"ZKPATH '{path}'")
                self._forget(f"SYSTEM DROP REPLICA '{row['name']}' FROM {where}")
                self._registrations += 1

    def _forget(self, sql: str) -> None:
        """Take a replica out of Keeper, once Keeper has missed whoever died: until its session ends it counts as active."""
        until_s = time.monotonic() + _SESSION_S
        while True:
            try:
                self._run(sql)
            except StoreRejected as error:
                if getattr(error.__cause__, "code", None) != _IS_ACTIVE or time.monotonic() > until_s:
                    raise
                time.sleep(_PAUSE_S)
            else:
                return

    def _in_rounds(self, rows: Iterable[dict[str, Any]]) -> None:
        """Make each on every node that lacks it; one that reads another that is not there yet comes again."""
        waiting = list(rows)
        while waiting:
            refused: list[tuple[dict[str, Any], StoreRejected]] = []
            for row in waiting:
                self._say(f"{row['database']}.{row['name']}")
                try:
                    self._run(_everywhere(row, self._address.cluster))
                except StoreRejected as error:
                    refused.append((row, error))
            if len(refused) == len(waiting):
                raise refused[0][1]
            waiting = [row for row, _ in refused]

    def _run(self, sql: str, **settings: Any) -> None:
        self._database.command(sql, settings={**STATEMENT_SETTINGS, **settings})


def rebuild(database: Database, *, now: datetime, may_begin_empty: bool = False, say: Say = lambda _: None) -> Rebuilt:
    """Give every node that answers the tables that it lacks. Where nothing is missing, nothing is done.

    Args:
        database: The cluster.
        now: The time of day.
        may_begin_empty: Also a shard of which nothing is left.
        say: Told what is being made.

    Raises:
        SchemaError: a shard has lost all of its replicas.
        StoreUnavailable: run it again; what was made stays.
    """
    rebuilding = Rebuilding(database, may_begin_empty=may_begin_empty, say=say)
    rebuilding.tables()
    return rebuilding.views(now=now)


def write_down(database: Database, *, now: datetime, place: str = "", shard: int = 0) -> None:
    """Let collectors know that tables were made anew: what they were about to store may be there, unknown by its token.

    A node that was lost while it took a segment never says that it has it, however often the segment is sent to its sister.
    """
    database.insert("restores", [{"restore": secrets.token_hex(16), "at": now, "place": place, "shard": shard}])


def make_functions(database: Database) -> None:
    """Make the functions of this version where they are missing: no table holds them, nor does a database's backup."""
    cluster = database.address.cluster or None
    for migration in shipped():
        for statement in migration.statements(cluster=cluster):
            if statement.startswith("CREATE FUNCTION"):
                database.command(statement, settings=None if database.address.is_embedded else STATEMENT_SETTINGS)


def _everywhere(row: dict[str, Any], cluster: str) -> str:
    """Write the statement that makes it where it is missing, under the id that it has elsewhere.

    A view's id is in the tokens of the blocks that it passes on: with another one a segment that is tried again on this node
    would be stored a second time.
    """
    known = f"UUID '{row['uuid']}' ON CLUSTER `{cluster}`"
    return _CREATE.sub(lambda found: f"CREATE {found[1]} IF NOT EXISTS {found[2]} {known}", row["made"], count=1)


def _with_macros(part: str, node: ClusterNode, row: dict[str, Any]) -> str:
    known = {**node.macros, "database": row["database"], "table": row["name"]}
    return re.sub(r"\{(\w+)\}", lambda found: str(known.get(found[1], found[0])), part)
