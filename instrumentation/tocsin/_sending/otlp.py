"""The stock OTLP/gRPC span exporter, told apart: what may be tried again, what was refused, and rows encoded fast.

Imported when the first batch leaves.
"""

import logging
import threading
from collections.abc import Sequence
from typing import Any, Final

import grpc
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from tocsin._process.boundary import MISHAPS
from tocsin._sending.encoding import encode

_LOGGER: Final = logging.getLogger("tocsin")
# "Always returned for the same input": trying again can only fail again.
_PERMANENT: Final = frozenset(
    {
        grpc.StatusCode.INVALID_ARGUMENT,
        grpc.StatusCode.NOT_FOUND,
        grpc.StatusCode.PERMISSION_DENIED,
        grpc.StatusCode.UNAUTHENTICATED,
        grpc.StatusCode.UNIMPLEMENTED,
        grpc.StatusCode.FAILED_PRECONDITION,
        grpc.StatusCode.INTERNAL,
    }
)


class _Ours(threading.local):
    """Whether this thread is inside our exporter, whose outages we tell once rather than with every attempt."""

    sending = False


_ours: Final = _Ours()
logging.getLogger("opentelemetry.exporter.otlp.proto.grpc.exporter").addFilter(lambda _: not _ours.sending)


class CallSpanExporter(OTLPSpanExporter):
    """OpenTelemetry's exporter, with its last answer remembered."""

    may_retry = False  # the last failure was one that may pass
    _is_out = False
    rejected = 0  # spans of the last batch that the server took apart and refused

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send one batch, as stock; then `may_retry` and `rejected` speak of it."""
        self.may_retry = False
        self.rejected = 0
        _ours.sending = True
        try:
            return super().export(spans)
        finally:
            _ours.sending = False

    def overhear(self, error: Any | None) -> None:
        """Take note of an answer; log the beginning and the end of an outage, once each."""
        if error is None:
            if self._is_out:
                _LOGGER.warning("tocsin: the collector at %s answers again; what waited is being sent", self._endpoint)
            self._is_out = False
            return
        code = error.code()
        self.may_retry = code not in _PERMANENT
        if not self.may_retry:
            MISHAPS.note(f"exporter.{code.name.lower()}", error)
        elif not self._is_out:
            self._is_out = True
            _LOGGER.warning(
                "tocsin: the collector at %s does not take spans (%s: %s); they wait and are sent when it does",
                self._endpoint,
                code.name,
                error.details(),
            )

    def _initialize_channel_and_stub(self) -> None:
        super()._initialize_channel_and_stub()  # type: ignore[no-untyped-call]
        self._client: Any = _Listening(self._client, self)

    def _translate_data(self, data: Sequence[ReadableSpan]) -> ExportTraceServiceRequest:
        try:
            return ExportTraceServiceRequest.FromString(encode(data))
        except Exception as error:
            MISHAPS.note("encoding", error)
            return super()._translate_data(data)


class _Listening:
    """The client stub, overheard."""

    def __init__(self, client: Any, exporter: CallSpanExporter) -> None:
        self._client = client
        self._exporter = exporter

    def Export(self, **call: Any) -> Any:  # noqa: N802 - the service's own name
        try:
            response = self._client.Export(**call)
        except grpc.RpcError as error:
            self._exporter.overhear(error)
            raise
        self._exporter.overhear(None)
        self._exporter.rejected = int(response.partial_success.rejected_spans)
        return response


def make_exporter(endpoint: str, headers: tuple[tuple[str, str], ...]) -> SpanExporter:
    """Make the exporter for an ``http://`` (plain) or ``https://`` (TLS) endpoint."""
    return CallSpanExporter(endpoint=endpoint, insecure=not endpoint.startswith("https://"), headers=headers or None)
