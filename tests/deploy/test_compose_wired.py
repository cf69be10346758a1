"""What compose.yaml starts, started as processes: the shipped configuration of every part, a real ClickHouse, a real Alertmanager.

An engine's part is played by ports on loopback: names of services, mounts of secrets. Grafana is not to be had; what it would ask
with its user is asked. About 15 s of the processor.
"""

import json
import os
import shlex
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
from tests.docs.fences import fences

pytestmark = pytest.mark.server
_EXAMPLE = DEPLOY / "container" / "example"
_PATIENCE_S = 180.0  # of processes that share two cores with a whole test run
Post = Callable[[str, dict[str, Any]], dict[str, Any]]
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
def example(tocsin: Up) -> Iterator[Post]:
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
    end = time.monotonic() + _PATIENCE_S
    while not (held := claim()):
        assert time.monotonic() < end, f"not within {_PATIENCE_S:g} s"
        time.sleep(0.2)
    return held


def run(line: str, tocsin: Up, post: Post, handle: str) -> dict[str, Any]:
    """Run one line of the page: verbs as ``exec`` runs them in tocsin's container, requests to the port where the example listens."""
    words = shlex.split(line)
    if words[0] == "curl":
        _, url, data, body = words
        assert (url[:21], data) == ("http://127.0.0.1:8000", "-d")
        return post(url[21:], json.loads(body.replace("t1.…", handle)))
    assert words[:5] == ["docker", "compose", "exec", "tocsin", "tocsin"]
    folder = Path(tocsin.facts["data_dir"])
    told = {"TOCSIN_CONFIG": str(folder.with_name("tocsin.yaml")), "TOCSIN_DATA_DIR": str(folder)}
    subprocess.run([sys.executable, "-m", "tocsin_console", *words[5:]], env={**os.environ, **told}, check=True)
    return {}


def release(tocsin: Up) -> None:
    """Put the guard back, for the next test."""
    body = json.dumps({"action": "release", "actor": "ana"}).encode()
    url, kind = f"http://{tocsin.facts['api']}/api/guard/ticket-triage", {"content-type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(url, body, kind), timeout=60):
        pass


def counted(store: Store, password: str) -> tuple[int, int]:
    """Read with Grafana's user how many tickets have a label, and how many answers were right."""
    sql = "SELECT sum(labels), sum(correct_labels) FROM tocsin.quality_daily WHERE use_case = 'ticket-triage'"
    labels, correct = store.ask_as("grafana", password, sql).split()
    return int(labels), int(correct)


def test_tickets_of_the_example_are_read_with_grafanas_user_and_nothing_more(
    wired: Up, store: Store, secrets: dict[str, Path]
) -> None:
    """One command has to give a whole picture: a call, what was true, and a reader who can break nothing."""
    password = (secrets["grafana"] / "store-password").read_text(encoding="utf-8")
    labels, correct = counted(store, password)
    with example(wired) as post:
        answers = [post("/triage", {"text": text}) for text, _ in _TICKETS]
        for answer, (_, queue) in zip(answers, _TICKETS, strict=True):
            post("/outcomes", {"handle": answer["handle"], "queue": queue})
        eventually(lambda: counted(store, password) == (labels + 3, correct + 2))

    assert [each["queue"] for each in answers] == ["billing", "hardware", "billing"]
    for refused in ("DROP TABLE tocsin.watermarks", "CREATE USER somebody", "SELECT * FROM system.users"):
        with pytest.raises(urllib.error.HTTPError):
            store.ask_as("grafana", password, refused)
    for stranger in ("default", "grafana"):
        with pytest.raises(urllib.error.HTTPError):
            store.ask_as(stranger, "", "SELECT 1")


def test_the_page_does_what_it_says(
    wired: Up, store: Store, alertmanager: Alertmanagers, secrets: dict[str, Path]
) -> None:
    """A newcomer's first five commands: an answer, the truth, the state of things, the off switch, an alert that arrives."""
    [block] = fences("deploy/container.md", "bash", tested_by=__file__)
    ask, correct, status, switch, notify = block.splitlines()
    password = (secrets["grafana"] / "store-password").read_text(encoding="utf-8")
    labels, _ = counted(store, password)
    with example(wired) as post:
        answer = run(ask, wired, post, "")
        assert answer["queue"] == "billing"
        assert run(correct, wired, post, answer["handle"]) == {}
        eventually(
            lambda: post("/triage", {"text": "black screen"})["decision"] == "verify"
        )  # nothing was reviewed yet
        run(status, wired, post, "")
        run(switch, wired, post, "")
        served = eventually(lambda: _fallback(post("/triage", {"text": "black screen"})))
        run(notify, wired, post, "")
        release(wired)
        eventually(lambda: counted(store, password)[0] == labels + 1)

    assert served["queue"] == "account"  # by keyword: no word of money in it
    figures = bytes(alertmanager.ask("/metrics")).decode().splitlines()
    for state in ("firing", "resolved"):
        counter = f'alertmanager_alerts_received_total{{status="{state}",version="v2"'
        assert [float(each.rpartition(" ")[2]) for each in figures if each.startswith(counter)] == [1.0]


def test_the_example_says_what_it_expected(wired: Up) -> None:
    """Somebody writes their first service by it."""
    with example(wired) as post:
        for path, document, code in (("/triage", {"txt": ""}, 400), ("/outcomes", {}, 400), ("/other", {}, 404)):
            with pytest.raises(urllib.error.HTTPError) as refused:
                post(path, document)
            assert refused.value.code == code
            refused.value.close()


def _fallback(answer: dict[str, Any]) -> dict[str, Any] | None:
    return answer if answer["decision"] == "fallback" else None
