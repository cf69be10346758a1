"""A collector on a port of its own, requests to send it, and a real server where one is asked for."""

import shutil
import socket
import subprocess
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.collector.sending import Client, eventually

from tocsin_collector.collector import Collector
from tocsin_collector.database import Database, StoreAddress
from tocsin_collector.migrate import migrate
from tocsin_collector.settings import CollectorSettings

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
        collector = Collector(chosen, over, store=store, disk=disk, keyring=keyring)
        collector.start()
        client = Client(collector.grpc_port)
        running.append((collector, client))
        return collector, client

    yield start
    for collector, client in running:
        client.channel.close()
        collector.stop()


_CONFIG = """<clickhouse>
<logger><level>warning</level><console>1</console></logger><listen_host>127.0.0.1</listen_host>
<http_port>{port}</http_port><path>{folder}/data/</path><tmp_path>{folder}/tmp/</tmp_path>
<user_files_path>{folder}/user_files/</user_files_path><format_schema_path>{folder}/schemas/</format_schema_path>
<max_server_memory_usage>3000000000</max_server_memory_usage><mark_cache_size>67108864</mark_cache_size>
<timezone>UTC</timezone><default_profile>default</default_profile><default_database>default</default_database>
<profiles><default/></profiles><quotas><default/></quotas>
<users><default><password/><networks><ip>127.0.0.1</ip></networks><profile>default</profile><quota>default</quota>
<access_management>1</access_management></default></users>
<user_directories><users_xml><path>{folder}/config.xml</path></users_xml>
<local_directory><path>{folder}/access/</path></local_directory></user_directories></clickhouse>"""


@pytest.fixture(scope="session")
def server_url(clickhouse_binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real ClickHouse server of this test run's own."""
    folder = tmp_path_factory.mktemp("server")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    config = folder / "config.xml"
    config.write_text(_CONFIG.format(port=port, folder=folder))
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [clickhouse_binary, "server", "--config-file", config], cwd=folder, stdout=log, stderr=subprocess.STDOUT
        )

    def answers() -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/ping") as reply:
                return bool(reply.status == 200)
        except OSError:
            assert process.poll() is None, (folder / "log").read_text()[-2000:]
            return False

    try:
        eventually(answers)
        yield f"http://default@127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def server_database(server_url: str) -> Iterator[Database]:
    """A migrated database on the real server that this test alone uses."""
    opened = Database.open(StoreAddress(url=server_url, database=f"t_{uuid.uuid4().hex[:12]}"))
    migrate(opened, now=NOW)
    yield opened
    opened.command(f"DROP DATABASE `{opened.address.database}`")
    opened.close()
