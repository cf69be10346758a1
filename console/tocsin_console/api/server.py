"""The API's own thread."""

import socket
import threading
from typing import Any

import uvicorn

from tocsin_console.addresses import Address
from tocsin_console.errors import AddressInUse, Unreachable


class ApiServer:
    """Serves an ASGI app from a thread until it is stopped."""

    def __init__(self, app: Any, address: Address, *, what: str = "the API", option: str = "--api") -> None:
        self._address = address
        self._what = what
        self._option = option
        config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", ws="none", server_header=False)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._run, name=f"tocsin{option.split(maxsplit=1)[0][1:]}", daemon=True)
        self._socket: socket.socket | None = None

    def start(self) -> Address:
        """Listen, and say on which address.

        Raises:
            AddressInUse: another process listens there.
        """
        family = socket.AF_INET6 if ":" in self._address.host else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((self._address.host, self._address.port))
            listener.listen(256)  # from here on a client waits for an answer rather than being refused
        except OSError as error:
            listener.close()
            raise AddressInUse(
                f"expected {self._address} to be free for {self._what}, but {error.strerror or error}: "
                f"end the process that uses it, or give another with {self._option}"
            ) from error
        self._socket = listener
        self._thread.start()
        return Address(host=self._address.host, port=listener.getsockname()[1])

    def stop(self, *, timeout_s: float) -> None:
        """Answer what was asked, then end."""
        self._server.should_exit = True
        if self._thread.is_alive():
            self._thread.join(timeout_s)
        if self._thread.is_alive():
            self._server.force_exit = True
            self._thread.join(1.0)
        if self._socket is not None:
            self._socket.close()

    def _run(self) -> None:
        if self._socket is None:
            raise Unreachable("expected start() before serving")
        self._server.run(sockets=[self._socket])
