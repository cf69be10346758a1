"""To a collector elsewhere, over gRPC: where the process that answers holds the store, and no spool."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import grpc

from tocsin_console.errors import Unreachable, UsageProblem
from tocsin_console.outcomes import outcome_of
from tocsin_wire.v1.outcomes_pb2 import RecordOutcomesRequest, RecordOutcomesResponse

_METHOD: Final = "/tocsin_wire.v1.OutcomeService/Record"
_AT_ONCE: Final = 2_000  # outcomes in a request: 2 MB of handles
_TIMEOUT_S: Final = 60.0
_PASSING: Final = frozenset(
    {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.DEADLINE_EXCEEDED}
)

Send = Callable[[Sequence[Mapping[str, Any]]], None]


@contextmanager
def sending(endpoint: str, *, key: str) -> Iterator[Send]:
    """Open a way to a collector.

    Args:
        endpoint: ``http://host:port``, or ``https://`` for TLS; without a scheme it is plain.
        key: The ingest key of the calls' project; empty where none is needed.

    Raises:
        UsageProblem: the endpoint is none.
    """
    with _channel(endpoint) as channel:
        record = channel.unary_unary(
            _METHOD,
            request_serializer=RecordOutcomesRequest.SerializeToString,
            response_deserializer=RecordOutcomesResponse.FromString,
        )
        metadata = [("authorization", f"Bearer {key}")] if key else None

        def send(outcomes: Sequence[Mapping[str, Any]]) -> None:
            """Make outcomes durable there.

            Raises:
                Unreachable: it does not take them now.
                UsageProblem: it never will.
            """
            for at in range(0, len(outcomes), _AT_ONCE):
                made = [outcome_of(each) for each in outcomes[at : at + _AT_ONCE]]
                try:
                    answer = record(RecordOutcomesRequest(outcomes=made), timeout=_TIMEOUT_S, metadata=metadata)
                except grpc.RpcError as error:
                    said = f"the collector at {endpoint} did not take outcomes: {error.details()}"
                    raise (Unreachable if error.code() in _PASSING else UsageProblem)(said) from error
                if answer.rejected:
                    raise UsageProblem(f"the collector refused {answer.rejected} outcomes: {'; '.join(answer.errors)}")

        yield send


def _channel(endpoint: str) -> grpc.Channel:
    parts = urlsplit(endpoint if "://" in endpoint else f"http://{endpoint}")
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise UsageProblem(f"expected a collector as http://host:4317 or https://host:4317, got {endpoint!r}")
    if parts.scheme == "http":
        return grpc.insecure_channel(parts.netloc)
    authority = os.environ.get("OTEL_EXPORTER_OTLP_CERTIFICATE")
    return grpc.secure_channel(
        parts.netloc, grpc.ssl_channel_credentials(Path(authority).read_bytes() if authority else None)
    )
