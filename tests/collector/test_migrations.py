"""The tables come up on both engines, can be brought up again, and are refused when they are newer."""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tocsin_collector.database import Database, StoreAddress
from tocsin_collector.errors import SchemaError
from tocsin_collector.migrate import STATEMENT_SETTINGS, migrate, shipped

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@pytest.fixture(params=["embedded", pytest.param("server", marks=pytest.mark.server)])
def empty(request: pytest.FixtureRequest, engine_folder: Path) -> Iterator[Database]:
    """An empty database on either engine."""
    name = f"t_{uuid.uuid4().hex[:12]}"
    if request.param == "embedded":
        address = StoreAddress(path=engine_folder, database=name)
    else:
        address = StoreAddress(url=request.getfixturevalue("server_url"), database=name)
    opened = Database.open(address)
    yield opened
    opened.command(f"DROP DATABASE `{name}`")
    opened.close()


def described(database: Database) -> list[tuple[str, str]]:
    """List what every table is made by."""
    sql = "SELECT name, create_table_query AS made FROM system.tables WHERE database = currentDatabase() ORDER BY name"
    return [(row["name"], row["made"]) for row in database.rows(sql)]


def test_migrations_apply_once_each(empty: Database) -> None:
    """Every start migrates: the first does all the work, the others none."""
    first = migrate(empty, now=NOW, version="1")
    second = migrate(empty, now=NOW, version="1")

    assert first == tuple(migration.name for migration in shipped())
    assert second == ()
    assert [row["name"] for row in empty.rows("SELECT name FROM schema_migrations FINAL ORDER BY name")] == list(first)


def test_every_statement_can_be_run_again(empty: Database) -> None:
    """A crash between two statements is mended by running them all: each must leave the same tables the second time."""
    migrate(empty, now=NOW)
    before = described(empty)

    for migration in shipped():
        for statement in migration.statements(cluster=None):
            empty.command(statement, settings=STATEMENT_SETTINGS)
            empty.command(statement, settings=STATEMENT_SETTINGS)

    assert described(empty) == before


def test_migration_changed_after_it_was_applied_is_refused(empty: Database) -> None:
    """A file edited in place would leave old installations with other tables, silently."""
    migrate(empty, now=NOW)
    name = shipped()[0].name
    row = {"name": name, "sha256": "other", "version": "", "applied_at": datetime(2027, 1, 1, tzinfo=UTC)}
    empty.insert("schema_migrations", [row])

    with pytest.raises(SchemaError, match=f"{name} was changed"):
        migrate(empty, now=NOW)


def test_tables_of_a_newer_version_are_refused(empty: Database) -> None:
    """An older tocsin must not write into tables that it does not know."""
    migrate(empty, now=NOW)
    empty.insert("schema_migrations", [{"name": "9999_later.sql", "sha256": "x", "version": "9", "applied_at": NOW}])

    with pytest.raises(SchemaError, match="9999_later"):
        migrate(empty, now=NOW)


def test_cluster_names_replicated_engines_on_every_table() -> None:
    """On a cluster a plain MergeTree would hold a different truth on each replica."""
    for migration in shipped():
        for statement in migration.statements(cluster="main"):
            assert "ON CLUSTER `main`" in statement
            assert "${" not in statement
            if "MergeTree" in statement:
                assert "ENGINE = Replicated" in statement
