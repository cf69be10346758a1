"""A collector in a process of its own, as the process that started it sees it."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

_BENCH = Path(__file__).parents[1]
_PATIENCE_S = 120.0
_STILL = 10  # times as long by the clock
_ATTEMPTS = 300  # failed ones, between two that succeed
OWN_MOUNTS = (
    "unshare",
    "--user",
    "--map-root-user",
    "--mount",
)  # needs no privileges where user namespaces are allowed


@dataclass(slots=True, kw_only=True)
class Node:
    """The parent's side."""

    folder: Path
    settings: Mapping[str, Any] = field(default_factory=dict)
    url: str = ""  # of a server to store in, or hosts with commas and #CLUSTER; empty is the embedded engine
    build: Mapping[str, Any] = field(default_factory=dict)  # another tocsin: version, later, block_settings, waits
    sources: Sequence[Path] = ()  # where another version's packages are
    port: int = 0  # kept over restarts
    disk_mb: int = 0  # a filesystem of its own, of this size, that is gone when the process ends
    restart_s: list[float] = field(default_factory=list)
    process: "subprocess.Popen[str] | None" = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.process is not None:
            self.kill()

    def spawn(self) -> None:
        """Start the process, and do not wait for it to listen."""
        self.process = subprocess.Popen(
            [*self._own_disk(), sys.executable, "-m", "_faults.served", *self._arguments()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=(self.folder.parent / f"{self.folder.name}.log").open("a"),
            text=True,
            env=os.environ
            | {"PYTHONPATH": os.pathsep.join([*map(str, (*self.sources, _BENCH)), os.environ.get("PYTHONPATH", "")])},
        )

    def start(self) -> None:
        """Start the process; return once it listens."""
        began = time.monotonic()
        self.spawn()
        self.port = self._answer()["port"]
        self.restart_s.append(time.monotonic() - began)

    def kill(self) -> None:
        """End it as a power cut would: it gets no say."""
        running = self._running()
        running.kill()
        self._closed(running)

    def end(self) -> int:
        """Tell it to end, and return its exit code."""
        running = self._running()
        running.send_signal(signal.SIGTERM)
        running.wait(_PATIENCE_S)
        return self._closed(running)

    def ask(self, question: str, **facts: Any) -> Any:
        """Ask or tell the process something; see _faults.served."""
        stdin = self._running().stdin
        if stdin is None:
            raise ValueError("expected a process with a pipe to write to")
        stdin.write(json.dumps({"ask": question} | facts) + "\n")
        stdin.flush()
        return self._answer()

    def settled(self, patience_s: float = _PATIENCE_S) -> Any:
        """Wait until nothing waits to be loaded, and return the books.

        Patience is with what moves: it is in seconds of the processor that the collector used since it last loaded something,
        which other work on the machine does not shorten, and ends after so many failed attempts. The clock counts only for
        one that does nothing at all, or waits for a server.
        """
        least = float("inf")
        used_s = ends_at = errors = 0.0
        while (waiting := (stats := self.ask("stats"))["waiting_requests"]) > 0:
            if waiting < least:
                least, errors, used_s = waiting, stats["load_errors"], self.cpu_s()
                ends_at = time.monotonic() + (patience_s if self.url else _STILL * patience_s)
            if (
                self.cpu_s() - used_s > patience_s
                or stats["load_errors"] - errors > _ATTEMPTS
                or time.monotonic() > ends_at
            ):
                raise TimeoutError(f"expected something to be loaded by now, got {stats}")
            time.sleep(0.05)
        return stats

    def cpu_s(self) -> float:
        """Say how much of the processor it has used."""
        fields = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    @property
    def pid(self) -> int:
        """Its process."""
        return self._running().pid

    def _arguments(self) -> list[str]:
        settings = {"grpc_address": f"127.0.0.1:{self.port}", **self.settings}
        return [str(self.folder), self.url, json.dumps(settings), json.dumps(dict(self.build))]

    def _own_disk(self) -> list[str]:
        mount = f'mount -t tmpfs -o size={self.disk_mb}m tmpfs "$0" && exec "$@"'
        return [*OWN_MOUNTS, "sh", "-c", mount, str(self.folder)] if self.disk_mb else []

    def _running(self) -> "subprocess.Popen[str]":
        if self.process is None:
            raise ValueError("expected a running process, got none: start it first")
        return self.process

    def _closed(self, process: "subprocess.Popen[str]") -> int:
        code = process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(BrokenPipeError):
                    pipe.close()
        self.process = None
        return code

    def _answer(self) -> Any:
        process = self._running()
        line = process.stdout.readline() if process.stdout else ""
        if not line:
            log = (self.folder.parent / f"{self.folder.name}.log").read_text(errors="replace")
            raise ChildProcessError(f"expected an answer, got exit code {process.wait()}: {log[-2000:]}")
        return json.loads(line)


@contextmanager
def data_folder() -> Iterator[Path]:
    """Make a data folder, with room for logs beside it, and remove both."""
    with tempfile.TemporaryDirectory(prefix="tocsin-faults-") as name:
        data = Path(name) / "data"
        data.mkdir()
        yield data
