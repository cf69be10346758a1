"""The same loop with a real ClickHouse server as the store: decoded here, fanned out there by the same views."""

from pathlib import Path

import pytest
from tests.collector.conftest import Run
from tests.collector.sending import START_NS, count, eventually, loaded, trace_request
from tests.collector.test_process import serving

from tocsin_collector.load.stores import EmbeddedStore, ServerStore
from tocsin_collector.store.database import Database
from tocsin_wire.v1.outcomes_pb2 import CallRef, Outcome, RecordOutcomesRequest

pytestmark = pytest.mark.server


def test_spans_and_outcomes_reach_a_server(run: Run, database: Database, server_database: Database) -> None:
    """Embedded and server are one transform: an older server must end with the rows that the embedded engine has."""
    collector, client = run(server_database, store=ServerStore(server_database, database))
    call = CallRef(use_case="ticket-triage", call_id="c1", started_unix_nano=START_NS, label="a", confidence=0.5)

    client.export(trace_request(5, tocsin__input__ink=0.5, tocsin__confidence=0.9, tocsin__input__device="A7"))
    client.record(RecordOutcomesRequest(outcomes=[Outcome(call=call, label="a")]))
    loaded(collector)

    [row] = server_database.rows("SELECT DISTINCT use_case, confidence, input_numbers, input_strings FROM ai_calls")
    assert count(server_database, "otel_traces") == 5
    assert row["input_numbers"] == {"ink": 0.5}
    assert row["input_strings"] == {"device": "A7"}
    assert server_database.rows("SELECT sum(calls) AS n FROM ai_calls_1h") == [{"n": 5}]
    assert server_database.rows("SELECT correct, confidence FROM outcomes") == [{"correct": 1, "confidence": 0.5}]
    assert count(database, "otel_traces") == 0, "the embedded engine decodes and keeps nothing"


def test_same_segment_again_stores_nothing_more_on_a_server(
    run: Run, database: Database, server_database: Database
) -> None:
    """A connection may break after the server took the block: sent again, it must be the same block to every view."""

    class Twice(ServerStore):
        def insert(self, segment: object) -> None:
            super().insert(segment)  # type: ignore[arg-type]
            super().insert(segment)  # type: ignore[arg-type]

    collector, client = run(server_database, store=Twice(server_database, database))

    client.export(trace_request(5, tocsin__input__ink=0.5))
    loaded(collector)

    assert count(server_database, "otel_traces") == count(server_database, "ai_calls") == 5
    assert server_database.rows("SELECT sum(calls) AS n FROM ai_calls_1h") == [{"n": 5}]


def test_both_stores_give_the_same_rows(
    run: Run, database: Database, server_database: Database, tmp_path: Path
) -> None:
    """What a team sees must not depend on where its tables are."""
    request = trace_request(
        3, tocsin__input__ink=0.5, tocsin__input__bad=float("nan"), tocsin__output__probability__a=1
    )
    columns = "* EXCEPT (ingested_at, segment, received_at)"
    rows = []
    for number, (over, store) in enumerate(
        [(database, EmbeddedStore(database)), (server_database, ServerStore(server_database, database))]
    ):
        collector, client = run(over, store=store, data_dir=tmp_path / str(number))
        client.export(request)
        loaded(collector)
        rows.append(over.rows(f"SELECT {columns} FROM ai_calls ORDER BY span_id"))

    assert rows[0] == rows[1]


def test_process_with_a_server_decodes_in_memory(server_database: Database, tmp_path: Path) -> None:
    """With a server no folder of the embedded engine is made: the spool is all that is on disk."""
    with serving(tmp_path, server_database.address.url, server_database.address.database) as (_, client):
        client.export(trace_request(4))
        eventually(lambda: count(server_database, "otel_traces") == 4)

    assert [path.name for path in tmp_path.iterdir()] == ["spool"]
