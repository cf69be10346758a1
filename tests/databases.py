"""Migrated databases that tests take in turns: migrating takes a second, emptying what a test wrote a few milliseconds."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from tocsin_collector.store.database import Database, StoreAddress
from tocsin_collector.store.migrate import migrate

_NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
_STATE = """
SELECT sum(cityHash64(name, create_table_query)) AS shape,
    groupArrayIf(name, total_rows > 0 AND name != 'schema_migrations') AS filled
FROM system.tables WHERE database = currentDatabase()
"""


class Databases:
    """Databases of one store; one whose tables or views a test changed is dropped instead of being used again."""

    def __init__(self, address_of: Callable[[str], StoreAddress]) -> None:
        self._address_of = address_of
        self._idle: list[StoreAddress] = []
        self._shapes: dict[str, int] = {}

    @contextmanager
    def one(self) -> Iterator[Database]:
        """Lend a migrated, empty database that the caller alone uses."""
        address = self._idle.pop() if self._idle else self._address_of(f"t_{uuid.uuid4().hex[:12]}")
        lent = Database.open(address)
        if address.database in self._shapes:
            # Now, not when it came back: a collector of the test before may have ended, and drained, after that.
            for table in lent.rows(_STATE)[0]["filled"]:
                lent.command(f"TRUNCATE TABLE `{table}` SYNC")
        else:
            migrate(lent, now=_NOW)
            self._shapes[address.database] = lent.rows(_STATE)[0]["shape"]
        yield lent
        lent.close()
        self._take_back(address)

    def _take_back(self, address: StoreAddress) -> None:
        database = Database.open(address)
        [state] = database.rows(_STATE)
        if state["shape"] == self._shapes[address.database]:
            self._idle.append(address)
        else:
            database.command(f"DROP DATABASE `{address.database}`")
        database.close()
