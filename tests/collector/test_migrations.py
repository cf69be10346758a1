"""The tables come up on both engines, can be brought up again, and are refused when they are newer."""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tocsin_collector.errors import SchemaError
from tocsin_collector.store.database import Database, StoreAddress
from tocsin_collector.store.migrate import STATEMENT_SETTINGS, Migration, migrate, shipped

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


def test_the_version_before_runs_on_what_was_only_added(empty: Database) -> None:
    """Whoever must go back after an upgrade finds the tables that he left, and more; two versions back is refused."""
    later = Migration(
        name="9999_later.sql", text="CREATE TABLE IF NOT EXISTS later ${on_cluster} (a UInt8) ENGINE = Null;"
    )
    migrate(empty, now=NOW, version="1.4.0")
    migrate(empty, now=NOW, version="1.5.0", known=(*shipped(), later))

    again = migrate(empty, now=NOW, version="1.4.2")

    assert again == ()
    with pytest.raises(SchemaError, match=r"applied by tocsin 1\.5\.0"):
        migrate(empty, now=NOW, version="1.3.9")


@pytest.mark.parametrize("after", [0, 1, 7, 40])
def test_a_migration_ended_anywhere_goes_on(empty: Database, after: int) -> None:
    """A start that was killed is started again."""

    class Killed(Exception):  # noqa: N818 - it is no error of ours
        pass

    class Ending(Database):
        left = after

        def command(self, sql: str, **how: Any) -> None:
            if not self.left:
                raise Killed
            self.left -= 1
            super().command(sql, **how)

    dying = Ending(empty.address, empty._lock)
    dying._reach()
    dying._name = dying._client.database = empty.address.database
    with pytest.raises(Killed):
        migrate(dying, now=NOW)
    dying.close()

    assert migrate(empty, now=NOW)[-1] == shipped()[-1].name
    assert migrate(empty, now=NOW) == ()
