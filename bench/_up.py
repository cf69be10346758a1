"""A `tocsin up` in a process of its own, on ports that it picks."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

_PORTS = [word for one in ("grpc", "http", "api", "guard", "clickhouse-http") for word in (f"--{one}", "127.0.0.1:0")]


class Up(NamedTuple):
    """What it says of itself."""

    facts: dict[str, Any]  # its addresses
    pid: int


@contextmanager
def up(folder: Path, *options: str) -> Iterator[Up]:
    """Run one over a folder's tocsin.yaml, use cases and data; ended by SIGTERM."""
    command = [sys.executable, "-m", "tocsin_console", "up", "--json", "--data-dir", "data", *_PORTS, *options]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=log, text=True)
    try:
        yield Up(json.loads(_document(process)), process.pid)
    finally:
        process.terminate()
        process.wait(60)
        if process.stdout:
            process.stdout.close()


def _document(process: "subprocess.Popen[str]") -> str:
    said = ""
    for line in process.stdout or ():
        said += line
        if line == "}\n":
            break
    return said
