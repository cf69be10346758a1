"""Numbered migrations: idempotent statement by statement, one ledger with a hash per file."""

import hashlib
import logging
import re
import string
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import resources
from typing import Final

from tocsin_collector.errors import SchemaError
from tocsin_collector.store.database import Database
from tocsin_collector.store.placement import SHARDED, Placed, books, place, twin
from tocsin_collector.store.tuning import tune

# A server (24.10) that alters a view reads its old text back under max_parser_depth, taken for the limit of backtracking: 1,000
# is too little for ai_calls_mv. The embedded engine does not, and there a setting costs a third of all migrating: its client
# asks for what it was before, statement by statement.
STATEMENT_SETTINGS = {"max_parser_depth": 10_000}

_log = logging.getLogger(__name__)
_LEDGER: Final = """CREATE TABLE IF NOT EXISTS schema_migrations ${on_cluster}
(`name` String, `sha256` String, `version` String, `applied_at` DateTime64(3, 'UTC'))
ENGINE = ${Replicated}ReplacingMergeTree(applied_at) ORDER BY name"""
_COLUMNS: Final = """SELECT table, groupArray((name, type)) AS columns FROM
(SELECT table, name, type FROM system.columns WHERE database = {database:String} AND table IN {tables:Array(String)} ORDER BY table, position)
GROUP BY table"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """One numbered file of statements, as shipped."""

    name: str
    text: str

    @property
    def sha256(self) -> str:
        """Hash of the text as shipped, before engine and cluster are filled in."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    def statements(self, *, cluster: str | None) -> list[str]:
        """Split into single statements for one server (None) or a named cluster."""
        body = "\n".join(line for line in _fill(self.text, cluster).splitlines() if not line.startswith("--"))
        return [part.strip() for part in re.split(r";[ \t]*(?:\n|$)", body) if part.strip()]


def shipped() -> tuple[Migration, ...]:
    """List the migrations of this version, in order."""
    files = resources.files("tocsin_collector").joinpath("migrations").iterdir()
    found = [Migration(name=f.name, text=f.read_text(encoding="utf-8")) for f in files if f.name.endswith(".sql")]
    return tuple(sorted(found, key=lambda migration: migration.name))


def migrate(
    database: Database, *, now: datetime, version: str = "", known: Collection[Migration] | None = None
) -> tuple[str, ...]:
    """Bring the tables up to this version and return the names of what was applied.

    A crash between two statements is mended by running it again. On a cluster every node gets them; one that is down
    catches up when it is back.

    Raises:
        SchemaError: the tables are newer than this version, or a file was changed after it was applied.
        StoreUnavailable: the store did not answer.
    """
    shipment = shipped() if known is None else tuple(known)
    builder = _Builder(database, books([_LEDGER, *(migration.text for migration in shipment)]))
    cluster = database.address.cluster or None
    # On a cluster each statement asks every node, and one whose disk is new and empty would refuse it.
    if not (cluster and database.rows("EXISTS TABLE schema_migrations")[0]["result"]):
        builder.run(_fill(_LEDGER, cluster))
    rows = database.rows("SELECT name, sha256, version FROM schema_migrations FINAL")
    applied = {row["name"]: row["sha256"] for row in rows}
    unknown = sorted(set(applied) - {migration.name for migration in shipment})
    if unknown:
        newer = max((row["version"] for row in rows if row["name"] in unknown), key=_release)
        if not _is_next(version, newer):
            raise SchemaError(
                f"expected tables of this version, the one after it or older, but {unknown[-1]} was applied by tocsin "
                f"{newer or 'of no known version'}: start that version, or point this one at another data folder"
            )
        _log.warning("the tables are of tocsin %s, which only added to those of this one (%s)", newer, version)
    done = []
    for migration in shipment:
        if migration.name in applied:
            if applied[migration.name] != migration.sha256:
                raise SchemaError(f"{migration.name} was changed after it was applied here: add a new file instead")
            continue
        for statement in migration.statements(cluster=cluster):
            builder.run(statement)
        row = {
            "name": migration.name,
            "sha256": migration.sha256,
            "version": version,
            "applied_at": now.astimezone(UTC),
        }
        database.insert("schema_migrations", [row])
        done.append(migration.name)
    builder.follow(SHARDED)
    builder.tune()
    return tuple(done)


def _is_next(own: str, newer: str) -> bool:
    """Whether a version only adds to this one's tables: versions of the same minor number, or of the next, do."""
    mine, theirs = _release(own), _release(newer)
    return bool(mine and theirs) and theirs[0] == mine[0] and theirs[1] - mine[1] in {0, 1}


def _release(version: str) -> tuple[int, ...]:
    found = re.match(r"(\d+)\.(\d+)", version)
    return tuple(map(int, found.groups())) if found else ()


class _Builder:
    """Runs statements where they belong; without a cluster, all of them in the one database."""

    def __init__(self, database: Database, known: Collection[str]) -> None:
        self._database = database
        self._known = known

    def run(self, statement: str) -> None:
        address = self._database.address
        if not address.cluster:
            self._database.command(statement, settings=None if address.is_embedded else STATEMENT_SETTINGS)
            return
        placed: Placed = place(statement, database=address.database, known=self._known)
        where = address.shard_database if placed.on_shard else None
        self._database.command(placed.sql, database=where, settings=STATEMENT_SETTINGS)
        if placed.twin:
            self.follow([placed.twin])

    def follow(self, tables: Collection[str]) -> None:
        """Lay Distributed tables over the sharded ones where they are missing or have other columns."""
        address = self._database.address
        if not address.cluster:
            return
        ours, twins = (self._columns(name, tables) for name in (address.shard_database, address.database))
        for table in sorted(ours):
            if ours[table] != twins.get(table):
                made = twin(
                    table, cluster=address.cluster, database=address.database, shard_database=address.shard_database
                )
                self._database.command(made)

    def tune(self) -> None:
        """Give tables the settings that only newer engines know."""
        tune(self._database)
        if self._database.address.cluster:
            shard = self._database.on_shard(self._database.address.urls)
            try:
                tune(_OnEveryNode(shard, self._database))
            finally:
                shard.close()

    def _columns(self, database: str, tables: Collection[str]) -> dict[str, object]:
        found = self._database.rows(_COLUMNS, {"database": database, "tables": sorted(tables)})
        return {row["table"]: row["columns"] for row in found}


class _OnEveryNode:
    """Asks one node about the tables of shards, and changes them on all."""

    def __init__(self, shard: Database, everywhere: Database) -> None:
        self.rows = shard.rows
        self._everywhere = everywhere

    def command(self, sql: str, /) -> None:
        self._everywhere.command(sql)


def _fill(text: str, cluster: str | None) -> str:
    on_cluster = f"ON CLUSTER `{cluster}`" if cluster else ""
    return string.Template(text).substitute(Replicated="Replicated" if cluster else "", on_cluster=on_cluster)
