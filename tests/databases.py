"""Migrated databases that tests take in turns: migrating takes a second, emptying what a test wrote a few milliseconds."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from tocsin_collector.store.database import Database, StoreAddress
from tocsin_collector.store.migrate import migrate

_NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
_STATE = """
SELECT sum(cityHash64(name, create_table_query)) AS shape FROM system.tables WHERE database = currentDatabase()
"""
_FILLED = """
SELECT name FROM system.tables
WHERE database = currentDatabase() AND total_rows > 0 AND name != 'schema_migrations'
"""


def empty(database: Database) -> None:
    """Take out all that tests wrote."""
    for row in database.rows(_FILLED):
        database.command(f"TRUNCATE TABLE `{row['name']}` SYNC")


class Databases:
    """Databases of one store; one whose tables or views a test changed is dropped instead of being used again."""

    def __init__(self, address_of: Callable[[str], StoreAddress]) -> None:
        self._address_of = address_of
        self._idle: list[StoreAddress] = []
        self._shapes: dict[str, int] = {}

    @contextmanager
    def one(self) -> Iterator[Database]:
        """Lend a migrated, empty database that the caller alone uses."""
        lent = self._used() or self._made()
        yield lent
        lent.close()
        self._idle.append(lent.address)

    def _used(self) -> Database | None:
        # Looked at now, not when it came back: a collector of the test before may have ended, and drained, after that.
        while self._idle:
            database = Database.open(self._idle.pop())
            [state] = database.rows(_STATE)
            if state["shape"] == self._shapes[database.address.database]:
                empty(database)
                return database
            database.command(f"DROP DATABASE `{database.address.database}`")
            database.close()
        return None

    def _made(self) -> Database:
        database = Database.open(self._address_of(f"t_{uuid.uuid4().hex[:12]}"))
        migrate(database, now=_NOW)
        self._shapes[database.address.database] = database.rows(_STATE)[0]["shape"]
        return database
