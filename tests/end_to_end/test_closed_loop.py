"""The whole product in its own process: spans in, rows out, the guard there and back, and nothing lost on the way."""

import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

_HERE = Path(__file__).parent
_CALLS = 300


@contextmanager
def serve(up: Any) -> "Iterator[subprocess.Popen[str]]":
    """Run the service; it waits for the guard for ever, so a failed test has to end it."""
    command = [sys.executable, str(_HERE / "service.py"), up.facts["grpc"], str(_CALLS)]
    environment = {"TOCSIN_GUARD_ENDPOINT": up.facts["guard"], "PATH": ""}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as service:
        try:
            yield service
        finally:
            service.kill()


def loop_closes(up: Any, wait_for: Any) -> None:
    """Follow one service through a guard that a person sets and releases."""
    with serve(up) as service:
        assert service.stdout
        assert service.stdout.readline() == "flushed\n"
        wait_for(
            lambda: up.query("SELECT count() FROM calls WHERE use_case = 'digits'") == [[_CALLS]], what="every call"
        )
        up.tocsin("guard", "set", "digits", "fallback", "--by", "ana", "--because", "bad answers")
        assert service.stdout.readline() == "fallback\n"
        up.tocsin("guard", "release", "digits", "--by", "ana")
        assert service.stdout.readline() == "normal\n"
        assert service.stdout.readline() == "ended\n"
        assert service.wait(30) == 0
    wait_for(
        lambda: up.query("SELECT count() FROM calls WHERE input_strings['device'] = 'after'") == [[1]],
        what="the last call",
    )
    labels = wait_for(lambda: up.query("SELECT sum(labels), sum(correct_labels) FROM quality_daily"), what="labels")
    assert labels == [[30, 15]]
    audit = up.query("SELECT actor, action, subject FROM audit_log ORDER BY at, action DESC")
    assert audit == [["ana", "guard set", "default/digits"], ["ana", "guard release", "default/digits"]]
    status = up.tocsin("status")
    assert status["ledger"]["balances"]
    assert {name: loop["last_error"] for name, loop in status["loops"].items() if loop["failures"]} == {}
    assert [each["verdict"] for each in status["use_cases"]] == ["collecting"]
    assert up.tocsin("send-test")["call"]["output_label"] == "yes"
    watch_one_call(up)
    the_week_is_reported(up)
    findings = {check["name"] for check in up.tocsin("doctor", code=1)["checks"] if check["level"] == "finding"}
    assert findings == {"channels", "use case digits"}
    assert up.end(signal.SIGTERM) == 0
    assert not (up.folder / "data" / "run.json").exists()
    # A service may be started in a folder that it may not write: everything is in its data folder.
    there = {each.name for each in up.folder.iterdir()} - {"server"}  # the ClickHouse server's own, where there is one
    assert there == {"data", "up.log"}


def the_week_is_reported(up: Any) -> None:
    """Ask what the data say: a person has rehearsed the fallback, and nobody has written a plan."""
    [digits] = up.tocsin("report", "readiness", "--use-case", "digits", code=1)
    answers = {each["question"]: each for each in digits["questions"]}
    rehearsed = answers["What is the fallback?"]["checks"]
    assert [check["holds"] for check in rehearsed if check["says"].startswith("put into fallback on")] == [True]
    assert not any(each["is_answered"] for each in answers.values())
    week = up.tocsin("report", "weekly")
    assert (week["pages"], week["actionable_share"]) == ([], None)
    assert {each["use_case"] for each in week["readiness"]} == {"digits"}
    with urllib.request.urlopen(f"http://{up.facts['api']}/report") as page:
        assert b"has no plan" in page.read()
    assert "never" not in up.tocsin("drill", "digits", "--drop", "16", "--over", "60d", code=2)["error"]


def watch_one_call(up: Any) -> None:
    """Watch until a call lands, sending until one does: the watch begins with what comes after it has started."""
    command = [sys.executable, "-m", "tocsin_console", "doctor", "--watch", "--calls", "1"]
    environment = {**os.environ, "TOCSIN_DATA_DIR": str(up.folder / "data")}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as watch:
        while watch.poll() is None:
            up.tocsin("send-test")
        assert watch.stdout
        line = watch.stdout.read()
    assert "tocsin-test  yes at 97%  missing: outcome, owner, cost" in line


def survives_a_kill(up: Any, wait_for: Any, sender: Any) -> None:
    """Kill it in mid-stream, start it again, and count."""
    first = sender(up.facts["grpc"])
    first.start()
    wait_for(lambda: first.requests >= 100, what="acknowledged requests")
    up.end(signal.SIGKILL)
    first.end()
    up.start()
    second = sender(up.facts["grpc"], first=1_000_000)
    assert second.send()
    second.end()

    acknowledged = first.acknowledged | second.acknowledged

    def stored() -> set[str]:
        return {row[0] for row in up.query("SELECT call_id FROM calls WHERE use_case = 'sums' LIMIT 10000")}

    assert len(acknowledged) < 10_000
    wait_for(lambda: acknowledged <= stored(), what="every acknowledged call")
    twice = up.query("SELECT call_id FROM calls GROUP BY call_id HAVING count() > 1")
    spans = up.query("SELECT TraceId, SpanId FROM otel_traces GROUP BY TraceId, SpanId HAVING count() > 1")
    assert (twice, spans) == ([], [])
    rollup = "SELECT sum(calls) FROM ai_calls_1h WHERE segment_name = ''"  # filled after the calls of the same insert
    wait_for(lambda: up.query(rollup) == up.query("SELECT count() FROM calls"), what="sums that agree with the calls")
    assert up.tocsin("status")["ledger"]["balances"]


def test_the_loop_closes_in_one_process(up: Any, wait_for: Any) -> None:
    """What a new user gets from ``tocsin up`` and one decorated function."""
    loop_closes(up, wait_for)


def test_what_was_acknowledged_before_a_kill_is_there_once(up: Any, wait_for: Any, sender: Any) -> None:
    """OK means durable: not even kill -9 loses or doubles a span that a sender was told is safe."""
    survives_a_kill(up, wait_for, sender)


@pytest.mark.server
def test_the_loop_closes_on_a_real_server(up_on_server: Any, wait_for: Any) -> None:
    """The same over a ClickHouse server as over the embedded engine."""
    loop_closes(up_on_server, wait_for)


@pytest.mark.server
def test_what_was_acknowledged_before_a_kill_is_on_a_real_server_once(
    up_on_server: Any, wait_for: Any, sender: Any
) -> None:
    """The server outlives the kill; a retry of what it already took must not double it."""
    survives_a_kill(up_on_server, wait_for, sender)


def test_grafana_and_sql_clients_read_what_up_stores(up: Any) -> None:
    """The endpoint is part of ``up``, says where it is, and a query that runs does not keep it from ending."""
    address = up.facts["clickhouse_http"]
    with urllib.request.urlopen(f"http://{address}/?query=SELECT+count()+FROM+calls") as answer:
        assert answer.read() == b"0\n"
    host, _, port = address.rpartition(":")
    with socket.create_connection((host, int(port))) as line:
        sql = b"SELECT sum(cityHash64(number)) FROM numbers(1000000000000)"
        line.sendall(b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: %d\r\n\r\n%s" % (len(sql), sql))

        assert up.end() == 0


def test_a_second_up_in_the_same_folder_is_one_sentence(standing: Any, another_up: Any) -> None:
    """The engine's own message would be about a lock file."""
    code, sentence = another_up(standing.folder).refusal()

    assert code == 3
    assert str(standing.process.pid) in sentence
    assert "--data-dir" in sentence


def test_a_port_in_use_is_one_sentence(standing: Any, another_up: Any, tmp_path: Path) -> None:
    """And names the option that chooses another."""
    other = tmp_path / "other"
    other.mkdir()

    code, sentence = another_up(other, "--api", standing.facts["api"]).refusal()

    assert code == 3
    assert "--api" in sentence


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--grpc", "0.0.0.0:0"), "--insecure"),
        (("--clock", "sundial"), "wall or data"),
        (("--config", "missing.yaml"), "missing.yaml"),
        (("--clickhouse", "http://default@127.0.0.1:9"), "ClickHouse server"),
    ],
)
def test_what_cannot_start_says_why(another_up: Any, tmp_path: Path, options: tuple[str, ...], said: str) -> None:
    """One sentence and an exit code that a script can act on."""
    code, sentence = another_up(tmp_path, *options).refusal()

    assert code in (2, 3)
    assert said in sentence
