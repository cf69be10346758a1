"""The stock exporters of Python and Node write to a running collector, over every protocol that they speak."""

import fcntl
import hashlib
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter as GrpcLogExporter
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcSpanExporter
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter as HttpLogExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind
from tests.collector.conftest import Run
from tests.collector.sending import count, loaded

from tocsin_collector.collector import Collector
from tocsin_collector.store.database import Database

NODE = Path(__file__).parent / "node"
SPANS = 20

_MADE_OF: dict[str, Callable[[Collector, str], tuple[Any, Any]]] = {
    "grpc": lambda collector, packing: (
        GrpcSpanExporter(f"http://127.0.0.1:{collector.grpc_port}", insecure=True, compression=_grpc(packing)),
        GrpcLogExporter(f"http://127.0.0.1:{collector.grpc_port}", insecure=True, compression=_grpc(packing)),
    ),
    "http/protobuf": lambda collector, packing: (
        HttpSpanExporter(f"http://127.0.0.1:{collector.http_port}/v1/traces", compression=Compression(packing)),
        HttpLogExporter(f"http://127.0.0.1:{collector.http_port}/v1/logs", compression=Compression(packing)),
    ),
}


def _grpc(packing: str) -> Any:
    import grpc

    return grpc.Compression.Gzip if packing == "gzip" else grpc.Compression.NoCompression


@pytest.mark.parametrize("packing", ["gzip", "none"])
@pytest.mark.parametrize("protocol", ["grpc", "http/protobuf"])
def test_python_exporters_write_spans_and_logs(run: Run, database: Database, protocol: str, packing: str) -> None:
    """Any service with OpenTelemetry's SDK sends here by naming an address, and nothing else."""
    collector, _ = run()
    span_exporter, log_exporter = _MADE_OF[protocol](collector, packing)
    resource = Resource({"service.name": "python-service"})
    spans, logs = TracerProvider(resource=resource), LoggerProvider(resource=resource)
    spans.add_span_processor(BatchSpanProcessor(span_exporter))
    logs.add_log_record_processor(BatchLogRecordProcessor(log_exporter))

    for index in range(SPANS):
        attributes = {"tocsin.use_case": "python-triage", "tocsin.input.number": index, "words": ("ä", "b")}
        with spans.get_tracer("python-tests").start_as_current_span(
            "predict", kind=SpanKind.CLIENT, attributes=attributes
        ):
            logs.get_logger("python-tests").emit(
                LogRecord(
                    timestamp=1,
                    severity_number=SeverityNumber.INFO,
                    body={"said": ["hello", index]},
                    event_name="gen_ai.client.inference.operation.details",
                    attributes={"number": index},
                )
            )
    spans.shutdown()
    logs.shutdown()
    loaded(collector)

    _stored(database, "python")


@pytest.fixture(scope="session")
def node_packages() -> Path:
    """The exporters' packages, installed once into the user's cache, by the versions of the committed lock."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("needs Node.js and npm, to send with their exporters: install them to run this test")
    wanted = [(NODE / name).read_bytes() for name in ("package.json", "package-lock.json")]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache / "tocsin-tests" / f"node-{hashlib.blake2b(b''.join(wanted), digest_size=8).hexdigest()}"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "ready").exists():
            for name, content in zip(("package.json", "package-lock.json"), wanted, strict=True):
                (folder / name).write_bytes(content)
            installed = subprocess.run(
                [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
                cwd=folder, capture_output=True, text=True, timeout=100, check=False,
            )  # fmt: skip
            if installed.returncode:
                pytest.skip(f"needs the npm registry, to send with Node's exporters: {installed.stderr.strip()[-300:]}")
            (folder / "ready").touch()
    return folder / "node_modules"


@pytest.mark.parametrize("packing", ["gzip", "none"])
@pytest.mark.parametrize("protocol", ["grpc", "http/protobuf", "http/json"])
def test_node_exporters_write_spans_and_logs(
    *, run: Run, database: Database, node_packages: Path, protocol: str, packing: str
) -> None:
    """The other half of our users' services; and JSON, which Python's exporters do not speak."""
    collector, _ = run()
    port = collector.grpc_port if protocol == "grpc" else collector.http_port

    sent = subprocess.run(
        [shutil.which("node") or "node", NODE / "send.cjs", protocol, f"http://127.0.0.1:{port}", packing, str(SPANS)],
        env={"PATH": os.environ["PATH"], "NODE_PATH": str(node_packages)},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    loaded(collector)

    assert sent.returncode == 0, sent.stderr
    _stored(database, "node")


def _stored(database: Database, language: str) -> None:
    [span] = database.rows(
        "SELECT DISTINCT ServiceName, SpanKind, SpanAttributes['words'] AS words, SpanAttributes['tocsin.use_case'] AS use_case"
        " FROM otel_traces"
    )
    [log] = database.rows("SELECT DISTINCT ServiceName, SeverityNumber, EventName FROM otel_logs")
    numbers = database.rows("SELECT sum(toInt64(SpanAttributes['tocsin.input.number'])) AS n FROM otel_traces")
    joined = database.rows("SELECT count() AS n FROM otel_logs AS l INNER JOIN otel_traces AS t ON l.SpanId = t.SpanId")
    assert count(database, "otel_traces") == count(database, "otel_logs") == count(database, "ai_calls") == SPANS
    assert span == {
        "ServiceName": f"{language}-service", "SpanKind": "Client", "words": '["ä","b"]', "use_case": f"{language}-triage",
    }  # fmt: skip
    assert log["ServiceName"] == f"{language}-service"
    assert log["EventName"] == "gen_ai.client.inference.operation.details"
    assert log["SeverityNumber"] == 9
    assert numbers == [{"n": SPANS * (SPANS - 1) // 2}]
    assert joined == [{"n": SPANS}], "a log record names the span it was written in"
