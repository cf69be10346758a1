"""Redaction where it counts: no row of any table holds what a rule takes out."""

from pathlib import Path

import pytest
from tests.collector.conftest import Run
from tests.collector.sending import START_NS, loaded
from tests.collector.test_logs import logs_request, logs_segment
from tests.collector.test_normalisation import span_segment, spans

from tocsin_collector.load.decoder import decoder
from tocsin_collector.load.stores import EmbeddedStore, ServerStore
from tocsin_collector.privacy.redaction import PRESETS, Redaction
from tocsin_collector.store.database import Database
from tocsin_wire.v1.outcomes_pb2 import CallRef, Outcome, RecordOutcomesRequest

CARD, EMAIL = PRESETS["card-number"], PRESETS["email"]
# Published test numbers of the card networks, 13 to 19 digits, and the ways in which people write them.
CARDS = (
    "4111111111111111",
    "4111 1111 1111 1111",
    "5555-5555-5555-4444",
    "378282246310005",
    "30569309025904",
    "4222222222222",
    "6011111111111117",
    "3530111333300000",
    "6304000000000000000",
)
NEAR_MISSES = ("4111111111111112", "411111111111", "5555-5555-5555-4445", "1234567890123456", "2026-03-02 12:00:00.000")
MARK = "[redacted:card-number]"


@pytest.mark.parametrize("number", CARDS)
def test_card_number_is_taken_out(database: Database, tmp_path: Path, number: str) -> None:
    """A customer types it into the ticket, and the ticket is an attribute."""
    EmbeddedStore(database, [CARD]).insert(span_segment(tmp_path, spans({"ticket": f"my card {number}, please"})))

    assert database.rows("SELECT SpanAttributes['ticket'] AS said FROM otel_traces") == [
        {"said": f"my card {MARK}, please"}
    ]


def test_what_only_looks_like_a_card_number_stays(database: Database, tmp_path: Path) -> None:
    """An order number that a rule ate cannot be looked up again."""
    said = {f"n{at}": f"order {number}." for at, number in enumerate(NEAR_MISSES)}

    EmbeddedStore(database, [CARD]).insert(span_segment(tmp_path, spans(said)))

    assert database.rows("SELECT SpanAttributes AS said FROM otel_traces") == [{"said": said}]


def test_every_text_of_a_span_goes_through_the_rules(database: Database, tmp_path: Path) -> None:
    """Inputs, outputs and numbers hold what people typed as much as attributes do; what joins rows stays."""
    given = {
        "tocsin.use_case": "ticket-triage",
        "tocsin.call.id": "4111111111111111",
        "tocsin.input.text": "a@b.example pays by 4111111111111111",
        "tocsin.input.card": 4111111111111111,
        "tocsin.input.amount": 4111111111111112,
        "tocsin.output.text": "refunded to 4111 1111 1111 1111",
    }

    EmbeddedStore(database, [CARD, EMAIL]).insert(span_segment(tmp_path, spans(given)))

    [call] = database.rows("SELECT call_id, input_strings, input_numbers, output_text FROM ai_calls")
    assert call == {
        "call_id": "4111111111111111",
        "input_strings": {"text": f"[redacted:email] pays by {MARK}"},
        "input_numbers": {"amount": 4111111111111112.0},
        "output_text": f"refunded to {MARK}",
    }


def test_rule_with_fields_looks_at_no_others(database: Database, tmp_path: Path) -> None:
    """Some teams need the addresses in one field and must not keep them in another."""
    rule = Redaction(name="name", pattern="Ada|Grace", fields=("customer.*", "note"))
    given = {"customer.name": "Ada", "note": "Grace", "author": "Ada"}

    EmbeddedStore(database, [rule]).insert(span_segment(tmp_path, spans(given)))

    [row] = database.rows("SELECT SpanAttributes AS said FROM otel_traces")
    assert row["said"] == {"customer.name": "[redacted:name]", "note": "[redacted:name]", "author": "Ada"}


def test_log_bodies_and_attributes_go_through_the_rules(database: Database, tmp_path: Path) -> None:
    """Message content comes as logs in event-only mode."""
    EmbeddedStore(database, [CARD]).insert(
        logs_segment(tmp_path, logs_request("pay 4111111111111111", said="4111111111111111"))
    )

    assert database.rows("SELECT Body, LogAttributes['said'] AS said FROM otel_logs") == [
        {"Body": f"pay {MARK}", "said": MARK}
    ]


def test_outcome_comments_go_through_the_rules(run: Run, database: Database) -> None:
    """Reviewers quote the ticket."""
    collector, client = run(redactions=(EMAIL,))
    call = CallRef(use_case="ticket-triage", call_id="c1", started_unix_nano=START_NS)

    client.record(RecordOutcomesRequest(outcomes=[Outcome(call=call, label="a", comment="ask a@b.example")]))
    loaded(collector)

    assert database.rows("SELECT comment, call_id FROM outcomes") == [
        {"comment": "ask [redacted:email]", "call_id": "c1"}
    ]


def test_without_rules_the_decoding_is_the_shipped_one() -> None:
    """Nobody pays for what nobody asked for."""
    assert decoder("traces", ()) == decoder("traces")
    assert "REPLACE" not in decoder("traces").select


@pytest.mark.server
def test_presets_run_in_the_engine(database: Database, server_database: Database, tmp_path: Path) -> None:
    """A pattern that Python reads and the engine refuses would stop all loading; and a server gets redacted rows only."""
    store = ServerStore(server_database, database, list(PRESETS.values()))

    store.insert(span_segment(tmp_path, spans({"ticket": "4111111111111111 of a@b.example"})))

    [row] = server_database.rows("SELECT SpanAttributes['ticket'] AS said FROM otel_traces")
    assert row["said"] == f"{MARK} of [redacted:email]"
