"""Starts the endpoint beside the rest of ``up``, or says in one sentence why it is not there."""

import socket
from collections.abc import Mapping
from pathlib import Path

from tocsin_console.addresses import require_protected
from tocsin_console.api.server import ApiServer
from tocsin_console.clickhouse_http.app import ClickHouseHttp
from tocsin_console.clickhouse_http.engine import Engine
from tocsin_console.config import Config
from tocsin_console.errors import AddressInUse

_OPTION = "--clickhouse-http"
_NOTHING: Mapping[str, int] = {"answered": 0, "failed": 0, "turned_away": 0, "running": 0}


class Reading:
    """The endpoint of one ``up``: listening, off, or elsewhere."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._app: ClickHouseHttp | None = None
        self._server: ApiServer | None = None

    def start(self, store_path: Path) -> dict[str, str]:
        """Listen over the embedded engine in a folder, and say where, or why not.

        A real server may hold ClickHouse's port on the same machine. Spans must be taken all the same, so only an
        address that somebody named is insisted on.

        Raises:
            AddressInUse: another process listens on the address that was asked for.
            UsageProblem: the address is reachable by others, and nobody insisted.
        """
        config = self._config
        address = config.clickhouse_http
        if address is None or config.store_url is not None:
            return {}
        if not config.insecure:
            require_protected(address, option=_OPTION, needs="logins", tls=False, keys=False)
        app = ClickHouseHttp(
            Engine(store_path, database=config.database),
            database=config.database,
            name=socket.gethostname(),
            password=config.clickhouse_http_password,
            any_host=config.insecure,
        )
        server = ApiServer(app, address, what="reading over ClickHouse's HTTP", option=f"{_OPTION} (off for none)")
        try:
            bound = server.start()
        except AddressInUse:
            app.close()
            if config.clickhouse_http_is_given:
                raise
            return {
                "clickhouse_http_off": f"not on {address}, which another process holds (a ClickHouse server?): "
                f"give another address with {_OPTION}, or off"
            }
        self._app, self._server = app, server
        return {"clickhouse_http": str(bound)}

    def stop(self, *, timeout_s: float) -> None:
        """End what is being read, then the listener."""
        if self._app is not None and self._server is not None:
            self._app.close()
            self._server.stop(timeout_s=timeout_s)

    def counts(self) -> Mapping[str, int]:
        """Say how many questions were answered, failed, were turned away, and run."""
        return self._app.counts() if self._app is not None else _NOTHING
