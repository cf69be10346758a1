"""A real ``tocsin up`` in a process of its own, and a real ClickHouse server beside it."""

import http.client
import itertools
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

_EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
_START_NS = 1_772_452_800_000_000_000
_SPANS = 20  # a request
_PATIENCE_S = 60.0  # a loaded machine is slow, not broken


def _wait_for(seen: Callable[[], Any], *, what: str) -> Any:
    """Ask again and again until there is an answer."""
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        if answer := seen():
            return answer
        time.sleep(0.02)
    raise AssertionError(f"waited {_PATIENCE_S:g} s in vain for {what}")


class Up:
    """One running ``tocsin up`` on ports that the system picked."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder = folder
        self.log = folder / "up.log"
        self._options = options

    def start(self) -> None:
        """Start it and wait until it says that it is ready."""
        ports = [
            word
            for option in ("--grpc", "--http", "--api", "--guard", "--clickhouse-http")
            for word in (option, "127.0.0.1:0")
        ]
        command = [sys.executable, "-m", "tocsin_console", "up", "--json", "--data-dir", "data", *ports, *self._options]
        with self.log.open("a") as log:
            self.process = subprocess.Popen(command, cwd=self.folder, stdout=subprocess.PIPE, stderr=log, text=True)
        assert self.process.stdout
        said = ""
        for line in self.process.stdout:
            said += line
            if line == "}\n":
                break
        self.facts: dict[str, Any] = json.loads(said or "{}")

    def refusal(self) -> tuple[int, str]:
        """Start it where it cannot start; give the exit code and the sentence."""
        self.start()
        code = self.process.wait(timeout=_PATIENCE_S)
        assert self.process.stdout
        self.process.stdout.close()
        assert "Traceback" not in self.log.read_text()
        return code, str(self.facts["error"])

    def end(self, number: int = signal.SIGTERM) -> int:
        """End it with a signal and return its exit code."""
        self.process.send_signal(number)
        code = self.process.wait(timeout=_PATIENCE_S)
        assert self.process.stdout
        self.process.stdout.close()
        return code

    def tocsin(self, *words: str, code: int = 0) -> Any:
        """Run a verb against it and return the document it prints."""
        command = [sys.executable, "-m", "tocsin_console", *words, "--json"]
        environment = {**os.environ, "TOCSIN_DATA_DIR": "data"}
        done = subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == code, (words, done.stdout, done.stderr, self.log.read_text())
        return json.loads(done.stdout)

    def query(self, sql: str) -> list[list[Any]]:
        """Ask the store over the API: a verb costs half a second of start-up."""
        connection = http.client.HTTPConnection(self.facts["api"], timeout=_PATIENCE_S)
        connection.request("POST", "/api/query", json.dumps({"sql": sql}), {"content-type": "application/json"})
        answer = json.loads(connection.getresponse().read())
        connection.close()
        assert "error" not in answer, answer
        rows: list[list[Any]] = answer["rows"]
        return rows


class Sender:
    """A client without retries, so that what it was told is exactly what it was told."""

    def __init__(self, endpoint: str, *, first: int = 0) -> None:
        self.acknowledged: set[str] = set()  # call ids
        self.requests = 0
        self._numbers = itertools.count(first)
        self._channel = grpc.insecure_channel(endpoint)
        self._export = self._channel.unary_unary(_EXPORT, request_serializer=None, response_deserializer=None)
        self._thread = threading.Thread(target=self._run)
        self._ended = threading.Event()

    def start(self) -> None:
        """Send until the collector goes away or :meth:`end` is called."""
        self._thread.start()

    def end(self) -> None:
        """Stop and wait for the last answer."""
        self._ended.set()
        if self._thread.ident is not None:
            self._thread.join()
        self._channel.close()

    def send(self) -> bool:
        """Send one request; says whether it was acknowledged."""
        number = next(self._numbers)
        ids = [f"call-{number}-{index}" for index in range(_SPANS)]
        try:
            self._export(_request(number, ids).SerializeToString(), timeout=20)
        except grpc.RpcError:
            return False
        self.acknowledged.update(ids)
        self.requests += 1
        return True

    def _run(self) -> None:
        while not self._ended.is_set() and self.send():
            pass


def _request(number: int, ids: list[str]) -> ExportTraceServiceRequest:
    """Make one request of spans that are AI calls."""
    made = ExportTraceServiceRequest()
    scope = made.resource_spans.add().scope_spans.add()
    for index, call_id in enumerate(ids):
        start = _START_NS + (number * _SPANS + index) * 1_000_000
        span = scope.spans.add(
            trace_id=(number * _SPANS + index + 1).to_bytes(16, "big"),
            span_id=(index + 1).to_bytes(8, "big"),
            name="predict",
            start_time_unix_nano=start,
            end_time_unix_nano=start + 5_000_000,
        )
        for key, value in (("tocsin.use_case", "sums"), ("tocsin.call.id", call_id), ("tocsin.output.label", "7")):
            attribute = span.attributes.add(key=key)
            attribute.value.string_value = value
    return made


@pytest.fixture
def wait_for() -> Callable[..., Any]:
    """Wait for a condition."""
    return _wait_for


@pytest.fixture
def sender() -> type[Sender]:
    """A client that knows what was acknowledged."""
    return Sender


@pytest.fixture
def another_up() -> type[Up]:
    """One more, which the test ends itself."""
    return Up


@contextmanager
def running(folder: Path, *options: str) -> Iterator[Up]:
    """Start one, and leave none behind."""
    up = Up(folder, *options)
    up.start()
    assert "api" in up.facts, up.log.read_text()
    try:
        yield up
    finally:
        if up.process.poll() is None:
            up.end(signal.SIGKILL)


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Up]:
    """An embedded one in an empty folder."""
    with running(tmp_path) as started:
        yield started


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """One that is in the way of others, and that no test changes or ends."""
    with running(tmp_path_factory.mktemp("standing")) as started:
        yield started


@pytest.fixture
def up_on_server(tmp_path: Path, clickhouse_binary: Path) -> Iterator[Up]:
    """One whose store is a real ClickHouse server."""
    with (
        clickhouse_server(clickhouse_binary, tmp_path / "server") as url,
        running(tmp_path, "--clickhouse", url) as started,
    ):
        yield started


@contextmanager
def clickhouse_server(binary: Path, folder: Path) -> Iterator[str]:
    """Start a ClickHouse server on a free port, with its files in a folder."""
    folder.mkdir()
    port = free_port()
    settings = [
        f"--http_port={port}",
        "--tcp_port=0",
        "--mysql_port=0",
        "--postgresql_port=0",
        "--listen_host=127.0.0.1",
    ]
    places = [f"--{name}={folder}/{name}/" for name in ("path", "tmp_path", "user_files_path", "format_schema_path")]
    for place in ("path", "tmp_path", "user_files_path", "format_schema_path"):
        (folder / place).mkdir()
    (folder / "config.xml").write_text(_SERVER)
    with (folder / "server.log").open("w") as log:
        process = subprocess.Popen(
            [str(binary), "server", f"--config-file={folder}/config.xml", "--", *settings, *places],
            cwd=folder,
            stdout=log,
            stderr=log,
        )
    try:
        _wait_for(lambda: _pings(port) or process.poll() is not None, what="the ClickHouse server")
        assert process.poll() is None, (folder / "server.log").read_text()[-2000:]
        yield f"http://default@127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def free_port() -> int:
    """Pick a port that was free a moment ago, for a server that cannot pick one itself."""
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _pings(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
    try:
        connection.request("GET", "/ping")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


_SERVER = """<clickhouse>
<logger><level>warning</level><console>1</console></logger>
<mark_cache_size>104857600</mark_cache_size>
<users><default><password></password><networks><ip>127.0.0.1</ip></networks><profile>default</profile>
<quota>default</quota><access_management>1</access_management></default></users>
<profiles><default/></profiles><quotas><default/></quotas>
</clickhouse>
"""
