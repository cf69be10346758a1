"""A collector on a port of its own, requests to send it, and a real server where one is asked for."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.collector.sending import Client

from tocsin_collector.collector import Collector
from tocsin_collector.settings import CollectorSettings
from tocsin_collector.store.database import Database

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)

Run = Callable[..., tuple[Collector, Client]]


@pytest.fixture
def run(database: Database, tmp_path: Path) -> Iterator[Run]:
    """Start collectors over the test's database; each is stopped at the end, unless the test stopped it."""
    running: list[tuple[Collector, Client]] = []

    def start(
        over: Database = database, *, store: Any = None, disk: Any = None, keyring: Any = None, **settings: Any
    ) -> tuple[Collector, Client]:
        chosen = CollectorSettings(
            **{"data_dir": tmp_path, "grpc_address": "127.0.0.1:0", "http_address": "127.0.0.1:0", **settings}
        )
        collector = Collector(chosen, over, stores=[store] if store else (), disk=disk, keyring=keyring)
        collector.start()
        client = Client(collector.grpc_port)
        running.append((collector, client))
        return collector, client

    yield start
    for collector, client in running:
        client.channel.close()
        collector.stop()
