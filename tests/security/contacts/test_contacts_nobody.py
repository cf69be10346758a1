"""tocsin contacts nothing that you did not configure: the kernel saw to whom it spoke while everything of it was used.

`tocsin demo` is watched in the same way by bench/release.py. The parts apart over a server are those of up, and not watched by themselves.
"""

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import typer
from tests.security.contacts import audit, verbs

from tocsin_console.cli.app import build

HERE = Path(__file__).parent
ROOT = HERE.parents[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """What was done, and to whom anybody spoke meanwhile."""

    told: Mapping[str, Any]
    contacts: set[audit.Contact]


def surroundings(home: Path) -> dict[str, str]:
    """A user who has set nothing, of an empty home."""
    home.mkdir(parents=True, exist_ok=True)
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'bench'}",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Used:
    """Use everything once, watched."""
    if reason := audit.missing():
        pytest.skip(f"{reason}: to whom tocsin speaks was not watched")
    folder = tmp_path_factory.mktemp("used")
    log = folder / "contacts.log"
    (folder / "here").mkdir()

    done = audit.audited(
        [sys.executable, HERE / "everything.py", folder / "here"],
        log=log,
        environment=surroundings(folder / "home"),
        cwd=folder / "here",
    )

    assert done.returncode == 0, done.stderr[-3000:]
    return Used(told=json.loads(done.stdout), contacts=audit.contacts(log))


def test_nobody_is_spoken_to_who_was_not_configured(used: Used) -> None:
    """No telemetry, no update check, no price list, no fonts, no crash reports, no look-up of a name: SDK, up and every verb."""
    configured = used.told["ports"]

    assert {contact for contact in used.contacts if not contact.is_of(frozenset(configured.values()))} == set()
    asked = {name for name, port in configured.items() if any(contact.port == port for contact in used.contacts)}
    assert asked >= {"receiver", "provider", "grpc", "api", "guard"}


def test_everything_was_used(used: Used) -> None:
    """An audit of a process that did nothing proves nothing: a page was sent, every verb worked, every kind of page was read."""
    refused = {words for words, (code, _) in used.told["verbs"].items() if code not in {0, 1}}

    assert set(used.told["posts"]) >= {"/hook", "/chat", "/alive"}
    assert {words for words in refused if not words.startswith(verbs.REFUSED)} == set(), used.told["verbs"]
    kinds = {url.strip("/").split("/")[0].split("?")[0] for url in used.told["fetched"]}
    assert kinds >= {
        "",
        "use-cases",
        "alerts",
        "rules",
        "guard",
        "system",
        "readiness",
        "report",
        "review",
        "cost",
        "calls",
        "sql",
        "static",
    }


def test_every_verb_is_among_those_used() -> None:
    """A verb that is added is watched, or its reason stands beside those that are not."""
    root = typer.main.get_command(build())

    found = {" ".join(words) for words in _leaves(root, ())}

    assert found - verbs.names() - set(verbs.ELSEWHERE) == set()


def _leaves(command: Any, words: tuple[str, ...]) -> list[tuple[str, ...]]:
    below = getattr(command, "commands", None)
    if below is None:
        return [words]
    return [leaf for name, each in below.items() for leaf in _leaves(each, (*words, name))]


def test_pages_make_a_browser_ask_nobody_else(used: Used) -> None:
    """Whoever looks at an incident tells no font server, and a page that tried would be stopped by its own policy."""
    assert used.told["elsewhere"] == []
    assert used.told["unguarded"] == []


TEETH = {
    "a connection": "socket.create_connection(('192.0.2.1', 443), 2)",
    "a connection over IPv6": "socket.create_connection(('2001:db8::1', 443), 2)",
    "a datagram": "socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('198.51.100.7', 8125))",
    "a message": "socket.socket(type=socket.SOCK_DGRAM).sendmsg([b'x'], [], 0, ('203.0.113.9', 514))",
    "another port of this machine": "socket.create_connection(('127.0.0.1', 9), 2)",
    "a socket of this machine": "socket.socket(socket.AF_UNIX).connect('/run/systemd/resolve/io.systemd.Resolve')",
    "a process that it started": "subprocess.run([sys.executable, '-c', 'import socket; socket.create_connection((\"192.0.2.1\", 80), 2)'], check=True)",
    "a thread of gRPC": "grpc.channel_ready_future(grpc.insecure_channel('192.0.2.1:4317')).result(5)",
    "the engine": "chdb.query(\"SELECT * FROM url('http://192.0.2.1/x', 'CSV', 'a String')\")",
}


@pytest.mark.parametrize("kind", TEETH)
def test_who_does_speak_to_somebody_else_is_caught(tmp_path: Path, kind: str) -> None:
    """The same audit, of a process that does what must not be: Python, its children, gRPC's threads and ClickHouse's."""
    if reason := audit.missing():
        pytest.skip(f"{reason}: the audit was not tried")
    heavy = {"a thread of gRPC": "import grpc\n", "the engine": "import chdb\n"}.get(kind, "")
    code = (
        f"import contextlib, socket, subprocess, sys\n{heavy}with contextlib.suppress(Exception):\n    {TEETH[kind]}\n"
    )
    log = tmp_path / "contacts.log"

    done = audit.audited(
        [sys.executable, "-c", code], log=log, environment=surroundings(tmp_path / "home"), cwd=tmp_path
    )

    assert done.returncode == 0, done.stderr
    assert [contact for contact in audit.contacts(log) if not contact.is_of(frozenset({4317}))] != []


def test_a_process_that_asks_for_loopback_alone_is_not_caught(tmp_path: Path) -> None:
    """An audit that cries at everything would be switched off."""
    if reason := audit.missing():
        pytest.skip(f"{reason}: the audit was not tried")
    code = (
        "import socket\n"
        "server = socket.create_server(('127.0.0.1', 0))\n"
        "port = server.getsockname()[1]\n"
        "socket.create_connection(('localhost', port)).sendall(b'x')\n"
        "print(port)\n"
    )
    log = tmp_path / "contacts.log"

    done = audit.audited(
        [sys.executable, "-c", code], log=log, environment=surroundings(tmp_path / "home"), cwd=tmp_path
    )

    assert [contact for contact in audit.contacts(log) if not contact.is_of(frozenset({int(done.stdout)}))] == []
