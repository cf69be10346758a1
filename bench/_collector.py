"""The whole collector in a process of its own, so that what it uses can be told from what its sender uses."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectorProcess:
    """A collector that answers questions about itself."""

    port: int
    process: "subprocess.Popen[str]"

    @classmethod
    @contextmanager
    def of(cls, folder: Path, url: str | None) -> Iterator[Self]:
        """Start one over a folder, storing in the embedded engine or in the server at a URL."""
        command = [sys.executable, __file__, str(folder), *([url] if url else [])]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            yield cls(port=_answer(process)["port"], process=process)

    @property
    def pid(self) -> int:
        """Its process."""
        return self.process.pid

    def stats(self) -> Any:
        """Ask how many spans are stored, how many requests wait, and how many loads failed."""
        return self._ask("stats")

    def count(self) -> Any:
        """Ask what the tables hold, and end it."""
        return self._ask("count")

    def _ask(self, question: str) -> Any:
        if self.process.stdin is None:
            raise ValueError("expected a process with a pipe to write to")
        self.process.stdin.write(question + "\n")
        self.process.stdin.flush()
        return _answer(self.process)


def _answer(process: "subprocess.Popen[str]") -> Any:
    if process.stdout is None:
        raise ValueError("expected a process with a pipe to read from")
    return json.loads(process.stdout.readline())


def serve(folder: Path, url: str | None) -> None:
    """Be the collector, until told to end; then say what the tables hold."""
    from datetime import UTC, datetime

    from tocsin_collector.collector import Collector
    from tocsin_collector.settings import CollectorSettings
    from tocsin_collector.store.database import Database, StoreAddress
    from tocsin_collector.store.migrate import migrate

    database = Database.open(StoreAddress(url=url) if url else StoreAddress(path=folder / "store"))
    migrate(database, now=datetime.now(UTC))
    collector = Collector(CollectorSettings(data_dir=folder, grpc_address="127.0.0.1:0"), database)
    collector.start()
    _say(port=collector.grpc_port)
    for line in sys.stdin:
        if line == "stats\n":
            stats = collector.stats()
            _say(stored=stats.stored_spans, waiting=stats.waiting_requests, errors=stats.load_errors)
        else:
            found = database.rows(
                "SELECT reinterpretAsUInt32(reverse(unhex(substring(SpanId, 9, 8)))) AS serial, count() AS spans,"
                " uniqExact(SpanId) AS different FROM otel_traces GROUP BY serial ORDER BY serial"
            )
            [calls] = database.rows(
                "SELECT (SELECT count() FROM ai_calls) AS calls, (SELECT sum(calls) FROM ai_calls_1h) AS summed"
            )
            _say(
                serials=[int(row["serial"]) for row in found],
                spans=[int(row["different"]) for row in found],
                rows=sum(int(row["spans"]) for row in found),
                unique=sum(int(row["different"]) for row in found),
                **calls,
            )
            break
    collector.stop()


def _say(**facts: object) -> None:
    print(json.dumps(facts), flush=True)


if __name__ == "__main__":
    serve(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else None)
