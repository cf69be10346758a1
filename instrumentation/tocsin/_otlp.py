"""The stock OTLP/gRPC span exporter, told apart: what may be tried again, what was refused, and rows encoded fast.

Imported when the first batch leaves.
"""

from collections.abc import Sequence
from typing import Any, Final

import grpc
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from tocsin._boundary import MISHAPS
from tocsin._encoding import encode

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


class CallSpanExporter(OTLPSpanExporter):
    """OpenTelemetry's exporter, with its last answer remembered."""

    may_retry = False  # the last failure was one that may pass
    rejected = 0  # spans of the last batch that the server took apart and refused

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send one batch, as stock; then `may_retry` and `rejected` speak of it."""
        self.may_retry = False
        self.rejected = 0
        return super().export(spans)

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
            self._exporter.may_retry = error.code() not in _PERMANENT
            raise
        self._exporter.rejected = int(response.partial_success.rejected_spans)
        return response


def make_exporter(endpoint: str, headers: tuple[tuple[str, str], ...]) -> SpanExporter:
    """Make the exporter for an ``http://`` (plain) or ``https://`` (TLS) endpoint."""
    return CallSpanExporter(endpoint=endpoint, insecure=not endpoint.startswith("https://"), headers=headers or None)
