"""What compose.yaml starts, started as processes: the shipped configuration of every part, a real ClickHouse, a real Alertmanager.

An engine's part is played by ports on loopback: names of services, mounts of secrets. Grafana is not to be had; what it would ask
with its user is asked. About 6 s of the processor.
"""

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from bench._alertmanager import Alertmanagers, alertmanager_binary
from bench._clickhouse import free_ports
from bench._up import Up, up
from tests.deploy.compose import DEPLOY, FOLDER, Store, made_passwords, tocsin_folder

pytestmark = pytest.mark.server
_EXAMPLE = DEPLOY / "container" / "example"
_GUARD = "/api/guard/ticket-triage"
_TICKETS = (
    ("you charged my card twice", "billing"),
    ("the printer is broken", "hardware"),
    ("refund please", "account"),
)


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Volumes with the passwords of a first start."""
    return made_passwords(tmp_path_factory.mktemp("secrets"))


@pytest.fixture(scope="module")
def store(
    clickhouse_binary: Path, secrets: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Store]:
    """ClickHouse with the users of compose.yaml."""
    with Store.with_secrets(clickhouse_binary, tmp_path_factory.mktemp("wired") / "clickhouse", secrets) as running:
        yield running


@pytest.fixture(scope="module")
def alertmanager(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Alertmanagers]:
    """Alertmanager with the shipped configuration."""
    binary = alertmanager_binary()
    if binary is None:
        pytest.skip("needs a real Alertmanager: set TOCSIN_ALERTMANAGER to its binary, or install Debian's package")
    config = yaml.safe_load((FOLDER / "alertmanager" / "alertmanager.yml").read_text(encoding="utf-8"))
    with Alertmanagers(binary, tmp_path_factory.mktemp("am"), config) as running:
        yield running


@pytest.fixture(scope="module")
def wired(
    store: Store, alertmanager: Alertmanagers, secrets: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Up]:
    """Run tocsin as compose.yaml configures it."""
    folder = tmp_path_factory.mktemp("wired") / "tocsin"
    tocsin_folder(folder, secrets["tocsin"], alertmanager=alertmanager.urls[0])
    with up(folder, "--clickhouse", store.url) as running:
        yield running


@contextmanager
def example(tocsin: Up) -> Iterator[Callable[[str, dict[str, Any]], dict[str, Any]]]:
    """Run the example service against it; gives what posts to it."""
    [port] = free_ports(1)
    command = [sys.executable, _EXAMPLE / "service.py", "--listen", f"127.0.0.1:{port}"]
    told = {"TOCSIN_ENDPOINT": f"http://{tocsin.facts['grpc']}", "TOCSIN_GUARD_ENDPOINT": tocsin.facts["guard"]}
    with subprocess.Popen(command, env={**os.environ, **told}, stdout=subprocess.PIPE, text=True) as service:
        assert service.stdout
        assert service.stdout.readline() == f"listening on 127.0.0.1:{port}\n"

        def post(path: str, document: dict[str, Any]) -> dict[str, Any]:
            asked = urllib.request.Request(f"http://127.0.0.1:{port}{path}", json.dumps(document).encode())
            with urllib.request.urlopen(asked, timeout=30) as answer:
                return dict(json.load(answer))

        try:
            yield post
            service.terminate()
            assert service.wait(60) == 0
        finally:
            service.kill()


def eventually(claim: Callable[[], Any]) -> Any:
    """Wait for a claim to hold; a loaded machine is slow, not broken."""
    end = time.monotonic() + 60.0
    while not (held := claim()):
        assert time.monotonic() < end, "not within 60 s"
        time.sleep(0.05)
    return held


def told(tocsin: Up, path: str, body: dict[str, Any]) -> Any:
    """Ask tocsin's API, as its verbs do."""
    asked = urllib.request.Request(
        f"http://{tocsin.facts['api']}{path}", json.dumps(body).encode(), {"content-type": "application/json"}
    )
    with urllib.request.urlopen(asked, timeout=60) as answer:
        return json.load(answer)


def test_tickets_of_the_example_are_read_with_grafanas_user_and_nothing_more(
    wired: Up, store: Store, secrets: dict[str, Path]
) -> None:
    """One command has to give a whole picture: a call, what was true, and a reader who can break nothing."""
    password = (secrets["grafana"] / "store-password").read_text(encoding="utf-8")
    with example(wired) as post:
        answers = [post("/triage", {"text": text}) for text, _ in _TICKETS]
        for answer, (_, queue) in zip(answers, _TICKETS, strict=True):
            post("/outcomes", {"handle": answer["handle"], "queue": queue})

        sql = "SELECT sum(labels), sum(correct_labels) FROM tocsin.quality_daily WHERE use_case = 'ticket-triage'"
        eventually(lambda: store.ask_as("grafana", password, sql) == "3\t2")

    assert [each["queue"] for each in answers] == ["billing", "hardware", "billing"]
    for refused in ("DROP TABLE tocsin.watermarks", "CREATE USER somebody", "SELECT * FROM system.users"):
        with pytest.raises(urllib.error.HTTPError):
            store.ask_as("grafana", password, refused)
    for stranger in ("default", "grafana"):
        with pytest.raises(urllib.error.HTTPError):
            store.ask_as(stranger, "", "SELECT 1")


def test_the_example_follows_the_guard(wired: Up) -> None:
    """The off switch is the half of the product that no picture shows; until something was reviewed, nothing is simply right."""
    with example(wired) as post:
        eventually(lambda: post("/triage", {"text": "black screen"})["decision"] == "verify")

        told(wired, _GUARD, {"action": "set", "state": "fallback", "actor": "ana", "cause": "a try"})

        answer = eventually(lambda: _fallback(post("/triage", {"text": "black screen"})))
        told(wired, _GUARD, {"action": "release", "actor": "ana"})
    assert answer["queue"] == "account"  # by keyword: no word of money in it


def test_an_alert_of_tocsin_comes_to_alertmanager(wired: Up, alertmanager: Alertmanagers) -> None:
    """Whoever adds a receiver there must hear what tocsin says, without touching tocsin."""
    tried = told(wired, "/api/channels/test", {})

    assert [(each["channel"], each["error"]) for each in tried["channels"]] == [("alertmanager", ""), ("log", "")]
    figures = bytes(alertmanager.ask("/metrics")).decode().splitlines()
    for status in ("firing", "resolved"):
        [line] = [
            each
            for each in figures
            if each.startswith(f'alertmanager_alerts_received_total{{status="{status}",version="v2"')
        ]
        assert float(line.rpartition(" ")[2]) >= 1


def _fallback(answer: dict[str, Any]) -> dict[str, Any] | None:
    return answer if answer["decision"] == "fallback" else None
