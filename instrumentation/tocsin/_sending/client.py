"""Requests over gRPC, as bytes: spans by OTLP, outcomes by our own service. Imported when the first one leaves."""

from collections.abc import Callable
from typing import Any, Final

import grpc

from tocsin._process.settings import Address
from tocsin._sending.answers import TAKEN, Answer
from tocsin._sending.channels import open_channel, retry_delay_s
from tocsin._sending.parcels import Parcel

# Source: OTLP specification, "OTLP/gRPC Throttling", retryable codes. RESOURCE_EXHAUSTED is one there only with a delay;
# we take it for one without, but for gRPC's own word on messages that are too long.
_LATER: Final = frozenset(
    {
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.ABORTED,
        grpc.StatusCode.CANCELLED,
        grpc.StatusCode.OUT_OF_RANGE,
        grpc.StatusCode.DATA_LOSS,
    }
)
_DOUBTFUL: Final = frozenset({grpc.StatusCode.UNKNOWN, grpc.StatusCode.INTERNAL})
_REFUSED: Final = frozenset(  # they speak of the sender or the address, not of what was sent
    {
        grpc.StatusCode.UNAUTHENTICATED,
        grpc.StatusCode.PERMISSION_DENIED,
        grpc.StatusCode.UNIMPLEMENTED,
        grpc.StatusCode.NOT_FOUND,
    }
)
_TOO_LONG: Final = "larger than max"
_RENEW_EVERY: Final = 10  # failures in a row after which a channel is not trusted to come back by itself


class GrpcClient:
    """One method of one server; the channel is made anew where the server has become unreachable."""

    def __init__(
        self,
        address: Address,
        method: str,
        read: Callable[[bytes], tuple[int, str]],
        *,
        headers: tuple[tuple[str, str], ...] = (),
        timeout_s: float = 10.0,
        compression: str = "",
        through_proxy: bool = False,
    ) -> None:
        """Make a client; nothing connects before the first request.

        Args:
            address: Where to.
            method: As gRPC has it, ``/package.Service/Method``.
            read: How many pieces a response says were rejected, and why.
            headers: Sent with every request.
            timeout_s: Of one request.
            compression: gzip, deflate or none.
            through_proxy: Whether HTTPS_PROXY and its like are looked at.
        """
        self._address = address
        self._method = method
        self._read = read
        self._headers = headers
        self._timeout_s = timeout_s
        self._compression = {"gzip": grpc.Compression.Gzip, "deflate": grpc.Compression.Deflate}.get(compression)
        self._through_proxy = through_proxy
        self._failures = 0
        self._is_closed = False
        self._channel: grpc.Channel | None = None
        self._call: Any = None

    def send(self, parcel: Parcel, timeout_s: float | None = None) -> Answer:
        """Send one request."""
        within = self._timeout_s if timeout_s is None else max(0.05, min(self._timeout_s, timeout_s))
        try:
            call = self._call or self._connect()
            response = call(
                parcel.body(), timeout=within, metadata=self._headers or None, compression=self._compression
            )
        except grpc.RpcError as error:
            return self._failed(error)
        self._failures = 0
        if not response:
            return TAKEN
        rejected, message = self._read(response)
        return Answer(kind="taken", rejected=min(rejected, len(parcel)), reason="rejected", message=message)

    def interrupt(self) -> None:
        """Give the channel up, and with it what is under way; the next request makes another."""
        channel, self._channel, self._call = self._channel, None, None
        if channel is not None:
            channel.close()

    def close(self) -> None:
        """Interrupt what is under way; nothing more is sent."""
        self._is_closed = True
        if self._channel is not None:
            self._channel.close()

    def _connect(self) -> Any:
        if self._is_closed:
            raise ValueError("expected an open client, but it was closed")
        self._channel = open_channel(self._address, through_proxy=self._through_proxy)
        self._call = self._channel.unary_unary(self._method)  # bytes in, bytes out
        return self._call

    def _failed(self, error: Any) -> Answer:
        code, details = error.code(), error.details() or ""
        self._failures += 1
        if code is grpc.StatusCode.UNAVAILABLE and self._failures % _RENEW_EVERY == 1:
            self.interrupt()
        reason = code.name.lower()
        message = f"{code.name}: {details}"
        if code is grpc.StatusCode.RESOURCE_EXHAUSTED and _TOO_LONG in details:
            return Answer(kind="split", reason="too_large", message=message)
        if code in _LATER:
            return Answer(kind="later", reason=reason, message=message, delay_s=_delay_s(error))
        if code in _DOUBTFUL:
            return Answer(kind="doubtful", reason=reason, message=message)
        return Answer(kind="refused" if code in _REFUSED else "split", reason=reason, message=message)


def _delay_s(error: Any) -> float | None:
    try:
        return retry_delay_s(error)
    except Exception:  # a trailer that nobody can read says nothing
        return None


def read_traces(response: bytes) -> tuple[int, str]:
    """Read an ``ExportTraceServiceResponse``."""
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

    said = ExportTraceServiceResponse.FromString(response).partial_success
    return int(said.rejected_spans), str(said.error_message)


def read_outcomes(response: bytes) -> tuple[int, str]:
    """Read a ``RecordOutcomesResponse``."""
    from tocsin_wire.v1.outcomes_pb2 import RecordOutcomesResponse

    said = RecordOutcomesResponse.FromString(response)
    return int(said.rejected), "; ".join(said.errors[:3])


TRACES: Final = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
OUTCOMES: Final = "/tocsin_wire.v1.OutcomeService/Record"
