"""A store on each engine, and a project of its own for every test."""

import contextlib
import os
import socket
import subprocess
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.alerts.evaluators.store import MONDAY, Store

from tocsin_collector.errors import StoreUnavailable
from tocsin_collector.store.database import Database, StoreAddress
from tocsin_collector.store.migrate import migrate


@pytest.fixture(scope="session")
def embedded(engine_folder: Path) -> Iterator[Database]:
    """One migrated database of the embedded engine."""
    yield from _migrated(StoreAddress(path=engine_folder, database="evaluators"))


@pytest.fixture(scope="session")
def server(clickhouse_binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """One migrated database of a real server, on ports that were free."""
    folder = tmp_path_factory.mktemp("server")
    names = ("http_port", "tcp_port", "interserver_http_port", "mysql_port", "postgresql_port")
    ports = dict(zip(names, _free_ports(len(names)), strict=True))
    options = [f"--{name}={port}" for name, port in ports.items()]
    log = (folder / "log").open("wb")
    process = subprocess.Popen(
        [clickhouse_binary, "server", "--", f"--path={folder}/", "--listen_host=127.0.0.1", *options],
        cwd=folder,
        stdout=log,
        stderr=subprocess.STDOUT,
        env={**os.environ, "CLICKHOUSE_WATCHDOG_ENABLE": "0"},
    )
    try:
        _wait_for_port(ports["http_port"], process)
        yield from _migrated(StoreAddress(url=f"http://127.0.0.1:{ports['http_port']}", database="evaluators"))
    finally:
        process.terminate()
        process.wait(30)
        log.close()


@pytest.fixture(params=["embedded", pytest.param("server", marks=pytest.mark.server)])
def store(request: pytest.FixtureRequest) -> Store:
    """The store of each engine in turn."""
    return Store(database=request.getfixturevalue(request.param), project=f"p{uuid.uuid4().hex[:12]}")


def _migrated(address: StoreAddress) -> Iterator[Database]:
    database = _open(address)
    migrate(database, now=MONDAY)
    yield database
    database.close()


def _open(address: StoreAddress) -> Database:
    deadline = time.monotonic() + 30
    while True:
        try:
            return Database.open(address)
        except StoreUnavailable:
            if time.monotonic() > deadline:
                raise


def _wait_for_port(port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.1)
    pytest.fail("the ClickHouse server did not start")


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
