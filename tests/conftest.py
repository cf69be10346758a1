"""Fixtures that every test may use: a migrated database of its own, embedded or on a real server."""

import os
import shutil
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def engine_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One folder for the embedded engine: a process can open only one, so tests share it under their own databases."""
    folder = tmp_path_factory.mktemp("engine")
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def database(engine_folder: Path) -> "Iterator[Database]":
    """A migrated embedded database that this test alone uses."""
    from tocsin_collector.database import Database, StoreAddress
    from tocsin_collector.migrate import migrate

    opened = Database.open(StoreAddress(path=engine_folder, database=f"t_{uuid.uuid4().hex[:12]}"))
    migrate(opened, now=NOW)
    yield opened
    opened.command(f"DROP DATABASE `{opened.address.database}`")
    opened.close()


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


from tocsin_collector.database import Database  # noqa: E402 - named in the fixtures above
