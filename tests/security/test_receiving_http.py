"""Who may send over HTTP, as the stock exporter meets it: the same keys and certificates as over gRPC."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import trustme
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from tests.collector.conftest import Run
from tests.collector.sending import loaded
from tests.security.conftest import Issue

from tocsin_collector.collector import Collector
from tocsin_collector.receive.ingest_keys import IngestKeys
from tocsin_collector.receive.key_book import KeyBook
from tocsin_collector.store.database import Database

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
_BRIEF_S = 0.3  # for what cannot come: the exporter tries again until then
_OPEN = {"http_address": "127.0.0.1:0"}


@pytest.fixture
def send(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., SpanExportResult]]:
    """Send one span with a stock exporter, over a connection of its own."""
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):  # `requests` prefers these to what the exporter was told
        monkeypatch.delenv(name, raising=False)
    memory = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(memory))
    with provider.get_tracer("test").start_as_current_span("predict") as span:
        span.set_attributes({"tocsin.use_case": "triage", "tocsin.project": "stolen"})
    opened: list[SpanExporter] = []

    def sent(collector: Collector, *, scheme: str = "https", timeout_s: float = 10, **how: Any) -> SpanExportResult:
        address = f"{scheme}://localhost:{collector.http_port}/v1/traces"
        exporter = OTLPSpanExporter(endpoint=address, timeout=timeout_s, **how)
        opened.append(exporter)
        return exporter.export(memory.get_finished_spans())

    yield sent
    for exporter in opened:
        exporter.shutdown()


def test_keys_hold_over_http_as_they_do_over_grpc(run: Run, database: Database, send: Callable[..., Any]) -> None:
    """In either header; without one, or with a wrong one, 401 and no second try."""
    key = KeyBook(database).create("shop", name="", by="ann", now=NOW).key
    ring = IngestKeys(database.sibling(), required=True)
    ring.refresh()
    collector, _ = run(keyring=ring, **_OPEN)

    headers = [{"authorization": f"Bearer {key}"}, {"x-tocsin-key": key}, {}, {"authorization": f"Bearer {key}0"}]
    answers = [send(collector, scheme="http", headers=each) for each in headers]
    loaded(collector)

    good, bad = SpanExportResult.SUCCESS, SpanExportResult.FAILURE
    assert answers == [good, good, bad, bad]
    assert [row["project"] for row in database.rows("SELECT DISTINCT project FROM otel_traces")] == ["shop"]
    stats = collector.stats()
    assert (stats.duplicate_spans, stats.refused_requests) == (1, 2)


def test_a_stock_exporter_sends_over_https(run: Run, issue: Issue, send: Callable[..., Any]) -> None:
    """In clear, or trusting another authority, it gets nothing in."""
    server, stranger = issue(), issue("stranger", by=trustme.CA())
    collector, _ = run(tls=server.files(), **_OPEN)

    assert send(collector, certificate_file=str(server.authority)) is SpanExportResult.SUCCESS
    for refused in ({"certificate_file": str(stranger.authority)}, {"scheme": "http"}):
        assert send(collector, timeout_s=_BRIEF_S, **refused) is SpanExportResult.FAILURE
    assert collector.stats().received_spans == 1


def test_only_clients_of_the_authority_are_let_in_over_https(run: Run, issue: Issue, send: Callable[..., Any]) -> None:
    """No certificate, and one of another authority, end at the handshake."""
    server, client, stranger = issue(), issue("client"), issue("stranger", by=trustme.CA())
    collector, _ = run(tls=server.files(client_ca=client.authority), **_OPEN)

    def shown(certificate: Path | None, key: Path | None, **how: Any) -> Any:
        files = {"client_certificate_file": str(certificate), "client_key_file": str(key)} if certificate else {}
        return send(collector, certificate_file=str(server.authority), **files, **how)

    assert shown(client.certificate, client.private_key) is SpanExportResult.SUCCESS
    assert shown(None, None, timeout_s=_BRIEF_S) is SpanExportResult.FAILURE
    assert shown(stranger.certificate, stranger.private_key, timeout_s=_BRIEF_S) is SpanExportResult.FAILURE
    assert collector.stats().received_requests == 1


def test_a_renewed_certificate_is_shown_over_https_without_a_restart(
    run: Run, issue: Issue, send: Callable[..., Any]
) -> None:
    """The next handshake shows it; half a renewal leaves the old one in use."""
    server, fresh = issue(), issue("fresh", by=trustme.CA())
    collector, _ = run(tls=server.files(), **_OPEN)
    server.private_key.write_bytes(fresh.private_key.read_bytes())
    assert send(collector, certificate_file=str(server.authority)) is SpanExportResult.SUCCESS

    server.certificate.write_bytes(fresh.certificate.read_bytes())

    assert send(collector, certificate_file=str(fresh.authority)) is SpanExportResult.SUCCESS
    assert send(collector, certificate_file=str(server.authority), timeout_s=_BRIEF_S) is SpanExportResult.FAILURE
