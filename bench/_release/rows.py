"""What a store holds, read by some version while nobody else has it: every row of every table that people or alerts depend on.

rows.py STORE      a folder, or a server's URL; on standard input {table: [columns]} to read again, or {} for all columns
"""

import json
import sys
from pathlib import Path

from tocsin_collector.store.database import Database
from tocsin_collector.store.store_address import StoreAddress

# Left out are books of progress, which are written on with every turn.
TABLES = (
    "otel_traces", "ai_calls", "call_content", "outcomes", "alert_events", "notifications", "silences", "guard_events",
    "audit_log", "ingest_keys", "reviews", "review_items", "schema_migrations",
)  # fmt: skip
_ENGINE = "SELECT engine FROM system.tables WHERE database = currentDatabase() AND name = {table:String}"
_COLUMNS = "SELECT name FROM system.columns WHERE database = currentDatabase() AND table = {table:String} AND default_kind IN ('', 'DEFAULT') ORDER BY position"


def main(where: str, asked: dict[str, list[str]]) -> None:
    """Print {table: {"columns": [...], "rows": [...]}}, each row as one text."""
    address = StoreAddress(url=where) if where.startswith("http") else StoreAddress(path=Path(where))
    database = Database.open(address)
    found = {}
    for table in TABLES:
        columns = asked.get(table) or [row["name"] for row in database.rows(_COLUMNS, {"table": table})]
        named = ", ".join(f"`{name}`" for name in columns)
        [engine] = database.rows(_ENGINE, {"table": table})
        final = (
            "" if engine["engine"] in {"MergeTree", "View"} else "FINAL"
        )  # what merges would have taken away is no loss
        rows = database.rows(f"SELECT toString(tuple({named})) AS row FROM {table} {final}")
        found[table] = {"columns": columns, "rows": sorted(row["row"] for row in rows)}
    database.close()
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1], json.load(sys.stdin))
