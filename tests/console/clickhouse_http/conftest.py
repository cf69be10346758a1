"""An endpoint over a real store, and plain HTTP to ask it."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import urllib3
from tests.databases import Databases

from tocsin_collector.store.database import Database
from tocsin_console.addresses import Address
from tocsin_console.api.server import ApiServer
from tocsin_console.clickhouse_http.app import ClickHouseHttp, Limits
from tocsin_console.clickhouse_http.engine import Engine

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
HTTP = urllib3.PoolManager(retries=False, timeout=30.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A listening endpoint."""

    address: Address
    app: ClickHouseHttp
    engine: Engine
    database: str

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://{self.address}/"

    def ask(
        self, sql: str = "", *, headers: Mapping[str, str] | None = None, method: str = "POST", **said: Any
    ) -> urllib3.BaseHTTPResponse:
        """Ask as curl does: the query in the body, the rest in the address."""
        url = f"{self.url}?{urlencode(said)}" if said else self.url
        return HTTP.request(method, url, body=sql.encode() if sql else None, headers=dict(headers or {}))


Opened = Callable[..., Endpoint]


def opening(engine_folder: Path, store: Database) -> Iterator[Opened]:
    """Make what opens endpoints over a store, and closes them."""
    ends: list[Callable[[], None]] = []

    def opened(*, password: str = "", limits: Limits | None = None, fixed: Mapping[str, str] | None = None) -> Endpoint:
        engine = Engine(engine_folder, database=store.address.database)
        app = ClickHouseHttp(
            engine, database=store.address.database, name="test", password=password, limits=limits, fixed=fixed
        )
        server = ApiServer(app, Address(host="127.0.0.1", port=0))
        address = server.start()
        ends.append(app.close)
        ends.append(lambda: server.stop(timeout_s=2))
        return Endpoint(address=address, app=app, engine=engine, database=store.address.database)

    yield opened
    for end in ends:
        end()


@pytest.fixture(scope="session")
def store(databases: Databases) -> Iterator[Database]:
    """A migrated database that the tests of this folder share."""
    with databases.one() as lent:
        yield lent


@pytest.fixture(scope="session")
def open_endpoint(store: Database, engine_folder: Path) -> Iterator[Opened]:
    """Opens endpoints over the shared store."""
    yield from opening(engine_folder, store)


@pytest.fixture(scope="session")
def endpoint(open_endpoint: Opened) -> Endpoint:
    """One endpoint with everything at its default."""
    return open_endpoint()


@pytest.fixture
def until() -> Callable[[Callable[[], bool]], None]:
    """Waits for something that another thread brings about."""

    def wait(seen: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 20
        while not seen():
            assert time.monotonic() < deadline, "waited 20 s in vain"
            time.sleep(0.01)

    return wait
