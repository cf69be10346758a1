"""Log events: what turned out to be true, and what was asked and answered."""

import json
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList
from tests.collector.sending import START_NS
from tests.collector.test_logs import SPAN_ID, TRACE_ID, logs_request, logs_segment
from tests.collector.test_normalisation import RECORDED, span_segment, spans

from tocsin_collector.correct.waiting_outcomes import resolve_outcomes
from tocsin_collector.load.stores import EmbeddedStore, ServerStore
from tocsin_collector.receive.log_events import make_readable
from tocsin_collector.receive.outcomes import sift
from tocsin_collector.store.database import Database
from tocsin_wire import pack_handle
from tocsin_wire.v1.outcomes_pb2 import CallRef, Outcome, RecordOutcomesRequest

CALL = {
    "tocsin.use_case": "ticket-triage",
    "tocsin.call.id": "c1",
    "tocsin.output.label": "billing",
    "tocsin.confidence": 0.9,
}


def any_value(said: Any) -> AnyValue:
    """Write a value as OTLP does."""
    if isinstance(said, list):
        return AnyValue(array_value=ArrayValue(values=[any_value(each) for each in said]))
    if isinstance(said, dict):
        pairs = [KeyValue(key=key, value=any_value(value)) for key, value in said.items()]
        return AnyValue(kvlist_value=KeyValueList(values=pairs))
    return AnyValue(string_value=said)


def readable(body: bytes) -> bytes:
    """Take a request in as intake does."""
    request = ExportLogsServiceRequest.FromString(body)
    make_readable(request, body)
    return request.SerializeToString(deterministic=True)


def event(name: str, **attributes: Any) -> bytes:
    """Make an event as intake keeps it."""
    return readable(logs_request(AnyValue(), event=name, **attributes))


def outcomes(database: Database) -> list[dict[str, Any]]:
    """Resolve and read outcomes."""
    resolve_outcomes(database)
    return database.rows(
        "SELECT use_case, call_id, kind, source, score, value, correct, predicted_label, confidence, comment FROM outcomes FINAL"
    )


def test_evaluation_result_becomes_a_verdict_on_its_call(database: Database, tmp_path: Path) -> None:
    """Judges of other vendors speak OpenTelemetry's event; the call's own facts come from the call, whenever it comes."""
    store = EmbeddedStore(database)
    said = {
        "gen_ai.evaluation.name": "Correctness",
        "gen_ai.evaluation.score.value": 0.25,
        "gen_ai.evaluation.score.label": "fail",
        "gen_ai.evaluation.explanation": "wrong queue",
        "gen_ai.response.id": "chatcmpl-123",
    }
    store.insert(logs_segment(tmp_path, event("gen_ai.evaluation.result", **said)))
    assert resolve_outcomes(database) == 0
    store.insert(span_segment(tmp_path, spans({**CALL, "gen_ai.response.id": "chatcmpl-123"}), number=2))

    assert (
        outcomes(database)
        == outcomes(database)
        == [
            {
                "use_case": "ticket-triage",
                "call_id": "c1",
                "kind": "judge",
                "source": "Correctness",
                "score": 0.25,
                "value": None,
                "correct": 0,
                "predicted_label": "billing",
                "confidence": 0.9,
                "comment": "wrong queue",
            }
        ]
    )
    assert resolve_outcomes(database) == 0


def test_score_of_which_less_is_better_is_no_verdict(database: Database, tmp_path: Path) -> None:
    """A toxicity of 0.02 is no wrong answer."""
    store = EmbeddedStore(database)
    said = {"gen_ai.evaluation.name": "toxicity", "gen_ai.evaluation.score.value": 0.02, "tocsin.call.id": "c1"}
    store.insert(span_segment(tmp_path, spans(CALL), number=1))
    store.insert(logs_segment(tmp_path, event("gen_ai.evaluation.result", **said)))

    [row] = outcomes(database)

    assert (row["score"], row["value"], row["correct"]) == (None, 0.02, None)


def test_outcome_event_with_a_handle_is_the_outcome_that_the_service_takes(database: Database, tmp_path: Path) -> None:
    """Said over either way it is one outcome: the id is derived alike."""
    call = CallRef(use_case="ticket-triage", call_id="c1", started_unix_nano=START_NS)
    said = {
        "tocsin.call.handle": pack_handle(call),
        "tocsin.outcome.source": "zendesk",
        "tocsin.outcome.label": "refund",
        "tocsin.outcome.score": 0.5,
    }
    store = EmbeddedStore(database)
    store.insert(span_segment(tmp_path, spans(CALL), number=1))
    store.insert(logs_segment(tmp_path, event("tocsin.outcome", **said)))

    [row] = outcomes(database)

    assert (row["kind"], row["source"], row["correct"], row["predicted_label"]) == (
        "ground_truth",
        "zendesk",
        0,
        "billing",
    )
    same = Outcome(call=call, source="zendesk", label="refund", score=0.5, observed_unix_nano=START_NS)
    [accepted] = sift(RecordOutcomesRequest(outcomes=[same]), project="default", now_ns=0).accepted
    assert database.rows("SELECT outcome_id FROM outcomes") == [{"outcome_id": accepted.outcome_id}]


def test_message_content_of_events_is_kept(database: Database, tmp_path: Path) -> None:
    """In event-only mode it comes nested four deep, and must be readable."""
    asked = [{"role": "user", "parts": [{"type": "text", "content": "I was charged twice"}]}]
    body = event(
        "gen_ai.client.inference.operation.details",
        **{"gen_ai.input.messages": any_value(asked), "gen_ai.response.id": "chatcmpl-123"},
    )

    EmbeddedStore(database).insert(logs_segment(tmp_path, body, event("gen_ai.choice")))

    [row] = database.rows("SELECT kind, content, response_id, call_id FROM call_content")
    assert json.loads(row["content"]) == asked
    assert (row["kind"], row["response_id"], row["call_id"]) == (
        "input",
        "chatcmpl-123",
        TRACE_ID.hex() + SPAN_ID.hex(),
    )


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("genai_openai", ["input", "output"]),
        ("openinference_openai", ["input", "output"]),
        ("traceloop_old", ["input", "output"]),
        ("traceloop_anthropic", ["system"]),
        ("anthropic_sdk", []),
        ("openinference_chain", []),
    ],
)
def test_message_content_of_spans_is_kept(database: Database, tmp_path: Path, name: str, kinds: list[str]) -> None:
    """Each library writes it under names of its own; only what is there is kept."""
    EmbeddedStore(database).insert(span_segment(tmp_path, spans(RECORDED[name]["attributes"])))

    rows = database.rows("SELECT kind, content FROM call_content ORDER BY position")
    assert [row["kind"] for row in rows] == kinds
    assert all(row["content"] for row in rows)


@pytest.mark.server
def test_a_server_keeps_events_alike(database: Database, server_database: Database, tmp_path: Path) -> None:
    """The views on an older engine."""
    store = ServerStore(server_database, database)
    store.insert(span_segment(tmp_path, spans({**CALL, **RECORDED["genai_openai"]["attributes"]}), number=1))
    said = {
        "gen_ai.evaluation.name": "Relevance",
        "gen_ai.evaluation.score.value": 1,
        "gen_ai.response.id": "chatcmpl-123",
    }
    store.insert(logs_segment(tmp_path, event("gen_ai.evaluation.result", **said)))

    [row] = outcomes(server_database)

    assert (row["score"], row["call_id"]) == (1.0, "c1")
    assert server_database.rows("SELECT count() AS n FROM call_content") == [{"n": 2}]
