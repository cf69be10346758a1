"""OTLP traces and logs, and outcomes, over gRPC, on raw bytes: nothing is decoded before it is admitted."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias

import grpc
from google.protobuf import any_pb2, duration_pb2
from google.rpc import error_details_pb2, status_pb2

from tocsin_collector.errors import AddressInUse, Overloaded, RequestRejected, Unauthenticated
from tocsin_collector.load.decoder import Kind
from tocsin_collector.receive.admission import KeyRing, OpenRing, presented
from tocsin_collector.receive.certificates import Certificates, grpc_credentials
from tocsin_collector.receive.intake import Intake
from tocsin_collector.receive.passage import Passage, is_packed
from tocsin_collector.receive.replies import response
from tocsin_collector.receive.requests import Signal
from tocsin_collector.settings import CollectorSettings

TRACE_SERVICE: Final = "opentelemetry.proto.collector.trace.v1.TraceService"
LOGS_SERVICE: Final = "opentelemetry.proto.collector.logs.v1.LogsService"
METRICS_SERVICE: Final = "opentelemetry.proto.collector.metrics.v1.MetricsService"
OUTCOME_SERVICE: Final = "tocsin_wire.v1.OutcomeService"
_GRACE_S = 5.0
_SOMEWHAT: Final = 1024 * 1024
_GRACE_MS: Final = 60_000  # for requests under way when their connection is old


class GrpcServer:
    """Listens as soon as it is started; its port is known then."""

    def __init__(self, settings: CollectorSettings, intake: Intake, keyring: KeyRing | None = None) -> None:
        self._settings = settings
        self._intake = intake
        self._keyring = keyring or OpenRing()
        self._pool = ThreadPoolExecutor(settings.handler_threads, thread_name_prefix="tocsin-grpc")
        self._server = grpc.server(
            self._pool,
            options=[
                # Somewhat above ours, so that a request over the limit gets our sentence and not the library's.
                ("grpc.max_receive_message_length", settings.max_request_bytes + _SOMEWHAT),
                ("grpc.per_message_decompression", 0),  # unpacked by us, whose count of bytes in flight stops a bomb
                ("grpc.server_handshake_timeout_ms", int(settings.head_timeout_s * 1000)),
                # After a while a sender connects anew, so that a collector that was added gets its share.
                ("grpc.max_connection_age_ms", int(settings.connection_age_s * 1000)),
                ("grpc.max_connection_age_grace_ms", _GRACE_MS),
                ("grpc.max_concurrent_streams", 1024),  # of one connection: beyond it, its sender waits
                ("grpc.so_reuseport", 0),  # a second collector must fail, not take half the requests
            ],
        )
        methods: dict[str, tuple[str, _Behaviour]] = {
            TRACE_SERVICE: ("Export", self._exporting("traces")),
            LOGS_SERVICE: ("Export", self._exporting("logs")),
            METRICS_SERVICE: ("Export", _no_metrics),
            OUTCOME_SERVICE: ("Record", self._record),
        }
        self._server.add_generic_rpc_handlers(
            tuple(
                grpc.method_handlers_generic_handler(service, {name: _raw(behaviour)})
                for service, (name, behaviour) in methods.items()
            )
        )
        self.port = 0

    def start(self) -> None:
        """Bind and serve.

        Raises:
            AddressInUse: another process listens there.
            TlsError: the certificate cannot be used.
        """
        address, tls = self._settings.grpc_address, self._settings.tls
        credentials = tls and grpc_credentials(Certificates(tls, now=lambda: datetime.now(UTC)))
        try:
            if credentials is None:
                self.port = self._server.add_insecure_port(address)
            else:
                self.port = self._server.add_secure_port(address, credentials)
        except RuntimeError as error:
            self.port = 0
            cause: BaseException | None = error
        else:
            cause = None
        if self.port == 0:
            raise AddressInUse(
                f"expected to listen on {address}, but it is taken or is not this machine's: end what listens there, "
                f"or give another --grpc-address"
            ) from cause
        self._server.start()

    def stop(self) -> None:
        """Take no new requests, let those under way finish, and close."""
        self._server.stop(_GRACE_S).wait()
        self._pool.shutdown(wait=True)

    def _exporting(self, signal: Signal) -> "_Behaviour":
        def export(body: bytes, context: Any) -> bytes:
            def take(passage: Passage, project: str) -> bytes:
                message = _unpacked(body, passage)
                return response(signal, self._intake.keep(signal, message, passage, project=project))

            return self._answered(signal, body, context, take)

        return export

    def _record(self, body: bytes, context: Any) -> bytes:
        def take(passage: Passage, project: str) -> bytes:
            answer = self._intake.keep_outcomes(_unpacked(body, passage), passage, project=project)
            return bytes(answer.SerializeToString())

        return self._answered("outcomes", body, context, take)

    def _answered(self, kind: Kind, body: bytes, context: Any, take: Callable[[Passage, str], bytes]) -> bytes:
        try:
            with self._intake.receiving(kind) as passage:
                passage.hold(len(body))
                return take(passage, self._keyring.project_of(presented(context.invocation_metadata() or ())))
        except RequestRejected as error:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        except Unauthenticated as error:
            context.abort(grpc.StatusCode.UNAUTHENTICATED, str(error))
        except Overloaded as error:
            context.set_trailing_metadata(retry_trailers(str(error), error.retry_after_s))
            context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, str(error))
        raise AssertionError("abort raises")


_Behaviour: TypeAlias = Callable[[bytes, Any], bytes]


def _unpacked(body: bytes, passage: Passage) -> bytes:
    return passage.unpack(body) if is_packed(body) else body


def _no_metrics(_body: bytes, context: Any) -> bytes:
    """Answer as a collector without a metrics pipeline does: exporters take it as final and do not retry."""
    context.abort(
        grpc.StatusCode.UNIMPLEMENTED,
        f"unknown service {METRICS_SERVICE}: traces and logs are taken here, send metrics elsewhere",
    )
    raise AssertionError("abort raises")


def _raw(behaviour: _Behaviour) -> Any:
    return grpc.unary_unary_rpc_method_handler(behaviour, request_deserializer=None, response_serializer=None)


def retry_trailers(message: str, retry_after_s: float) -> tuple[tuple[str, bytes], ...]:
    """Say when to try again, in both places that exporters look at: Python's reads only the first.

    Source: google.rpc.RetryInfo; OTLP specification, "OTLP/gRPC Throttling".
    """
    delay = duration_pb2.Duration(seconds=int(retry_after_s), nanos=round(retry_after_s % 1 * 1e9))
    retry = error_details_pb2.RetryInfo(retry_delay=delay)
    detail = any_pb2.Any()
    detail.Pack(retry)
    status = status_pb2.Status(code=grpc.StatusCode.RESOURCE_EXHAUSTED.value[0], message=message, details=[detail])
    return (
        ("google.rpc.retryinfo-bin", retry.SerializeToString()),
        ("grpc-status-details-bin", status.SerializeToString()),
    )
