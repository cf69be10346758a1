"""docs/fits/openfeature.md: its two programs read a guard of tocsin's with OpenFeature's own packages."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.alerts.guard.test_guard_server import make_row
from tests.docs.fences import commands, fences
from tests.npm import installed

from tocsin_alerts.guard_server import GuardServer

PAGE = "fits/openfeature.md"
NODE = Path(__file__).resolve().parents[1] / "alerts" / "guard" / "node"
SAID = "fallback accuracy-below-floor: upper 0.896 < floor 0.9\n"


@pytest.fixture
def port() -> Iterator[int]:
    """Where the guard of one use case, tripped, is served."""
    server = GuardServer("127.0.0.1:0")
    server.start()
    server.publish([make_row(use_case="ticket-triage")], {"ticket-triage": "2026-04-17T00:00:00+00:00"})
    yield server.port
    server.stop()


def written(folder: Path, language: str, port: int) -> Path:
    """Put the page's program into a folder, with this test's port."""
    [text] = fences(PAGE, language, tested_by=__file__)
    assert "8015" in text
    file = folder / text.split()[1]
    file.write_text(text.replace("8015", str(port)))
    return file


def says(command: list[str | Path], **environment: str) -> str:
    """Run it, with patience for a busy machine."""
    known = {**os.environ, "FLAGD_DEADLINE_MS": "20000", **environment}
    done = subprocess.run(command, env=known, capture_output=True, text=True, timeout=90, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_program_of_python_reads_the_guard(port: int, tmp_path: Path) -> None:
    """And what the page installs is what it imports."""
    said = says([sys.executable, written(tmp_path, "python", port)])

    assert said == SAID
    assert ["pip", "install", "openfeature-sdk", "openfeature-provider-flagd"] in commands(PAGE, tested_by=__file__)


def test_the_program_of_node_reads_the_guard(port: int, tmp_path: Path) -> None:
    """With the packages that the page installs, at the versions of the guard's own tests."""
    modules = installed(NODE, name="openfeature", proof="@openfeature/flagd-provider", what="OpenFeature of Node")
    asked = next(words for words in commands(PAGE, tested_by=__file__) if words[0] == "npm")

    said = says(["node", written(tmp_path, "js", port)], NODE_PATH=str(modules / "node_modules"))

    assert said == SAID
    assert set(asked[2:]) == set(re.findall(r'"(@[^"]+)":', (NODE / "package.json").read_text()))
