"""A real ClickHouse server for a run, and a peer that exports into one: rotel (PyPI), where it is installed."""

import os
import socket
import subprocess
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_CONFIG = """<clickhouse>
<logger><level>warning</level><console>1</console></logger><listen_host>127.0.0.1</listen_host>
<http_port>{port}</http_port><path>{folder}/data/</path><tmp_path>{folder}/tmp/</tmp_path>
<user_files_path>{folder}/user_files/</user_files_path><format_schema_path>{folder}/schemas/</format_schema_path>
<max_server_memory_usage>6000000000</max_server_memory_usage><timezone>UTC</timezone>
<default_profile>default</default_profile><default_database>default</default_database>
<profiles><default/></profiles><quotas><default/></quotas>
<users><default><password/><networks><ip>127.0.0.1</ip></networks><profile>default</profile><quota>default</quota>
<access_management>1</access_management></default></users>
<user_directories><users_xml><path>{folder}/config.xml</path></users_xml></user_directories></clickhouse>"""

# The exporter's table as rotel expects it; the skip indexes that every one of its deployments has are left out, in its favour.
_TRACES = """CREATE TABLE otel.otel_traces (Timestamp DateTime64(9) CODEC(Delta, ZSTD(1)), TraceId String CODEC(ZSTD(1)),
SpanId String CODEC(ZSTD(1)), ParentSpanId String CODEC(ZSTD(1)), TraceState String CODEC(ZSTD(1)),
SpanName LowCardinality(String) CODEC(ZSTD(1)), SpanKind LowCardinality(String) CODEC(ZSTD(1)),
ServiceName LowCardinality(String) CODEC(ZSTD(1)), ResourceAttributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
ScopeName String CODEC(ZSTD(1)), ScopeVersion String CODEC(ZSTD(1)),
SpanAttributes Map(LowCardinality(String), String) CODEC(ZSTD(1)), Duration Int64 CODEC(ZSTD(1)),
StatusCode LowCardinality(String) CODEC(ZSTD(1)), StatusMessage String CODEC(ZSTD(1)),
Events Nested (Timestamp DateTime64(9), Name LowCardinality(String), Attributes Map(LowCardinality(String), String)) CODEC(ZSTD(1)),
Links Nested (TraceId String, SpanId String, TraceState String, Attributes Map(LowCardinality(String), String)) CODEC(ZSTD(1)))
ENGINE = MergeTree PARTITION BY toDate(Timestamp) ORDER BY (ServiceName, SpanName, toDateTime(Timestamp))"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A server of this run's own, on a free port."""

    url: str
    pid: int

    @classmethod
    @contextmanager
    def maybe(cls, binary: Path | None) -> Iterator["Server | None"]:
        """Start one, if a binary is given, and end it afterwards."""
        if binary is None:
            yield None
            return
        with tempfile.TemporaryDirectory(prefix="tocsin-bench-server-") as folder:
            port = _free_port()
            config = Path(folder) / "config.xml"
            config.write_text(_CONFIG.format(port=port, folder=folder), encoding="utf-8")
            with (Path(folder) / "log").open("w") as log:
                process = subprocess.Popen(
                    [binary, "server", "--config-file", config],
                    cwd=folder,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    env={**os.environ, "CLICKHOUSE_WATCHDOG_ENABLE": "0"},  # the process that is watched is the server
                )
                try:
                    server = cls(url=f"http://default@127.0.0.1:{port}", pid=process.pid)
                    _wait(lambda: server.ask("SELECT 1") == "1")
                    yield server
                finally:
                    process.terminate()
                    process.wait()

    def ask(self, sql: str) -> str:
        """Run one statement and return its text."""
        address = self.url.replace("default@", "")
        request = urllib.request.Request(address, data=sql.encode(), method="POST")  # noqa: S310 - loopback
        with urllib.request.urlopen(request, timeout=60) as reply:  # noqa: S310 - loopback
            return str(reply.read().decode().strip())


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotel:
    """The agent, receiving OTLP/gRPC and exporting into a server."""

    port: int
    pid: int
    server: Server

    @classmethod
    @contextmanager
    def into(cls, server: Server) -> Iterator["Rotel"]:
        """Start the agent from the installed package.

        Raises:
            SystemExit: it is not installed.
        """
        try:
            import rotel
        except ImportError:
            raise SystemExit("expected the peer's package: pip install --pre rotel") from None
        server.ask("CREATE DATABASE otel")
        server.ask(_TRACES)
        binary = Path(rotel.__file__).parent / "rotel-agent"
        binary.chmod(0o755)
        port = _free_port()
        with tempfile.TemporaryDirectory(prefix="tocsin-bench-rotel-") as folder, subprocess.Popen(
            [
                binary, "start", "--otlp-grpc-endpoint", f"127.0.0.1:{port}", "--otlp-http-endpoint", f"127.0.0.1:{_free_port()}",
                "--pid-file", f"{folder}/pid", "--log-file", f"{folder}/log", "--otlp-grpc-max-recv-msg-size-mib", "64",
                "--exporter", "clickhouse", "--clickhouse-exporter-endpoint", server.url.replace("default@", ""),
                "--clickhouse-exporter-database", "otel", "--clickhouse-exporter-async-insert", "false",
                "--clickhouse-exporter-user", "default",
            ],
            cwd=folder,
        ) as process:  # fmt: skip
            try:
                _wait(lambda: _listens(port))
                yield cls(port=port, pid=process.pid, server=server)
            finally:
                process.terminate()
                process.wait()

    def stored(self, expected: int) -> int:
        """Wait until everything is stored, or nothing more comes; say how much is."""
        before, unchanged = -1, 0
        while unchanged < 50:  # five seconds without a row
            found = int(self.server.ask("SELECT count() FROM otel.otel_traces"))
            if found >= expected:
                return found
            unchanged = unchanged + 1 if found == before else 0
            before = found
            time.sleep(0.1)
        return before


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _wait(ready: Callable[[], bool]) -> None:
    for _ in range(300):
        try:
            if ready():
                return
        except OSError:
            pass
        time.sleep(0.1)
    raise TimeoutError("expected a process of this benchmark to answer within 30 s")
