"""The store, opened by a command itself while nothing runs."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from importlib import metadata

from tocsin_collector.database import Database, StoreAddress
from tocsin_collector.migrate import migrate
from tocsin_console.config import Config


@contextmanager
def opened(config: Config, *, now: datetime) -> Iterator[Database]:
    """Open the store that the configuration names, with this version's tables, for as long as the block lasts.

    Raises:
        StoreInUse: a running process holds the folder after all.
        StoreUnavailable: the server does not answer.
    """
    address = StoreAddress(
        path=config.store_path, url=config.store_url, password=config.store_password, database=config.database
    )
    config.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    database = Database.open(address)
    try:
        migrate(database, now=now, version=metadata.version("tocsin"))
        yield database
    finally:
        database.close()
