"""The store, opened by a command itself while nothing runs."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from tocsin_collector.store.database import Database
from tocsin_collector.store.migrate import migrate
from tocsin_console.config import Config
from tocsin_wire.version import version


@contextmanager
def opened(config: Config, *, now: datetime) -> Iterator[Database]:
    """Open the store that the configuration names, with this version's tables, for as long as the block lasts.

    Raises:
        StoreInUse: a running process holds the folder after all.
        StoreUnavailable: the server does not answer.
    """
    config.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    database = Database.open(config.store)
    try:
        migrate(database, now=now, version=version())
        yield database
    finally:
        database.close()
