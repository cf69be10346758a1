"""What segments go through is known from the migrations' text."""

import pytest

from tocsin_collector.errors import StoreUnfit
from tocsin_collector.load.shape import ShapeGuard, shipped_shape
from tocsin_collector.store.database import Database


def test_shape_read_from_the_text_is_that_of_the_engine(database: Database) -> None:
    """A column that is not read from the text could be dropped unseen; one too many would stop every load."""
    shape = shipped_shape()

    made = {
        row["table"]: set(row["names"])
        for row in database.rows(
            "SELECT table, groupArray(name) AS names FROM system.columns WHERE database = currentDatabase() GROUP BY table"
        )
    }
    views = database.rows(
        "SELECT name FROM system.tables WHERE database = currentDatabase() AND engine = 'MaterializedView'"
    )

    assert {table: set(columns) for table, columns in shape.columns.items()} == {
        table: made[table] for table in shape.columns
    }
    assert set(shape.views) == {row["name"] for row in views}
    assert {"spans_in", "logs_in", "outcomes_in", "otel_traces", "ai_calls", "outcomes_waiting"} <= set(shape.columns)


def test_what_a_user_adds_is_nobody_s_business(database: Database) -> None:
    """The next version adds columns and views too."""
    guard = ShapeGuard(database)
    guard.check()
    database.command("ALTER TABLE otel_traces ADD COLUMN mine String")
    database.command("CREATE MATERIALIZED VIEW mine ENGINE = Null AS SELECT SpanId FROM spans_in")

    guard.check()


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ("ALTER TABLE otel_traces DROP COLUMN StatusMessage", "otel_traces lacks the column StatusMessage"),
        ("DROP VIEW otel_logs_mv", "the view otel_logs_mv is gone"),
        ("DROP TABLE call_keys", "the table call_keys is gone"),
    ],
)
def test_what_is_missing_is_named(database: Database, broken: str, said: str) -> None:
    """Whoever mends it is not the one who broke it."""
    guard = ShapeGuard(database)
    guard.check()
    database.command(broken)

    with pytest.raises(StoreUnfit, match=said):
        guard.check()
