"""Fixtures that every test may use: a migrated database of its own, embedded or on a real server."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.databases import Databases
from tests.scheduling import LongestFirst, put_longest_first


@pytest.fixture(scope="session")
def engine_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One folder for the embedded engine: a process can open only one, so tests share it under their own databases."""
    from tocsin_collector.store.store_address import StoreAddress

    folder = tmp_path_factory.mktemp("engine")
    # Open for as long as the tests run: with its last client the engine ends, and loading every table again takes half a second.
    anchor = Database.open(StoreAddress(path=folder, database="anchor"))
    yield folder
    anchor.close()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def databases(engine_folder: Path) -> Databases:
    """Migrated databases of the embedded engine."""
    from tocsin_collector.store.store_address import StoreAddress

    return Databases(lambda name: StoreAddress(path=engine_folder, database=name))


@pytest.fixture
def database(databases: Databases) -> "Iterator[Database]":
    """A migrated, empty embedded database that this test alone uses."""
    with databases.one() as lent:
        yield lent


@pytest.fixture(scope="session")
def clickhouse_binary() -> Path:
    """The real ClickHouse server's binary, or a skip that says what to set."""
    binary = os.environ.get("CLICKHOUSE_BINARY")
    if not binary:
        pytest.skip("needs a real ClickHouse server: set CLICKHOUSE_BINARY to its binary")
    return Path(binary)


@pytest.fixture(scope="session")
def server_url(clickhouse_binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real ClickHouse server of this test run's own."""
    from bench._clickhouse import ClickHouse

    with ClickHouse.of(clickhouse_binary, tmp_path_factory.mktemp("server")) as server:
        yield server.urls[0]


@pytest.fixture(scope="session")
def server_databases(server_url: str) -> Databases:
    """Migrated databases of the real server."""
    from tocsin_collector.store.store_address import StoreAddress

    return Databases(lambda name: StoreAddress(url=server_url, database=name))


@pytest.fixture
def server_database(server_databases: Databases) -> "Iterator[Database]":
    """A migrated, empty database on the real server that this test alone uses."""
    with server_databases.one() as lent:
        yield lent


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Give the scheduler of ``--dist loadfile``; others are xdist's."""
    return LongestFirst(config, log) if config.getoption("dist") == "loadfile" else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Order what workers share."""
    if hasattr(config, "workerinput"):
        put_longest_first(items)


from tocsin_collector.store.database import Database  # noqa: E402 - named in the fixtures above
