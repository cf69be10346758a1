"""Settings that newer engines know are set once, and never asked of an older one."""

from collections.abc import Mapping
from typing import Any

from tocsin_collector.store.database import Database
from tocsin_collector.store.tuning import TUNED, tune


class OlderEngine:
    """Has the tables, and knows none of the settings."""

    def __init__(self) -> None:
        self.commands: list[str] = []

    def rows(self, sql: str, parameters: Mapping[str, Any] | None = None, /) -> list[dict[str, Any]]:  # noqa: ARG002 - as the port has it
        """Answer what the tuning asks."""
        if "merge_tree_settings" in sql:
            return [{"name": "index_granularity"}]
        return [{"name": table, "engine_full": "MergeTree ORDER BY x"} for table in TUNED]

    def command(self, sql: str, /) -> None:
        """Note what was asked for."""
        self.commands.append(sql)


def test_a_migrated_store_is_tuned_already(database: Database) -> None:
    """Starting again must not alter tables again: an ALTER waits for merges."""
    changed = tune(database)

    assert changed == ()
    [row] = database.rows(
        "SELECT engine_full FROM system.tables WHERE database = currentDatabase() AND name = 'otel_traces'"
    )
    assert "merge_selector_base = 20" in row["engine_full"]


def test_an_older_engine_is_left_as_it_is() -> None:
    """A setting that it does not know would be an error at every start."""
    older = OlderEngine()

    changed = tune(older)

    assert changed == ()
    assert older.commands == []
