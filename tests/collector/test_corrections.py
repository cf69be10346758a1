"""Spans of one response are one call, costed once; and every sum agrees with the calls."""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.collector.conftest import NOW
from tests.collector.test_normalisation import RECORDED, price, span_segment, spans

from tocsin_collector.correct import corrections
from tocsin_collector.correct.corrections import finish_corrections, price_calls, settle_duplicates
from tocsin_collector.load.stores import EmbeddedStore, ServerStore
from tocsin_collector.store.database import Database

LONG_AGO = NOW - timedelta(days=3650)
INNER = {**RECORDED["genai_openai"]["attributes"], "_span": 2, "_start_ms": 11, "_took_ms": 5}
OUTER = {
    "tocsin.use_case": "ticket-triage",
    "tocsin.output.label": "billing",
    "tocsin.confidence": 0.9,
    "tocsin.input.text": "I was charged twice",
    "gen_ai.response.id": "chatcmpl-123",
    "_span": 1,
    "_start_ms": 10,
    "_took_ms": 8,
}


def settled(database: Database) -> list[dict[str, Any]]:
    """Settle what there is and read the calls."""
    settle_duplicates(database, LONG_AGO)
    return database.rows(
        "SELECT use_case, model_name, input_tokens, output_label, confidence, span_id, cost FROM ai_calls ORDER BY call_key"
    )


def agree(database: Database) -> None:
    """Hold the hourly sums against the calls themselves."""
    [calls] = database.rows(
        "SELECT count() AS calls, countIf(cost IS NULL) AS unpriced, sum(ifNull(input_tokens, 0)) AS tokens,"
        " countIf(confidence IS NOT NULL) AS confident, sum(ifNull(cost, 0)) AS paid FROM ai_calls"
    )
    [sums] = database.rows(
        "SELECT sum(calls) AS calls, sum(unpriced) AS unpriced, sum(input_tokens) AS tokens, sum(confident) AS confident,"
        " sum(cost) AS paid FROM ai_calls_1h WHERE segment_name = ''"
    )
    assert sums == calls
    [cells] = database.rows(
        "SELECT sumIf(n, kind = 'latency') AS calls, sumIf(n, kind = 'confidence') AS confident FROM input_histogram_1h"
        " WHERE segment_name = ''"
    )
    assert cells == {"calls": calls["calls"], "confident": calls["confident"]}


def load(store: EmbeddedStore | ServerStore, folder: Path, *segments: list[dict[str, Any]]) -> None:
    """Load each list of spans as a segment of its own."""
    for number, given in enumerate(segments, start=1):
        store.insert(span_segment(folder, spans(*given), number=number))


MERGED = {
    "use_case": "ticket-triage",
    "model_name": "gpt-4o-2024-08-06",
    "input_tokens": 1200,
    "output_label": "billing",
    "confidence": 0.9,
    "span_id": (1).to_bytes(8).hex(),
    "cost": None,
}


@pytest.mark.parametrize("segments", [[[OUTER, INNER]], [[INNER, OUTER]], [[INNER], [OUTER]], [[OUTER], [INNER]]])
def test_nested_spans_of_one_response_are_one_call(
    database: Database, tmp_path: Path, segments: list[list[dict[str, Any]]]
) -> None:
    """The use case comes from the outer span, tokens and model from the inner, whatever came first, together or apart."""
    load(EmbeddedStore(database), tmp_path, *segments)

    assert settled(database) == [MERGED]
    agree(database)


def test_third_span_that_comes_later_joins_the_call(database: Database, tmp_path: Path) -> None:
    """An SDK's own span and two instrumentors' tell of the same response: the last may arrive after the others were merged."""
    third = {**RECORDED["openinference_openai"]["attributes"], "_span": 3, "_start_ms": 12}
    store = EmbeddedStore(database)
    store.insert(span_segment(tmp_path, spans(OUTER, INNER), number=1))
    settled(database)
    store.insert(span_segment(tmp_path, spans(third), number=2))

    assert settled(database) == [MERGED]
    agree(database)


def test_span_that_names_the_one_around_it_is_the_same_call(database: Database, tmp_path: Path) -> None:
    """A request that failed has no response to share, and an embedding's has no id; the caller's own ids join nothing."""
    outer = (7).to_bytes(16).hex() + (1).to_bytes(8).hex()
    failed = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o", "error.type": "429"}
    theirs = {**failed, "tocsin.call.id": "order-7"}
    load(
        EmbeddedStore(database),
        tmp_path,
        [{**failed, "_span": 1, "_took_ms": 9}, {**failed, "tocsin.call.id": outer, "_span": 2}],
        [{**theirs, "_span": 3}, {**theirs, "_span": 4}],
    )

    settled(database)

    assert [row["call_id"] for row in database.rows("SELECT call_id FROM ai_calls ORDER BY call_id")] == [
        outer,
        "order-7",
        "order-7",
    ]
    agree(database)


def test_retries_with_responses_of_their_own_are_calls_of_their_own(database: Database, tmp_path: Path) -> None:
    """Every attempt is paid for."""
    again = {**INNER, "gen_ai.response.id": "chatcmpl-124", "_span": 3}
    load(EmbeddedStore(database), tmp_path, [INNER, again])

    assert len(settled(database)) == 2
    agree(database)


def test_same_response_id_in_two_projects_is_two_calls(database: Database, tmp_path: Path) -> None:
    """One customer's spans must never change another's."""
    store = EmbeddedStore(database)
    store.insert(span_segment(tmp_path, spans(OUTER), number=1, project="shop"))
    store.insert(span_segment(tmp_path, spans(INNER), number=2, project="bank"))

    assert len(settled(database)) == 2


def test_settling_again_changes_nothing(database: Database, tmp_path: Path) -> None:
    """It runs before every evaluation."""
    load(EmbeddedStore(database), tmp_path, [OUTER, INNER])
    first = settled(database)

    assert settled(database) == first
    agree(database)


def test_cost_of_one_response_is_counted_once(database: Database, tmp_path: Path) -> None:
    """The figure that a library says twice, or that we reckon beside the provider's own, must not be paid twice."""
    database.insert("prices", [price(model="gpt-4o-2024-08-06", input_per_mtok=1.0)])
    said = {**OUTER, "tocsin.cost.amount": 0.5, "tocsin.cost.currency": "EUR", "tocsin.cost.source": "provider"}
    load(EmbeddedStore(database), tmp_path, [said, INNER, {**INNER, "_span": 3}])

    [call] = settled(database)

    assert call["cost"] == Decimal("0.5")
    sums = database.rows("SELECT currency, sum(cost) AS paid FROM ai_calls_1h GROUP BY currency HAVING paid != 0")
    assert sums == [{"currency": "EUR", "paid": Decimal("0.5")}]


class KilledError(Exception):
    """A crash."""


class Crashing:
    """A database that dies after its nth command."""

    def __init__(self, database: Database, after: int) -> None:
        self._database = database
        self._left = after

    def command(self, *given: Any, **named: Any) -> None:
        """Run it, or die before it."""
        if not self._left:
            raise KilledError
        self._left -= 1
        self._database.command(*given, **named)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)


@pytest.mark.parametrize("after", range(5))
def test_correction_killed_at_any_step_is_finished(database: Database, tmp_path: Path, after: int) -> None:
    """A crash between the sums and the calls must leave neither doubled nor lost."""
    load(EmbeddedStore(database), tmp_path, [OUTER, INNER])
    dying: Any = Crashing(database, after)
    try:
        settle_duplicates(dying, LONG_AGO)
    except KilledError:
        finish_corrections(database)

    settle_duplicates(database, LONG_AGO)

    assert settled(database) == [MERGED]
    agree(database)


def test_price_found_later_is_filled_in(database: Database, tmp_path: Path) -> None:
    """A model that nobody had seen is priced a minute after its first call, and that call with it."""
    load(EmbeddedStore(database), tmp_path, [INNER, {**INNER, "_span": 3, "gen_ai.response.id": "x"}])
    database.insert(
        "prices", [price(model="gpt-4o-2024-08-06", input_per_mtok=2.5, output_per_mtok=10.0, cache_read_per_mtok=1.25)]
    )

    filled = price_calls(database, ["gpt-4o-2024-08-06"])
    price_calls(database, ["gpt-4o-2024-08-06"])

    assert filled.written == 2
    rows = database.rows("SELECT cost, currency, cost_source, price_version FROM ai_calls")
    assert (
        rows
        == [
            {
                "cost": Decimal("0.00179"),
                "currency": "USD",
                "cost_source": "collector",
                "price_version": "genai-prices 1",
            }
        ]
        * 2
    )
    agree(database)
    assert database.rows("SELECT sum(unpriced) AS n FROM ai_calls_1h") == [{"n": 0}]


def test_corrections_hold_every_column_of_a_call(database: Database) -> None:
    """A column that only one of the two tables has would be lost with the first correction."""
    [row] = database.rows(
        "SELECT groupArrayIf(name, table = 'ai_calls') AS calls, groupArrayIf(name, table = 'call_corrections') AS corrections"
        " FROM system.columns WHERE database = currentDatabase()"
    )
    assert set(row["corrections"]) - set(row["calls"]) == {"token"}
    assert set(row["calls"]) <= set(row["corrections"])
    assert set(corrections._MERGED) <= set(row["calls"])


@pytest.mark.server
def test_a_server_settles_alike(database: Database, server_database: Database, tmp_path: Path) -> None:
    """The same statements on an older engine."""
    load(ServerStore(server_database, database), tmp_path, [OUTER], [INNER])
    server_database.insert("prices", [price(model="gpt-4o-2024-08-06", input_per_mtok=2.5)])

    [call] = settled(server_database)
    price_calls(server_database, ["gpt-4o-2024-08-06"])

    assert call == MERGED
    agree(server_database)


def test_spans_of_one_response_settle_whatever_their_nanoseconds(database: Database, tmp_path: Path) -> None:
    """Real clocks do not tick in milliseconds; a row that is taken back and stays would be taken back again, for ever."""
    load(EmbeddedStore(database), tmp_path, [{**OUTER, "_start_ns": 123}, {**INNER, "_start_ns": 987}])

    [call] = settled(database)
    again = settle_duplicates(database, LONG_AGO)

    assert call["use_case"] == "ticket-triage"
    assert again.written == 0
    agree(database)


def test_corrections_over_shards_have_every_column_of_the_calls(database: Database) -> None:
    """As on one server: a column that a migration adds to the calls alone would be lost from every corrected one."""
    calls, corrections = (
        {row["name"] for row in database.rows(f"DESCRIBE TABLE {table}")}
        for table in ("ai_calls", "cluster_corrections")
    )

    assert corrections - calls == {"token", "shard"}
    assert calls <= corrections
