"""A collector in a process of its own that listens over gRPC and HTTP, for faults that come in over the wire."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from _faults.node import Node

_BENCH = Path(__file__).parents[1]


@dataclass(slots=True, kw_only=True)
class Listening(Node):
    """The parent's side."""

    http_port: int = 0

    def spawn(self) -> None:
        """Start the process, and do not wait for it to listen."""
        self.http_port = self.http_port or _free_port()
        listen = {"grpc_address": f"127.0.0.1:{self.port}", "http_address": f"127.0.0.1:{self.http_port}"}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "_faults.listening", str(self.folder), json.dumps({**listen, **self.settings})],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log.open("a"),
            text=True,
            env=os.environ | {"PYTHONPATH": os.pathsep.join([str(_BENCH), os.environ.get("PYTHONPATH", "")])},
        )

    @property
    def log(self) -> Path:
        """What it wrote to its standard error."""
        return self.folder.parent / f"{self.folder.name}.log"

    @property
    def is_alive(self) -> bool:
        """Whether it still runs."""
        return self.process is not None and self.process.poll() is None

    def memory_mb(self, *, peak: bool = False) -> float:
        """Its resident memory, now or at its most."""
        name = "VmHWM:" if peak else "VmRSS:"
        lines = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(name)) / 1024

    def rows(self, sql: str) -> int:
        """Ask its tables for one number."""
        [row] = self.ask("rows", sql=sql)["rows"]
        return int(next(iter(row.values())))


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def main(folder: Path, settings: Mapping[str, Any]) -> None:
    """Be the collector, until told to end."""
    from datetime import UTC, datetime

    from tocsin_collector.collector import Collector
    from tocsin_collector.settings import CollectorSettings
    from tocsin_collector.store.database import Database, StoreAddress
    from tocsin_collector.store.migrate import migrate

    database = Database.open(StoreAddress(path=folder / "store"))
    migrate(database, now=datetime.now(UTC))
    collector = Collector(CollectorSettings(data_dir=folder, **settings), database)
    collector.start()
    signal.signal(signal.SIGTERM, lambda *_: (collector.stop(), database.close(), os._exit(0)))
    _say(port=collector.grpc_port)
    for line in sys.stdin:
        asked = json.loads(line)
        if asked["ask"] == "stats":
            books = collector.stats()
            _say(**{name: getattr(books, name) for name in books.__slots__})
        else:
            _say(rows=[{k: str(v) for k, v in row.items()} for row in database.rows(asked["sql"])])


def _say(**facts: object) -> None:
    print(json.dumps(facts), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), json.loads(sys.argv[2]))
