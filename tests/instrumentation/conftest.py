"""A collector, a guard server and a fresh SDK for each test: real gRPC on loopback, at ports the system chooses."""

import json
import queue
import threading
import time
from collections.abc import Callable, Iterator
from concurrent import futures
from typing import Any

import grpc
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import (
    TraceServiceServicer,
    add_TraceServiceServicer_to_server,
)

import tocsin
from tocsin._models.registry import uninstrument_models
from tocsin._process.boundary import MISHAPS
from tocsin_wire import flagd
from tocsin_wire.v1.outcomes_pb2 import Outcome, RecordOutcomesRequest, RecordOutcomesResponse

DEADLINE_S = 20.0  # far above what anything here takes; a failing test ends all the same


@pytest.fixture(autouse=True)
def _fresh_sdk(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every test starts without runtime, instrumentation and swallowed errors."""
    for name in ("OTEL_SDK_DISABLED", "OTEL_EXPORTER_OTLP_ENDPOINT", "TOCSIN_USE_CASE", "TOCSIN_GUARD_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    MISHAPS.forget()
    yield
    uninstrument_models()
    tocsin.shutdown(timeout_s=0.2)
    MISHAPS.forget()


class Collector(TraceServiceServicer):  # type: ignore[misc]
    """Keeps what arrives; answers with what it is told to."""

    def __init__(self) -> None:
        self.requests: list[ExportTraceServiceRequest] = []
        self.outcomes: list[Outcome] = []
        self.metadata: list[dict[str, Any]] = []
        self.refuse_spans: list[grpc.StatusCode] = []  # one per call to come
        self.refuse_outcomes: list[grpc.StatusCode] = []
        self.reject = 0  # of each request, as partial success
        self.poison: Callable[[Any], bool] | None = None  # which spans make a request invalid
        self.delay_s: float | None = None  # asked for with every refusal
        self.gate = threading.Event()  # closed: calls wait
        self.gate.set()
        self.waiting = 0  # calls that have come to the gate
        self.arrived = threading.Condition()
        self.port = 0

    @property
    def endpoint(self) -> str:
        """Where the SDK sends."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def spans(self) -> list[Any]:
        """Every span that arrived, in order."""
        return [span for request in self.requests for span in spans_of(request)]

    def attributes(self) -> list[dict[str, Any]]:
        """Every span's attributes, as plain values."""
        return [
            {pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in span.attributes}
            for span in self.spans
        ]

    def Export(self, request: ExportTraceServiceRequest, context: Any) -> ExportTraceServiceResponse:  # noqa: N802
        """Take spans."""
        with self.arrived:
            self.waiting += 1
            self.arrived.notify_all()
        self.gate.wait(DEADLINE_S)
        if self.refuse_spans:
            if self.delay_s is not None:
                context.set_trailing_metadata([("google.rpc.retryinfo-bin", _retry_info(self.delay_s))])
            context.abort(self.refuse_spans.pop(0), "told to refuse")
        if self.poison is not None and any(map(self.poison, spans_of(request))):
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "expected a better span")
        with self.arrived:
            self.requests.append(request)
            self.metadata.append(dict(context.invocation_metadata()))
            self.arrived.notify_all()
        response = ExportTraceServiceResponse()
        response.partial_success.rejected_spans = self.reject
        return response

    def record(self, request: RecordOutcomesRequest, context: Any) -> RecordOutcomesResponse:
        """Take outcomes."""
        self.gate.wait(DEADLINE_S)
        if self.refuse_outcomes:
            context.abort(self.refuse_outcomes.pop(0), "told to refuse")
        with self.arrived:
            self.outcomes.extend(request.outcomes)
            self.arrived.notify_all()
        rejected = min(self.reject, len(request.outcomes))
        return RecordOutcomesResponse(accepted=len(request.outcomes) - rejected, rejected=rejected, errors=["why"])

    def wait_for(self, condition: Callable[[], bool]) -> bool:
        """Wait until what arrived fulfils a condition."""
        with self.arrived:
            return self.arrived.wait_for(condition, DEADLINE_S)


def spans_of(request: ExportTraceServiceRequest) -> list[Any]:
    """Every span of a request."""
    return [
        span
        for resource_spans in request.resource_spans
        for scope_spans in resource_spans.scope_spans
        for span in scope_spans.spans
    ]


def _retry_info(delay_s: float) -> bytes:
    from google.rpc.error_details_pb2 import RetryInfo

    info = RetryInfo()
    info.retry_delay.FromNanoseconds(int(delay_s * 1e9))
    return bytes(info.SerializeToString())


@pytest.fixture
def collector() -> Iterator[Collector]:
    """An OTLP and outcome server of this test's own."""
    servicer = Collector()
    server = grpc.server(futures.ThreadPoolExecutor(4))
    add_TraceServiceServicer_to_server(servicer, server)
    server.add_generic_rpc_handlers(
        (
            grpc.method_handlers_generic_handler(
                "tocsin_wire.v1.OutcomeService",
                {
                    "Record": grpc.unary_unary_rpc_method_handler(
                        servicer.record,
                        request_deserializer=RecordOutcomesRequest.FromString,
                        response_serializer=RecordOutcomesResponse.SerializeToString,
                    )
                },
            ),
        )
    )
    servicer.port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield servicer
    servicer.gate.set()
    tocsin.shutdown(timeout_s=1.0)
    server.stop(None).wait(DEADLINE_S)


class GuardServer:
    """A flagd sync server that says what it is told to."""

    def __init__(self) -> None:
        self.port = 0
        self.streams: list[queue.SimpleQueue[str | None]] = []
        self.last = json.dumps({"flags": {}})
        self._lock = threading.Lock()

    @property
    def endpoint(self) -> str:
        """Where the guard client listens."""
        return f"127.0.0.1:{self.port}"

    def say(self, *, evaluated_through: str | None = None, **states: Any) -> None:
        """Publish states by use case; underscores stand for dashes, a mapping brings metadata."""
        flags = {}
        for name, said in states.items():
            state, metadata = said if isinstance(said, tuple) else (said, {})
            flags[f"tocsin.guard.{name.replace('_', '-')}"] = {
                "state": "ENABLED",
                "variants": {one: one for one in ("normal", "verify", "fallback", "off")},
                "defaultVariant": state,
                "metadata": metadata,
            }
        self.publish(json.dumps({"flags": flags, "metadata": {"evaluated_through": evaluated_through}}))

    def publish(self, configuration: str) -> None:
        """Push a configuration to all streams, as it is."""
        with self._lock:
            self.last = configuration
            for stream in self.streams:
                stream.put(configuration)

    def hang_up(self) -> None:
        """End every open stream."""
        with self._lock:
            for stream in self.streams:
                stream.put(None)

    def sync(self, _request: Any, context: Any) -> Iterator[Any]:
        """Serve one stream: the present flags, then each change."""
        own: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        with self._lock:
            own.put(self.last)
            self.streams.append(own)
        context.add_callback(lambda: own.put(None))
        while (configuration := own.get()) is not None:
            yield flagd.SyncFlagsResponse(flag_configuration=configuration)
        with self._lock:
            self.streams.remove(own)


@pytest.fixture
def guard_server() -> Iterator[GuardServer]:
    """A guard server of this test's own."""
    speaker = GuardServer()
    server = grpc.server(futures.ThreadPoolExecutor(4))
    server.add_generic_rpc_handlers(
        (
            grpc.method_handlers_generic_handler(
                flagd.SERVICE,
                {
                    flagd.SYNC_FLAGS: grpc.unary_stream_rpc_method_handler(
                        speaker.sync,
                        request_deserializer=flagd.SyncFlagsRequest.FromString,
                        response_serializer=flagd.SyncFlagsResponse.SerializeToString,
                    )
                },
            ),
        )
    )
    speaker.port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield speaker
    tocsin.shutdown(timeout_s=1.0)
    speaker.hang_up()
    server.stop(None).wait(DEADLINE_S)


@pytest.fixture
def eventually() -> Callable[[Callable[[], bool]], bool]:
    """Poll a claim until it holds; false after the deadline."""

    def poll(claim: Callable[[], bool]) -> bool:
        pause = threading.Event()
        until = time.monotonic() + DEADLINE_S
        while time.monotonic() < until:
            if claim():
                return True
            pause.wait(0.01)
        return claim()

    return poll
