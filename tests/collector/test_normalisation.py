"""Everybody's spans become one vocabulary of calls."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from tests.collector.conftest import NOW
from tests.collector.sending import START_NS, pair

from tocsin_collector.load.stores import EmbeddedStore, ServerStore
from tocsin_collector.spool.contents import contents_of
from tocsin_collector.spool.frames import Envelope, Frame, digest
from tocsin_collector.spool.segments import Segment, describe, write
from tocsin_collector.store.database import Database

RECORDED: dict[str, Any] = json.loads((Path(__file__).parent / "fixtures" / "instrumented_calls.json").read_text())
del RECORDED["_"]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def price(*, model: str, **given: Any) -> dict[str, Any]:
    """Make a row of prices."""
    return {
        "project": "",
        "provider": "openai",
        "model": model,
        "source": "genai-prices",
        "valid_from": EPOCH,
        "input_above": 0,
        "currency": "USD",
        "input_per_mtok": None,
        "output_per_mtok": None,
        "cache_read_per_mtok": None,
        "cache_write_per_mtok": None,
        "per_call": None,
        "per_second": None,
        "source_version": "genai-prices 1",
        "dated": NOW.date(),
        "is_withdrawn": 0,
        "updated_at": NOW,
        **given,
    }


def spans(*given: dict[str, Any]) -> bytes:
    """Make a request of one span per set of attributes; `_span` and `_start_ms` say which and when, `_name` its name."""
    request = ExportTraceServiceRequest()
    resource_spans = request.resource_spans.add()
    resource_spans.resource.attributes.append(pair("service.name", "triage"))
    scope_spans = resource_spans.scope_spans.add()
    for index, attributes in enumerate(given):
        number = attributes.get("_span", index + 1)
        start_ns = START_NS + attributes.get("_start_ms", number) * 1_000_000
        scope_spans.spans.add(
            trace_id=(7).to_bytes(16),
            span_id=number.to_bytes(8),
            name=attributes.get("_name", "call"),
            kind=attributes.get("_kind", 1),
            start_time_unix_nano=start_ns,
            end_time_unix_nano=start_ns + attributes.get("_took_ms", 1) * 1_000_000,
            attributes=[pair(key, value) for key, value in attributes.items() if not key.startswith("_")],
        )
    return request.SerializeToString()


def span_segment(folder: Path, *bodies: bytes, number: int = 1, project: str = "") -> Segment:
    """Seal requests as the spool does."""
    frames = [
        Frame(body=body, envelope=Envelope(project=project, received_ns=START_NS + number, digest=digest(body)))
        for body in bodies
    ]
    path = folder / f"{number:06}.seg"
    size = write(path, frames)
    return describe("traces", path, frames, size, contents_of("traces"))


def call_of(database: Database, span: int) -> dict[str, Any] | None:
    """Read the call that a span became."""
    rows = database.rows(
        "SELECT provider, operation, model_name, call_key, input_tokens, output_tokens, cache_read_tokens,"
        " cache_write_tokens FROM ai_calls WHERE span_id = {span:String}",
        {"span": span.to_bytes(8).hex()},
    )
    assert len(rows) < 2
    return rows[0] if rows else None


@pytest.fixture(scope="module")
def names() -> list[str]:
    """Name every recorded span."""
    return sorted(RECORDED)


def expected(name: str, span: int) -> dict[str, Any] | None:
    """Say what a recorded span must become; without a response id, its own ids are its key."""
    own_key = (7).to_bytes(16).hex() + span.to_bytes(8).hex()
    return None if RECORDED[name]["call"] is None else {"call_key": own_key, **RECORDED[name]["call"]}


def test_every_instrumentation_speaks_one_vocabulary(database: Database, tmp_path: Path, names: list[str]) -> None:
    """Cost, tokens and models must not depend on which library somebody chose; what encloses a request is no request."""
    given = [{**RECORDED[name]["attributes"], "_kind": RECORDED[name]["kind"]} for name in names]

    EmbeddedStore(database).insert(span_segment(tmp_path, spans(*given)))

    became = {name: call_of(database, at) for at, name in enumerate(names, start=1)}
    assert became == {name: expected(name, at) for at, name in enumerate(names, start=1)}


def test_span_that_names_its_use_case_is_a_call_whatever_its_kind(database: Database, tmp_path: Path) -> None:
    """Who says "this is my AI feature" is believed, also around a chain."""
    given = {**RECORDED["openinference_chain"]["attributes"], "tocsin.use_case": "ticket-triage"}

    EmbeddedStore(database).insert(span_segment(tmp_path, spans(given)))

    assert database.rows("SELECT use_case FROM ai_calls") == [{"use_case": "ticket-triage"}]


def test_what_langfuse_says_of_a_generation_is_its_cost_and_content(database: Database, tmp_path: Path) -> None:
    """It writes them as JSON, in words of its own; text stands under one name, so that one rule redacts it."""
    odd = {
        "langfuse.observation.type": "generation",
        "langfuse.observation.usage_details": "no JSON {",
        "langfuse.observation.model.name": "m",
    }
    given = [RECORDED["langfuse_generation"]["attributes"], RECORDED["langfuse_span"]["attributes"], odd]

    EmbeddedStore(database).insert(span_segment(tmp_path, spans(*given)))

    calls = database.rows("SELECT cost, currency, input_tokens, session_id, user_id FROM ai_calls ORDER BY started_at")
    assert calls == [
        {"cost": Decimal("0.00003"), "currency": "USD", "input_tokens": 20, "session_id": "s1", "user_id": "u1"},
        {"cost": None, "currency": "", "input_tokens": None, "session_id": "", "user_id": ""},
    ]
    content = database.rows("SELECT kind, content FROM call_content ORDER BY kind")
    assert [(row["kind"], row["content"]) for row in content] == [
        ("input", given[0]["langfuse.observation.input"]),
        ("output", "billing"),
    ]
    kept = database.rows("SELECT SpanAttributes AS said FROM otel_traces ORDER BY Timestamp")
    assert "langfuse.observation.input" not in kept[0]["said"]
    assert kept[1]["said"]["langfuse.observation.output"] == "billing"


@pytest.mark.server
def test_a_server_normalises_alike(
    database: Database, server_database: Database, tmp_path: Path, names: list[str]
) -> None:
    """The views must mean the same to an older engine."""
    given = [RECORDED[name]["attributes"] for name in names]

    ServerStore(server_database, database).insert(span_segment(tmp_path, spans(*given)))

    became = {name: call_of(server_database, at) for at, name in enumerate(names, start=1)}
    assert became == {name: expected(name, at) for at, name in enumerate(names, start=1)}


def test_price_is_stamped_at_load(database: Database, tmp_path: Path) -> None:
    """Cached tokens are cheaper, a price holds from its day on, and an unknown one leaves the cost unknown."""
    database.insert(
        "prices",
        [
            price(model="gpt-4o-2024-08-06", input_per_mtok=5.0, output_per_mtok=15.0),
            price(
                model="gpt-4o-2024-08-06",
                valid_from=NOW - timedelta(days=1),
                input_per_mtok=2.5,
                output_per_mtok=10.0,
                cache_read_per_mtok=1.25,
            ),
            price(model="gpt-4o-2024-08-06", valid_from=NOW + timedelta(days=99), input_per_mtok=0.0),
        ],
    )
    known = RECORDED["genai_openai"]["attributes"]
    said = {**known, "tocsin.cost.amount": 0.5, "tocsin.cost.currency": "EUR", "tocsin.cost.source": "provider"}
    unmeasured = {"gen_ai.provider.name": "openai", "gen_ai.response.model": "gpt-4o-2024-08-06"}
    unknown = {**known, "gen_ai.response.model": "gpt-9"}

    EmbeddedStore(database).insert(span_segment(tmp_path, spans(known, said, unmeasured, unknown)))

    costs = database.rows("SELECT cost, currency, cost_source, price_version FROM ai_calls ORDER BY started_at")
    assert [(row["cost"], row["currency"], row["cost_source"], row["price_version"]) for row in costs] == [
        (Decimal("0.00179"), "USD", "collector", "genai-prices 1"),  # 176 at 2.5, 1024 at 1.25, 7 at 10, per million
        (Decimal("0.5"), "EUR", "provider", ""),
        (None, "", "", ""),
        (None, "", "", ""),
    ]
    sums = database.rows("SELECT currency, unpriced, cost FROM ai_calls_1h FINAL ORDER BY currency, unpriced")
    assert [(row["currency"], row["unpriced"]) for row in sums if row["unpriced"] == 0] == [("EUR", 0), ("USD", 0)]
    assert sum(row["unpriced"] for row in sums) == 2


def test_negotiated_price_comes_before_the_public_one(database: Database, tmp_path: Path) -> None:
    """What a team agreed is what it pays; and a project's own price holds in that project alone."""
    database.insert(
        "prices",
        [
            price(model="gpt-9", input_per_mtok=9.0),
            price(model="gpt-9", valid_from=EPOCH, source="negotiated", currency="EUR", input_per_mtok=1.0),
            price(model="gpt-9", project="shop", source="local", currency="EUR", per_call=0.25, per_second=0.1),
        ],
    )
    given = {"gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-9", "gen_ai.usage.input_tokens": 10**6}

    store = EmbeddedStore(database)
    store.insert(span_segment(tmp_path, spans({**given, "_took_ms": 500}), number=1))
    store.insert(span_segment(tmp_path, spans({**given, "_took_ms": 500}), number=2, project="shop"))

    costs = database.rows("SELECT project, cost, currency FROM ai_calls ORDER BY project")
    assert costs == [
        {"project": "default", "cost": Decimal(1), "currency": "EUR"},
        {"project": "shop", "cost": Decimal("0.3"), "currency": "EUR"},
    ]
