"""A collector in a process of its own, that can be killed, and that breaks its disk, clock or loader when told to."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

_BENCH = Path(__file__).parents[1]
_PATIENCE_S = 120.0


@dataclass(slots=True, kw_only=True)
class Node:
    """The parent's side."""

    folder: Path
    settings: Mapping[str, Any] = field(default_factory=dict)
    url: str = ""  # of a server to store in; empty is the embedded engine
    port: int = 0  # kept over restarts
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
            [sys.executable, "-m", "_faults.node", str(self.folder), self.url, json.dumps(self._settings())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=(self.folder.parent / f"{self.folder.name}.log").open("a"),
            text=True,
            env=os.environ | {"PYTHONPATH": os.pathsep.join([str(_BENCH), os.environ.get("PYTHONPATH", "")])},
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
        """Ask or tell the process something; see :func:`main`."""
        stdin = self._running().stdin
        if stdin is None:
            raise ValueError("expected a process with a pipe to write to")
        stdin.write(json.dumps({"ask": question} | facts) + "\n")
        stdin.flush()
        return self._answer()

    def settled(self, patience_s: float = _PATIENCE_S) -> Any:
        """Wait until nothing waits to be loaded, and return the books."""
        deadline = time.monotonic() + patience_s
        while (stats := self.ask("stats"))["waiting_requests"] > 0:
            if time.monotonic() > deadline:
                raise TimeoutError(f"expected everything to be loaded within {patience_s:g} s, got {stats}")
            time.sleep(0.05)
        return stats

    @property
    def pid(self) -> int:
        """Its process."""
        return self._running().pid

    def _settings(self) -> dict[str, Any]:
        return {"grpc_address": f"127.0.0.1:{self.port}", **self.settings}

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


def main(folder: Path, url: str, settings: Mapping[str, Any]) -> None:
    """Be the collector, until told to end."""
    from datetime import UTC, datetime

    from _faults.breaking import BreakableDisk, JumpingClock, PausableStore
    from tocsin_collector.collector import Collector
    from tocsin_collector.database import Database, StoreAddress
    from tocsin_collector.migrate import migrate
    from tocsin_collector.settings import CollectorSettings

    def end(*_: object) -> None:
        store.resume()
        collector.stop()
        database.close()
        os._exit(0)

    address = StoreAddress(url=url) if url else StoreAddress(path=folder / "store")
    database = Database.open(address)
    migrate(database, now=datetime.now(UTC))
    disk, clock = BreakableDisk(), JumpingClock()
    store = PausableStore()
    chosen = CollectorSettings(data_dir=folder, http_address=None, **settings)
    collector = Collector(chosen, database, disk=disk, clock=clock, store=store)
    store.inner = collector._own_store()  # noqa: SLF001 - the store it would have taken itself
    collector.start()
    signal.signal(signal.SIGTERM, end)
    _say(port=collector.grpc_port)
    for line in sys.stdin:
        asked = json.loads(line)
        match asked["ask"]:
            case "stats":
                books = collector.stats()
                _say(**{name: getattr(books, name) for name in books.__slots__})
            case "rows":
                _say(rows=[{k: str(v) for k, v in row.items()} for row in database.rows(asked["sql"])])
            case "held":
                from _faults.proof import held

                _say(**held(database))
            case "disk":
                disk.mode = asked["mode"]
                _say(**disk.counters)
            case "clock":
                clock.offset_ns = asked["offset_ns"]
                mark = collector.watermark()
                _say(complete_to=str(mark.complete_to), data_complete_to=str(mark.data_complete_to))
            case "loader":
                (store.resume if asked["run"] else store.pause)()
                _say()


def _say(**facts: object) -> None:
    print(json.dumps(facts), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], json.loads(sys.argv[3]))
