"""Another's exporter in place of OTLP: it is given spans, and says no more than that it failed."""

from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from tocsin._process.boundary import MISHAPS
from tocsin._sending.answers import TAKEN, Answer
from tocsin._sending.parcels import Parcel

_FAILED = Answer(kind="refused", reason="exporter")


class ForeignClient:
    """OpenTelemetry's exporter interface as a client of ours."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter

    def send(self, parcel: Parcel, timeout_s: float | None = None) -> Answer:  # noqa: ARG002 - it has a deadline of its own
        """Hand the spans over. Whether to try again is the exporter's own to decide."""
        try:
            result = self._exporter.export([piece.body for piece in parcel.pieces])
        except Exception as error:
            MISHAPS.note("exporter", error)
            return _FAILED
        return TAKEN if result is SpanExportResult.SUCCESS else _FAILED

    def interrupt(self) -> None:
        """Nothing here can be interrupted."""

    def close(self) -> None:
        """Shut it down."""
        try:
            self._exporter.shutdown()
        except Exception as error:
            MISHAPS.note("exporter", error)
