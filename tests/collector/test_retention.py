"""How long tables keep their rows is what tocsin.yaml says, or what was shipped."""

from datetime import timedelta

import pytest

from tocsin_collector.errors import SchemaError
from tocsin_collector.store.database import Database
from tocsin_collector.store.retention import Kept, keep, kept, parse_period


@pytest.mark.parametrize(
    ("text", "days"), [("30d", 30), ("1 day", 1), ("2 weeks", 14), ("13 months", 403), ("for ever", None)]
)
def test_periods_are_written_as_people_say_them(text: str, days: int | None) -> None:
    """Nobody should have to count the days of thirteen months."""
    assert parse_period(text) == (None if days is None else timedelta(days=days))


@pytest.mark.parametrize("text", ["", "0d", "a while", "30", "-1d"])
def test_other_words_are_refused(text: str) -> None:
    """A period that was misread would delete what somebody meant to keep."""
    with pytest.raises(ValueError, match="expected a period"):
        parse_period(text)


def test_a_table_keeps_what_was_asked_and_is_changed_once(database: Database) -> None:
    """Every start asks: only a difference may cost a change."""
    name = database.address.database
    wanted = {"otel_traces": timedelta(days=14), "ai_calls": None}

    first = keep(database, wanted, databases=(name,))
    second = keep(database, wanted, databases=(name,))

    assert first == [Kept(table="otel_traces", days=14), Kept(table="ai_calls", days=None)]
    assert second == []
    by_table = {each.table: each.days for each in kept(database, (name,))}
    assert (by_table["otel_traces"], by_table["ai_calls"], by_table["otel_logs"]) == (14, None, 30)


def test_a_table_that_does_not_expire_is_refused(database: Database) -> None:
    """A slip in a name must not leave the disk to fill."""
    with pytest.raises(SchemaError, match="ai_calls_1h"):
        keep(database, {"ai_calls_1h": timedelta(days=1)}, databases=(database.address.database,))
