"""Who may send over gRPC, as the stock exporter meets it: keys, certificates, and what is written down of both."""

import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import pytest
import trustme
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from tests.collector.conftest import Run
from tests.collector.sending import START_NS, eventually, loaded, trace_request
from tests.security.conftest import Issue, Issued

from tocsin_collector.collector import Collector
from tocsin_collector.receive.grpc_server import OUTCOME_SERVICE, TRACE_SERVICE
from tocsin_collector.receive.ingest_keys import IngestKeys
from tocsin_collector.receive.key_book import KeyBook
from tocsin_collector.store.database import Database
from tocsin_wire.v1.outcomes_pb2 import CallRef, Outcome, RecordOutcomesRequest

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
_BRIEF_S = 0.3  # for what cannot come: the exporter tries again until then


@pytest.fixture
def spans() -> list[ReadableSpan]:
    """One finished span that claims a project of its own."""
    memory = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(memory))
    with provider.get_tracer("test").start_as_current_span("predict") as span:
        span.set_attributes({"tocsin.use_case": "triage", "project": "stolen", "tocsin.project": "stolen"})
    return list(memory.get_finished_spans())


@pytest.fixture
def send(spans: list[ReadableSpan]) -> Iterator[Callable[..., SpanExportResult]]:
    """Send that span with a stock exporter."""
    opened: list[SpanExporter] = []

    def sent(collector: Collector, *, timeout_s: float = 10, **how: Any) -> SpanExportResult:
        scheme = "http" if how.get("insecure") else "https"
        address = f"{scheme}://127.0.0.1:{collector.grpc_port}"
        exporter = OTLPSpanExporter(endpoint=address, timeout=timeout_s, **how)
        opened.append(exporter)
        return exporter.export(spans)

    yield sent
    for exporter in opened:
        exporter.shutdown()


def _credentials(trusted: Issued, client: Issued | None = None) -> grpc.ChannelCredentials:
    return grpc.ssl_channel_credentials(
        trusted.authority.read_bytes(),
        client and client.private_key.read_bytes(),
        client and client.certificate.read_bytes(),
    )


def _keyed(database: Database, *, required: bool = True) -> IngestKeys:
    ring = IngestKeys(database, required=required)
    ring.refresh()
    return ring


def test_a_span_belongs_to_the_project_of_its_key(run: Run, database: Database, send: Callable[..., Any]) -> None:
    """Whatever its attributes claim; spans, calls and outcomes alike."""
    key = KeyBook(database).create("shop", name="", by="ann", now=NOW).key
    collector, client = run(keyring=_keyed(database.sibling()))

    answer = send(collector, insecure=True, headers={"authorization": f"Bearer {key}"})
    call = CallRef(use_case="triage", call_id="c", started_unix_nano=START_NS)
    record = client.channel.unary_unary(f"/{OUTCOME_SERVICE}/Record")
    record(
        RecordOutcomesRequest(outcomes=[Outcome(call=call, label="a")]).SerializeToString(),
        metadata=(("x-tocsin-key", key),),
        timeout=20,
    )
    loaded(collector)

    assert answer is SpanExportResult.SUCCESS
    for table in ("otel_traces", "ai_calls", "ai_calls_1h", "outcomes"):
        assert [row["project"] for row in database.rows(f"SELECT DISTINCT project FROM {table}")] == ["shop"], table


def test_the_same_use_case_in_two_projects_is_two(run: Run, database: Database) -> None:
    """Sums, retries and duplicates are told apart by project: the same bytes from two senders are both kept."""
    book = KeyBook(database)
    keys = {name: book.create(name, name="", by="ann", now=NOW).key for name in ("shop", "labs")}
    collector, client = run(keyring=_keyed(database.sibling()))
    export = client.channel.unary_unary(f"/{TRACE_SERVICE}/Export")
    body = trace_request(3).SerializeToString()

    for name in ("shop", "labs", "shop"):
        export(body, metadata=(("authorization", f"Bearer {keys[name]}"),), timeout=20)
    loaded(collector)

    rows = database.rows("SELECT project, sum(calls) AS n FROM ai_calls_1h GROUP BY project ORDER BY project")
    assert [(row["project"], row["n"]) for row in rows] == [("labs", 3), ("shop", 3)]
    assert collector.stats().duplicate_spans == 3


@pytest.mark.parametrize("service", [f"{TRACE_SERVICE}/Export", f"{OUTCOME_SERVICE}/Record"])
def test_a_sender_without_a_right_key_is_refused_for_good_and_counted(
    run: Run, database: Database, service: str
) -> None:
    """UNAUTHENTICATED is not retried by exporters: a wrong key must not become a storm."""
    made = KeyBook(database).create("shop", name="", by="ann", now=NOW)
    collector, client = run(keyring=_keyed(database.sibling()))
    call = client.channel.unary_unary(f"/{service}")

    for metadata in ((), (("authorization", "Bearer " + made.key[:-1]),), (("x-tocsin-key", "tk_a_b"),)):
        with pytest.raises(grpc.RpcError) as refusal:
            call(b"", metadata=metadata, timeout=20)
        assert refusal.value.code() is grpc.StatusCode.UNAUTHENTICATED
        assert "tocsin keys" in refusal.value.details()

    stats = collector.stats()
    assert stats.refused_requests + collector._tally._books["outcomes"].balance("requests", "refused") == 3
    assert stats.waiting_requests == 0


def test_a_revoked_key_stops_within_the_rings_period(run: Run, database: Database, send: Callable[..., Any]) -> None:
    """Over a real listener, with the ring following the table by itself."""
    book = KeyBook(database)
    made = book.create("shop", name="", by="ann", now=NOW)
    ring = IngestKeys(database.sibling(), required=True, period_s=0.01)
    ring.start()
    try:
        collector, _ = run(keyring=ring)
        headers = {"authorization": f"Bearer {made.key}"}
        assert send(collector, insecure=True, headers=headers) is SpanExportResult.SUCCESS

        book.revoke(made.facts.key_id, by="bob", now=NOW)

        eventually(lambda: send(collector, insecure=True, headers=headers) is SpanExportResult.FAILURE)
    finally:
        ring.stop()


def test_nothing_that_is_logged_names_a_key(
    run: Run, database: Database, send: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    """At debug level, for a key that holds, one that was revoked, one mistyped, and a store that fails."""
    caplog.set_level(logging.DEBUG)
    book = KeyBook(database)
    good, gone = (book.create("shop", name="", by="ann", now=NOW) for _ in range(2))
    book.revoke(gone.key, by="ann", now=NOW)
    collector, _ = run(keyring=_keyed(database.sibling()))
    shown = [good.key, gone.key, good.key[:-1] + "x"]

    answers = [send(collector, insecure=True, headers={"authorization": f"Bearer {key}"}) for key in shown]
    loaded(collector)

    written = caplog.text + repr(collector.stats())
    assert answers == [SpanExportResult.SUCCESS, SpanExportResult.FAILURE, SpanExportResult.FAILURE]
    assert all(key.rpartition("_")[2][:16] not in written for key in shown)


def test_a_stock_exporter_sends_over_tls(run: Run, issue: Issue, send: Callable[..., Any]) -> None:
    """With the authority's certificate as its only setting; in clear it gets nothing in."""
    server = issue()
    collector, _ = run(tls=server.files())

    assert send(collector, credentials=_credentials(server)) is SpanExportResult.SUCCESS
    assert send(collector, insecure=True, timeout_s=_BRIEF_S) is SpanExportResult.FAILURE
    assert collector.stats().received_spans == 1


def test_a_sender_that_does_not_know_our_authority_sends_nothing(
    run: Run, issue: Issue, send: Callable[..., Any]
) -> None:
    """What it would have sent could have been anybody's to read."""
    collector, _ = run(tls=issue().files())

    stranger = issue("stranger", by=trustme.CA())

    assert send(collector, credentials=_credentials(stranger), timeout_s=_BRIEF_S) is SpanExportResult.FAILURE
    assert collector.stats().received_requests == 0


def test_only_clients_of_the_authority_are_let_in(run: Run, issue: Issue, send: Callable[..., Any]) -> None:
    """No certificate, one of another authority, and one that has expired are all turned away at the handshake."""
    server, client = issue(), issue("client")
    stranger = issue("stranger", by=trustme.CA())
    expired = issue("expired", expires=datetime.now(UTC) - timedelta(days=1))
    collector, _ = run(tls=server.files(client_ca=client.authority))

    assert send(collector, credentials=_credentials(server, client)) is SpanExportResult.SUCCESS
    for refused in (None, stranger, expired):
        assert (
            send(collector, credentials=_credentials(server, refused), timeout_s=_BRIEF_S) is SpanExportResult.FAILURE
        )

    assert collector.stats().received_requests == 1


def test_a_renewed_certificate_is_shown_without_a_restart(run: Run, issue: Issue, send: Callable[..., Any]) -> None:
    """Certificates are renewed every few weeks; half a renewal leaves the old one in use."""
    server = issue()
    old, fresh = _credentials(server), issue("fresh", by=trustme.CA())
    collector, _ = run(tls=server.files())
    server.private_key.write_bytes(fresh.private_key.read_bytes())
    assert send(collector, credentials=old) is SpanExportResult.SUCCESS

    server.certificate.write_bytes(fresh.certificate.read_bytes())

    assert send(collector, credentials=_credentials(fresh)) is SpanExportResult.SUCCESS
    assert send(collector, credentials=old, timeout_s=_BRIEF_S) is SpanExportResult.FAILURE
