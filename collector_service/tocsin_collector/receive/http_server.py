"""The thread that serves OTLP/HTTP."""

import logging
import resource
import socket
import ssl
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import uvicorn

from tocsin_collector.errors import AddressInUse
from tocsin_collector.receive.admission import KeyRing, OpenRing
from tocsin_collector.receive.certificates import https_context
from tocsin_collector.receive.http_app import HttpApp
from tocsin_collector.receive.http_protocol import Patience
from tocsin_collector.receive.intake import Intake
from tocsin_collector.settings import CollectorSettings

_GRACE_S = 5.0
_KEEP_ALIVE_S = 75  # longer than exporters pause between two batches
_MAX_HEAD_BYTES = 32 * 1024
_BACKLOG = 1024


class HttpServer:
    """Listens once started, if the settings name an address; its port is known then."""

    def __init__(self, settings: CollectorSettings, intake: Intake, keyring: KeyRing | None = None) -> None:
        self._settings = settings
        self._pool = ThreadPoolExecutor(settings.handler_threads, thread_name_prefix="tocsin-http")
        self._app = HttpApp(settings, intake, keyring or OpenRing(), self._pool)
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None
        self._socket: socket.socket | None = None
        self.port = 0

    def start(self) -> None:
        """Bind and serve.

        Raises:
            AddressInUse: another process listens there.
            TlsError: the certificate cannot be used.
        """
        if self._settings.http_address is None:
            return
        files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        patience = Patience(
            head_timeout_s=self._settings.head_timeout_s,
            max_connections=min(self._settings.max_connections, files // 2),  # the spool needs some as well
        )
        config = uvicorn.Config(
            self._app,
            http=patience.protocol(),
            log_config=None,
            log_level=logging.ERROR,  # what a sender does wrong, it is told
            access_log=False,
            lifespan="off",
            ws="none",
            server_header=False,
            timeout_keep_alive=_KEEP_ALIVE_S,
            timeout_graceful_shutdown=int(_GRACE_S),
            h11_max_incomplete_event_size=_MAX_HEAD_BYTES,
        )
        config.load()
        config.ssl = self._context()
        self._socket = _listen(self._settings.http_address)
        self.port = self._socket.getsockname()[1]
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, args=([self._socket],), name="tocsin-http", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Take no new requests, let those under way finish, and close."""
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join(_GRACE_S + 1)
        if self._socket is not None:
            self._socket.close()
        self._pool.shutdown(wait=True)

    def _context(self) -> ssl.SSLContext | None:
        tls = self._settings.tls
        return https_context(tls, now=lambda: datetime.now(UTC)) if tls else None


def _listen(address: str) -> socket.socket:
    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, int(port)))
        listener.listen(_BACKLOG)  # from here on a sender waits for an answer rather than being refused
    except OSError as error:
        listener.close()
        raise AddressInUse(
            f"expected to listen on {address}, but {error.strerror or error}: end what listens there, or give another --http"
        ) from error
    return listener
