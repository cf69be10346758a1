"""The parts run apart over a server: what one receives, another judges and a third shows."""

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import pytest
from tests.collector.sending import Client, eventually, trace_request

from tocsin_collector.load.fleet import Fleet
from tocsin_collector.store.database import Database, StoreAddress
from tocsin_console.apart import ConsoleAlone, EvaluatorAlone
from tocsin_console.config import Config, Flags, resolve
from tocsin_console.errors import Unreachable, UsageProblem
from tocsin_console.process import RoleProcess
from tocsin_console.roles import Role, require_server

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


class Begin(Protocol):
    """Starts roles over one database."""

    database: str

    def __call__(self, kind: type[RoleProcess], name: str) -> dict[str, Any]:
        """Start one, and say where it listens."""
        ...


@pytest.fixture
def begin(server_url: str, tmp_path: Path) -> Iterator[Begin]:
    """Start roles over a database of the real server that this test alone uses."""
    running: list[RoleProcess] = []
    database = f"t_{uuid.uuid4().hex[:12]}"

    def start_one(kind: type[RoleProcess], name: str) -> dict[str, Any]:
        flags = Flags(
            data_dir=tmp_path / name,
            clickhouse=server_url,
            grpc="127.0.0.1:0",
            http="127.0.0.1:0",
            api="127.0.0.1:0",
            guard="127.0.0.1:0",
        )
        config = resolve(flags, environment={"TOCSIN_DATABASE": database}, cwd=tmp_path)
        part = kind(config)
        running.append(part)
        return part.start()

    start: Any = start_one
    start.database = database
    yield start
    for part in reversed(running):
        part.stop(drain_s=5)
    leftover = Database.open(StoreAddress(url=server_url, database=database))
    leftover.command(f"DROP DATABASE `{database}`")
    leftover.close()


@pytest.fixture
def collector(server_url: str, begin: Begin, tmp_path: Path) -> Iterator[dict[str, Any]]:
    """A collector in a process of its own, over the same database: its engine decodes in memory, and this process has one."""
    folder = tmp_path / "collector"
    command = [
        sys.executable,
        "-m",
        "tocsin_console",
        "collector",
        "--clickhouse",
        server_url,
        "--data-dir",
        str(folder),
    ]
    addresses = [word for name in ("grpc", "http", "api") for word in (f"--{name}", "127.0.0.1:0")]
    process = subprocess.Popen(
        [*command, *addresses], env={**os.environ, "TOCSIN_DATABASE": begin.database}, cwd=tmp_path
    )
    eventually((folder / "run.json").exists)
    yield json.loads((folder / "run.json").read_text())
    process.terminate()
    assert process.wait(timeout=60) == 0


def ask(facts: dict[str, Any], path: str, body: dict[str, Any] | None = None) -> tuple[int, Any]:
    """Ask a role's API."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"http://{facts['api']}{path}", data, {"content-type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            text = answer.read().decode()
            return answer.status, json.loads(text) if text.startswith("{") else text
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


@pytest.mark.server
def test_parts_apart_do_what_they_do_together(begin: Begin, collector: dict[str, Any]) -> None:
    """A call sent to a collector is on the console's page; a guard set at the console is held by the evaluator."""
    evaluator = begin(EvaluatorAlone, "evaluator")
    console = begin(ConsoleAlone, "console")
    client = Client(int(collector["grpc"].rpartition(":")[2]))

    client.export(trace_request(5))
    eventually(lambda: ask(console, "/api/status")[1]["ledger"]["spans_stored"] == 5)
    eventually(lambda: ask(evaluator, "/readyz")[0] == 200)
    eventually(lambda: ask(console, "/api/guard/ticket-triage", _setting("fallback"))[0] == 200)
    client.channel.close()

    [use_case] = ask(console, "/api/use-cases")[1]["use_cases"]
    assert (use_case["use_case"], use_case["calls"], use_case["guard"]) == ("ticket-triage", 5, "fallback")
    assert [row["state_in_force"] for row in ask(evaluator, "/api/guard")[1]["guards"]] == ["fallback"]
    status, figures = ask(collector, "/metrics")
    assert status == 200
    assert 'tocsin_collector_items_total{kind="spans",fate="stored"} 5\n' in figures
    assert ask(collector, "/api/spool") == (200, {"files": []})
    assert ask(collector, "/api/dead-letters") == (200, {"letters": []})
    status, refusal = ask(console, "/api/outcomes", {"outcomes": [{"handle": "t1.x"}]})
    assert status == 400
    assert "collector" in refusal["error"]


@pytest.mark.server
def test_without_a_keeper_a_second_evaluator_refuses(begin: Begin) -> None:
    """Two that both worked would both page, and a table alone cannot decide between two who wait."""
    first = begin(EvaluatorAlone, "first")
    eventually(lambda: ask(first, "/readyz")[0] == 200)

    with pytest.raises(Unreachable, match=rf"only evaluator.*{first['api']}.*has the lease since.*stop that one first"):
        begin(EvaluatorAlone, "second")


@pytest.mark.parametrize("role", ["collector", "evaluator", "console"])
def test_a_part_alone_needs_a_server(role: Role, config: Config) -> None:
    """One process holds the embedded engine: a second would only fail to open it, with another's error."""
    with pytest.raises(UsageProblem, match=r"store\.url"):
        require_server(role, config)


def test_the_oldest_live_collector_says_what_is_complete(database: Database) -> None:
    """An evaluator that judged a slot before the slowest collector has loaded it would judge too few calls."""
    fleet = Fleet(database, now=lambda: NOW)
    _mark(database, "quick", NOW - timedelta(seconds=1), NOW)
    _mark(database, "slow", NOW - timedelta(minutes=5), NOW - timedelta(seconds=9))
    _mark(database, "dead", NOW - timedelta(hours=2), NOW - timedelta(minutes=11))
    _mark(database, "ended", NOW - timedelta(hours=3), NOW - timedelta(hours=3), state="ended")
    _mark(database, "gone for good", NOW - timedelta(days=9), NOW - timedelta(days=8))

    mark = fleet.watermark()

    assert mark.complete_to == NOW - timedelta(minutes=5)
    assert [each.name for each in fleet.silent()] == ["dead"]


def test_without_collectors_everything_is_complete(database: Database) -> None:
    """Nothing waits anywhere that anybody knows of."""
    assert Fleet(database, now=lambda: NOW).watermark().complete_to == NOW


def _mark(database: Database, name: str, complete_to: datetime, at: datetime, *, state: str = "") -> None:
    row = {"collector": name, "complete_to": complete_to, "data_complete_to": complete_to, "state": state, "at": at}
    database.insert("watermarks", [row])


def _setting(state: str) -> dict[str, str]:
    return {"action": "set", "state": state, "actor": "somebody", "cause": "a test"}
