"""The store that a simulation fills: an embedded one in memory or in a folder, with tocsin's own tables."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from _detect import rollups
from tocsin_collector.store.database import Database, StoreAddress
from tocsin_collector.store.migrate import migrate

START: Final = datetime.fromtimestamp(rollups.START_S, UTC)
PROJECT: Final = "bench"

_FILLED: Final = (
    "ai_calls_1h",
    "input_histogram_1h",
    "outcomes",
    "reference_windows",
    "reference_profiles",
    "calibrations",
    "plans",
    "review_items",
)
_COLUMNS: Final = {
    "simulated_cells": rollups.CELL,
    "simulated_hours": rollups.HOUR,
    "simulated_outcomes": rollups.OUTCOME,
}


def open_store(folder: Path) -> Database:
    """Open and migrate a store, and add what the simulator writes to."""
    database = Database.open(StoreAddress(path=folder))
    migrate(database, now=START)
    prepare(database)
    return database


def prepare(database: Database) -> None:
    """Add what the simulator writes to, in a migrated store."""
    text = Path(__file__).with_name("tables.sql").read_text(encoding="utf-8")
    for statement in text.split(";\n"):
        if statement.strip():
            database.command(statement)
    words = {
        "kind": rollups.KINDS,
        "field": rollups.FIELDS,
        "vocabulary": rollups.VOCABULARY,
    }
    database.insert("simulated_words", [{"what": what, "words": list(said)} for what, said in words.items()])


def write(database: Database, table: str, parts: Sequence[NDArray[np.void]]) -> None:
    """Insert rows into one of the simulator's tables."""
    dtype = _COLUMNS[table]
    block = rollups.joined(parts, dtype)
    if block:
        database.insert_raw(table, list(dtype.names or ()), block, fmt="RowBinary")


def empty(database: Database) -> None:
    """Take out every stream, for the next ones."""
    for table in _FILLED:
        database.command(f"TRUNCATE TABLE {table}")
