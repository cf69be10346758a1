"""Numbered migrations: idempotent statement by statement, one ledger with a hash per file."""

import hashlib
import re
import string
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import resources

from tocsin_collector.database import Database
from tocsin_collector.errors import SchemaError
from tocsin_collector.tuning import tune

# A server (24.10) that alters a view reads its old text back under max_parser_depth, taken for the limit of backtracking: 1,000
# is too little for ai_calls_mv.
STATEMENT_SETTINGS = {"max_parser_depth": 10_000}

_LEDGER = """CREATE TABLE IF NOT EXISTS schema_migrations ${on_cluster}
(`name` String, `sha256` String, `version` String, `applied_at` DateTime64(3, 'UTC'))
ENGINE = ${Replicated}ReplacingMergeTree(applied_at) ORDER BY name"""


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


def migrate(database: Database, *, now: datetime, version: str = "", cluster: str | None = None) -> tuple[str, ...]:
    """Bring the tables up to this version and return the names of what was applied.

    A crash between two statements is mended by running it again.

    Raises:
        SchemaError: the tables are newer than this version, or a file was changed after it was applied.
        StoreUnavailable: the store did not answer.
    """
    database.command(_fill(_LEDGER, cluster))
    applied = {row["name"]: row["sha256"] for row in database.rows("SELECT name, sha256 FROM schema_migrations FINAL")}
    known = shipped()
    unknown = sorted(set(applied) - {migration.name for migration in known})
    if unknown:
        raise SchemaError(
            f"expected tables of this version or older, but {unknown[-1]} was applied by a newer tocsin: "
            f"start that version, or point this one at another data folder"
        )
    done = []
    for migration in known:
        if migration.name in applied:
            if applied[migration.name] != migration.sha256:
                raise SchemaError(f"{migration.name} was changed after it was applied here: add a new file instead")
            continue
        for statement in migration.statements(cluster=cluster):
            database.command(statement, settings=STATEMENT_SETTINGS)
        row = {
            "name": migration.name,
            "sha256": migration.sha256,
            "version": version,
            "applied_at": now.astimezone(UTC),
        }
        database.insert("schema_migrations", [row])
        done.append(migration.name)
    tune(database)
    return tuple(done)


def _fill(text: str, cluster: str | None) -> str:
    on_cluster = f"ON CLUSTER `{cluster}`" if cluster else ""
    return string.Template(text).substitute(Replicated="Replicated" if cluster else "", on_cluster=on_cluster)
