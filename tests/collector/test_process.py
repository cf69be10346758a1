"""A collector as a process: killed, ended, started twice, started in the wrong place."""

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc
import pytest
from tests.collector.conftest import Run
from tests.collector.sending import Client, eventually, trace_request

from tocsin_collector.collector import Collector
from tocsin_collector.errors import AddressInUse, SchemaError
from tocsin_collector.settings import CollectorSettings
from tocsin_collector.spool.data_folder import FolderLock, check_engine
from tocsin_collector.store.database import Database

SERVING = Path(__file__).with_name("serving.py")
COUNTED = """
import json, sys
from pathlib import Path
from tocsin_collector.store.database import Database, StoreAddress
database = Database.open(StoreAddress(path=Path(sys.argv[1]) / "store"))
print(json.dumps({
    "spans": [row["id"] for row in database.rows("SELECT SpanId AS id FROM otel_traces")],
    "calls": database.rows("SELECT count() AS n, uniqExact(span_id) AS u FROM ai_calls")[0],
    "summed": database.rows("SELECT sum(calls) AS n FROM ai_calls_1h")[0]["n"],
    "cells": database.rows("SELECT sum(n) AS n FROM input_histogram_1h WHERE kind = 'latency'")[0]["n"],
    "dead": database.rows("SELECT count() AS n FROM dead_letters")[0]["n"],
}))
"""


@contextmanager
def serving(*arguments: object) -> Iterator[tuple["subprocess.Popen[str]", Client]]:
    """Run a collector in a process of its own."""
    with subprocess.Popen(
        [sys.executable, SERVING, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        client = Client(int(process.stdout.readline()))
        try:
            yield process, client
        finally:
            client.channel.close()
            process.kill()


def stored(folder: Path) -> dict[str, object]:
    """Count what a folder's tables hold, in a process of its own."""
    answer = subprocess.run([sys.executable, "-c", COUNTED, folder], capture_output=True, text=True, check=True)
    found: dict[str, object] = json.loads(answer.stdout)
    return found


def send_until_it_dies(client: Client, first: int, acked: set[int], enough: threading.Event) -> None:
    """Send small requests one after another; note what was acknowledged."""
    for number in range(first, first + 100_000):
        try:
            client.export(trace_request(3, number=number, tocsin__input__ink=0.5))
        except (grpc.RpcError, ValueError):
            return
        acked.add(number)
        if len(acked) > 60:
            enough.set()


@pytest.mark.slow
def test_every_acked_span_survives_kill_9_exactly_once(tmp_path: Path) -> None:
    """The promise that everything rests on: OK means durable, and durable means stored once, in every table."""
    acked: set[int] = set()
    for life in range(3):
        with serving(tmp_path) as (process, client):
            enough = threading.Event()
            mine: set[int] = set()
            senders = [
                threading.Thread(target=send_until_it_dies, args=(client, 100_000 * (10 * life + n + 1), mine, enough))
                for n in range(4)
            ]
            for sender in senders:
                sender.start()
            assert enough.wait(60)
            process.send_signal(signal.SIGKILL)
            process.wait()
            for sender in senders:
                sender.join()
            acked |= mine
    with serving(tmp_path) as (process, _):
        eventually(lambda: not list((tmp_path / "spool" / "traces").glob("*.seg")))
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0

    found = stored(tmp_path)

    spans = found["spans"]
    assert isinstance(spans, list)
    expected = {f"{number * 1_000_000 + index + 1:016x}" for number in acked for index in range(3)}
    assert len(spans) == len(set(spans)), "nothing twice"
    assert expected <= set(spans), "nothing acked is missing"
    assert found["calls"] == {"n": len(spans), "u": len(spans)}
    assert found["summed"] == found["cells"] == len(spans)
    assert found["dead"] == 0


def test_sigterm_loads_what_was_received(tmp_path: Path) -> None:
    """A deployment ends collectors all day: each leaves an empty spool when the store is there."""
    with serving(tmp_path) as (process, client):
        for number in range(20):
            client.export(trace_request(2, number=number))
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0

    spans = stored(tmp_path)["spans"]

    assert isinstance(spans, list)
    assert len(spans) == 40
    assert not list((tmp_path / "spool" / "traces").iterdir())


def test_second_process_on_the_folder_is_told_so_in_one_sentence(tmp_path: Path) -> None:
    """Two engines in one folder would destroy it; whoever starts the second must learn what to do."""
    with serving(tmp_path) as (process, _):
        second = subprocess.run([sys.executable, SERVING, tmp_path], capture_output=True, text=True, check=False)

        assert second.returncode == 1
        assert second.stderr.strip().count("\n") == 0
        assert f"process {process.pid}" in second.stderr
        assert "--data-dir" in second.stderr


def test_folder_of_a_newer_engine_is_refused(tmp_path: Path) -> None:
    """An older engine may misread what a newer one wrote; the sentence names both versions and the way out."""
    check_engine(tmp_path, "26.9.0")
    check_engine(tmp_path, "26.10.1")

    with pytest.raises(SchemaError, match=r"written by chdb-core 26\.10\.1, and this is 26\.9\.0.*install"):
        check_engine(tmp_path, "26.9.0")


def test_lock_is_free_again_once_released(tmp_path: Path) -> None:
    """A restart within the same process must not stand in its own way."""
    FolderLock.take(tmp_path).release()

    FolderLock.take(tmp_path).release()


def test_port_in_use_is_one_sentence(run: Run, database: Database, tmp_path: Path) -> None:
    """The commonest mistake at start: the sentence names the address and the way out."""
    collector, _ = run()
    settings = CollectorSettings(data_dir=tmp_path / "other", grpc_address=f"127.0.0.1:{collector.grpc_port}")
    second = Collector(settings, database)

    with pytest.raises(AddressInUse, match=f"127.0.0.1:{collector.grpc_port}"):
        second.start()
    second.stop(drain_s=0)
