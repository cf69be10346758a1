"""The buffer on disk: what ended is in the kernel's hands, whatever becomes of its process."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import pytest

import tocsin

START = """
import os, signal, sys, threading
import tocsin
tocsin.init(endpoint=sys.argv[1], service_name="child", buffer_dir=sys.argv[2])

@tocsin.observe("triage")
def triage(number):
    tocsin.current_call().set_output(label=str(number))
"""


def start(code: str, endpoint: str, folder: Path) -> subprocess.Popen[str]:
    """Run a program that has started tocsin with a buffer."""
    return subprocess.Popen(
        [sys.executable, "-c", START + code, endpoint, str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def numbers(collector: Any) -> list[int]:
    """The calls that arrived, by number."""
    return sorted(int(attributes["tocsin.output.label"]) for attributes in collector.attributes())


def files(folder: Path) -> list[str]:
    """What lies in a buffer, but locks."""
    return sorted(path.name for path in folder.rglob("*.segment"))


NOWHERE = "http://127.0.0.1:1"


@pytest.mark.parametrize(
    "end",
    [
        "os._exit(0)",
        "os.kill(os.getpid(), signal.SIGKILL)",
        "child = os.fork()\nif child == 0:\n    triage(200)\n    os._exit(0)\nos.waitpid(child, 0)\nos._exit(0)",
        "threading.Thread(target=triage, args=(200,)).run()\nos.abort()",
    ],
    ids=["os._exit", "kill -9", "fork and os._exit", "abort"],
)
def test_a_process_that_dies_at_once_loses_no_span_that_ended(collector: Any, tmp_path: Path, end: str) -> None:
    """No thread gets another turn and no handler runs; the next process sends what there was."""
    start(f"for at in range(200): triage(at)\n{end}", NOWHERE, tmp_path).communicate(timeout=60)

    tocsin.init(endpoint=collector.endpoint, buffer_dir=str(tmp_path))

    assert tocsin.flush() is True
    assert numbers(collector) == list(range(201 if "200" in end else 200))
    assert tocsin.stats()["spans_recovered"] == len(collector.spans)
    assert files(tmp_path) == []
