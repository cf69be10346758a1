"""Serves the guard over flagd's ``sync.v1`` gRPC: every open stream hears of a change at once.

An asyncio server in a thread and loop of its own, since each stream stays open for as long as its service lives: in a
pool of threads, four streams starve four threads; here a stream that waits costs a coroutine.
"""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any, Final, TypeAlias

import grpc
import grpc.aio

from tocsin_alerts.errors import AlertsError
from tocsin_alerts.guard_flags import Terms, flag_configuration
from tocsin_alerts.records import GuardRow
from tocsin_wire import TocsinError, flagd

Metadata: TypeAlias = Iterable[tuple[str, str | bytes]]

_START_TIMEOUT_S: Final = 10.0
_MOST_ENCODED: Final = 64
_OPTIONS: Final = (
    ("grpc.so_reuseport", 0),  # a port in use is an error, not a second server
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.min_ping_interval_without_data_ms", 5_000),  # clients may ask whether we live
    ("grpc.http2.max_ping_strikes", 0),
)


class GuardServer:
    """The guard's gRPC server.

    Args:
        address: ``host:port``; port 0 takes a free one, see :attr:`port`.
        source: The rows in force, read at each :meth:`publish` without rows of its own.
        terms: What each plan lets the guard do, and its bars; read at each :meth:`publish`.
        credentials: TLS; None: in clear, for loopback.
        project_of: The project of the ingest key in a request's metadata, None without one; raises TocsinError for a wrong
            one. Who shows a key is told of its project only.
    """

    def __init__(
        self,
        address: str,
        source: Callable[[], Sequence[GuardRow]] = tuple,
        *,
        terms: Callable[[], Sequence[Terms]] = tuple,
        credentials: grpc.ServerCredentials | None = None,
        project_of: Callable[[Metadata], str | None] = lambda _: None,
    ) -> None:
        self._address = address
        self._project_of = project_of
        self._credentials = credentials
        self._source = source
        self._terms = terms
        self._rows: Sequence[GuardRow] = ()
        self._evaluated_through: Mapping[str, str] = {}
        self._lock = threading.Lock()
        self._streams = _Streams()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._stop: asyncio.Event | None = None
        self.port = 0

    def start(self) -> None:
        """Listen.

        Raises:
            AlertsError: the address cannot be listened on.
        """
        self._rows = self._rows or tuple(self._source())
        listening: Future[int] = Future()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._serve(listening)), name="tocsin-guard", daemon=True
        )
        self._thread.start()
        self.port = listening.result(_START_TIMEOUT_S)

    def publish(
        self, rows: Sequence[GuardRow] | None = None, evaluated_through: Mapping[str, str] | None = None
    ) -> None:
        """Push the guard to every open stream. Callable from any thread; returns at once.

        Args:
            rows: The rows in force; None reads them from the source.
            evaluated_through: Per use case, the ISO time to which it is judged; None: as before.
        """
        with self._lock:
            self._rows = tuple(self._source() if rows is None else rows)
            if evaluated_through is not None:
                self._evaluated_through = dict(evaluated_through)
            state = self._present()
            if self._loop is not None and not self._loop.is_closed():
                self._loop.call_soon_threadsafe(self._streams.push, state)

    def stop(self, grace_s: float = 0.5) -> None:
        """End the open streams and stop listening."""
        loop, thread = self._loop, self._thread
        if loop is None or thread is None or self._stop is None:
            return
        if not loop.is_closed():
            loop.call_soon_threadsafe(self._stop.set)
        thread.join(grace_s + 5.0)
        self._thread = None

    def _present(self) -> "_State":
        return _State(self._rows, self._evaluated_through, self._terms())

    async def _serve(self, listening: "Future[int]") -> None:
        server = grpc.aio.server(options=_OPTIONS)
        server.add_generic_rpc_handlers((_handlers(self._streams, self._project_of),))
        try:
            if self._credentials is None:
                port = server.add_insecure_port(self._address)
            else:
                port = server.add_secure_port(self._address, self._credentials)
            await server.start()
        except RuntimeError as error:
            listening.set_exception(
                AlertsError(
                    f"expected to listen on {self._address} for the guard, but it is taken or not ours: {error}"
                )
            )
            return
        self._stop = asyncio.Event()
        with self._lock:
            self._streams.push(self._present())
            self._loop = asyncio.get_running_loop()
        listening.set_result(port)
        await self._stop.wait()
        self._streams.close()
        await server.stop(0.2)


class _State:
    """One published state, encoded once for all streams of a project."""

    def __init__(self, rows: Sequence[GuardRow], evaluated_through: Mapping[str, str], terms: Sequence[Terms]) -> None:
        self._rows = rows
        self._terms = terms
        self._evaluated_through = evaluated_through
        self._encoded: dict[str | None, str] = {}

    def configuration(self, selector: str) -> str:
        key, _, project = selector.partition("=")
        wanted = project if key.strip() == "project" and project else None
        if (made := self._encoded.get(wanted)) is None:
            made = flag_configuration(self._rows, self._evaluated_through, terms=self._terms, project=wanted)
            if len(self._encoded) < _MOST_ENCODED:  # selectors come from clients
                self._encoded[wanted] = made
        return made


class _Streams:
    """What every open stream waits on. Touched in the server's loop only."""

    def __init__(self) -> None:
        self.state = _State((), {}, ())
        self.is_closed = False
        self._next: asyncio.Future[None] | None = None

    def push(self, state: _State) -> None:
        self.state = state
        self._wake()

    def close(self) -> None:
        self.is_closed = True
        self._wake()

    async def changed(self) -> None:
        if self._next is None:
            self._next = asyncio.get_running_loop().create_future()
        await asyncio.shield(self._next)

    def _wake(self) -> None:
        if self._next is not None and not self._next.done():
            self._next.set_result(None)
        self._next = None


def _handlers(streams: _Streams, project_of: Callable[[Metadata], str | None]) -> grpc.GenericRpcHandler:
    async def selected(request: Any, context: Any) -> str:
        try:
            project = project_of(context.invocation_metadata() or ())
        except TocsinError as error:
            await context.abort(grpc.StatusCode.UNAUTHENTICATED, str(error))
            raise
        return str(request.selector) if project is None else f"project={project}"

    async def sync_flags(request: Any, context: Any) -> AsyncIterator[Any]:
        sent: _State | None = None
        while not streams.is_closed:
            if streams.state is sent:
                await streams.changed()
                continue
            sent = streams.state  # a slow stream skips what is no longer so
            selector = await selected(request, context)  # each time: the key may have been revoked
            yield flagd.SyncFlagsResponse(flag_configuration=sent.configuration(selector))

    async def fetch_all_flags(request: Any, context: Any) -> Any:
        selector = await selected(request, context)
        return flagd.FetchAllFlagsResponse(flag_configuration=streams.state.configuration(selector))

    return grpc.method_handlers_generic_handler(
        flagd.SERVICE,
        {
            flagd.SYNC_FLAGS: grpc.unary_stream_rpc_method_handler(
                sync_flags,
                request_deserializer=flagd.SyncFlagsRequest.FromString,
                response_serializer=flagd.SyncFlagsResponse.SerializeToString,
            ),
            flagd.FETCH_ALL_FLAGS: grpc.unary_unary_rpc_method_handler(
                fetch_all_flags,
                request_deserializer=flagd.FetchAllFlagsRequest.FromString,
                response_serializer=flagd.FetchAllFlagsResponse.SerializeToString,
            ),
        },
    )
