"""Makes the tables of a store look like those of the next version, which only adds: a column to each, and a migration of its own.

later.py STORE      a folder, or a server's URL
"""

import re
import sys
from datetime import UTC, datetime
from pathlib import Path

from tocsin_collector.store.database import Database
from tocsin_collector.store.store_address import StoreAddress
from tocsin_wire.version import version

_TABLES = "SELECT name FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree'"


def main(where: str) -> None:
    """Add to every table."""
    address = StoreAddress(url=where) if where.startswith("http") else StoreAddress(path=Path(where))
    database = Database.open(address)
    for table in database.rows(_TABLES):
        if not str(table["name"]).startswith("."):
            database.command(f"ALTER TABLE {table['name']} ADD COLUMN IF NOT EXISTS `added_later` String")
    parts = re.match(r"(\d+)\.(\d+)", version())
    if parts is None:
        raise SystemExit(f"expected a version such as 1.2.3, got {version()}")
    database.insert(
        "schema_migrations",
        [
            {
                "name": "9999_later.sql",
                "sha256": "",
                "version": f"{parts[1]}.{int(parts[2]) + 1}.0",
                "applied_at": datetime.now(UTC),
            }
        ],
    )
    database.close()


if __name__ == "__main__":
    main(sys.argv[1])
