"""How many spans a second the whole collector takes and stores, what that costs, and whether any is lost.

    python bench/ingest.py --seconds 20 --json ingest.json

Three processes: this one only watches; a collector (gRPC, spool, loader, embedded engine, merges), whose CPU time and
memory are read from /proc; and a sender that replays requests serialised beforehand, over several connections, each
waiting for its acknowledgement before the next. A span is about 1 KB with 20 attributes, each a trace and an AI call of
its own. Stored means: can be queried. Every acknowledged span is then looked for in the tables by its id.
"""

import argparse
import json
import multiprocessing
import os
import random
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from _report import Figure, arguments, report

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
_MARK = 0xBE9C4A11  # begins every span id: bench, then connection, then counter


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What one sender says at its end."""

    acked: list[int]  # serial numbers of requests that were acknowledged
    latencies_ms: list[float]
    refused: int
    seconds: float


def main() -> None:
    """Run, print, write."""
    parser = arguments("Measure the collector: spans a second, CPU, memory, loss.")
    parser.add_argument("--seconds", type=float, default=20.0, help="how long to send")
    parser.add_argument("--streams", type=int, default=4, help="connections that send at the same time")
    parser.add_argument("--batch", type=int, default=512, help="spans a request")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(options.serve)
        return
    with tempfile.TemporaryDirectory(prefix="tocsin-bench-") as folder:
        report(
            f"ingest, {options.seconds:g} s, {options.streams} streams of {options.batch} spans",
            measure(Path(folder), options),
            options.json,
        )


def serve(folder: Path) -> None:
    """Be the collector, until told to end; then say what the tables hold."""
    from datetime import UTC, datetime

    from tocsin_collector.collector import Collector
    from tocsin_collector.database import Database, StoreAddress
    from tocsin_collector.migrate import migrate
    from tocsin_collector.settings import CollectorSettings

    database = Database.open(StoreAddress(path=folder / "store"))
    migrate(database, now=datetime.now(UTC))
    collector = Collector(CollectorSettings(data_dir=folder, grpc_address="127.0.0.1:0"), database)
    collector.start()
    _say(port=collector.grpc_port)
    for line in sys.stdin:
        if line == "stats\n":
            stats = collector.stats()
            _say(stored=stats.stored_spans, waiting=stats.waiting_requests, errors=stats.load_errors)
        else:
            sql = (
                "SELECT groupUniqArray(reinterpretAsUInt32(reverse(unhex(substring(SpanId, 9, 8))))) AS ids, count() AS n,"
                " uniqExact(SpanId) AS u FROM otel_traces"
            )
            [row] = database.rows(sql)
            [calls] = database.rows(
                "SELECT (SELECT count() FROM ai_calls) AS calls, (SELECT sum(calls) FROM ai_calls_1h) AS summed"
            )
            _say(serials=sorted(int(one) for one in row["ids"]), rows=row["n"], unique=row["u"], **calls)
            break
    collector.stop()


def measure(folder: Path, options: Any) -> list[Figure]:
    """Start the collector, send, wait until everything is stored, and look for what is missing."""
    requests = prepared(options.batch, options.seed)
    size = len(requests[0]) / options.batch
    with subprocess.Popen(
        [sys.executable, __file__, "--serve", str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        port = _heard(server)["port"]
        sent_queue: Any = multiprocessing.get_context("spawn").Queue()
        sender = multiprocessing.get_context("spawn").Process(
            target=send, args=(port, requests, options.streams, options.seconds, sent_queue)
        )
        peak = _Peak(server.pid)
        cpu_before, began = cpu_s(server.pid), time.monotonic()
        sender.start()
        sent: Sent = sent_queue.get()
        sender.join()
        stored_while_sending = _asked(server, "stats")["stored"]
        while (stats := _asked(server, "stats"))["waiting"]:
            time.sleep(0.05)
        took_s, cpu = time.monotonic() - began, cpu_s(server.pid) - cpu_before
        rss_mb = peak.stop()
        found = _asked(server, "count")
    acked = len(sent.acked) * options.batch
    latencies = sorted(sent.latencies_ms)
    missing = len(set(sent.acked) - set(found["serials"])) * options.batch
    print(
        f"  {size:.0f} bytes a span; {acked:,} spans acked in {sent.seconds:.1f} s ({sent.refused} requests refused), all "
        f"stored after {took_s:.1f} s, {stored_while_sending:,} of them while sending; {stats['errors']} load errors"
    )
    rows_wrong = (
        found["rows"] - found["unique"] + abs(found["rows"] - found["calls"]) + abs(found["rows"] - found["summed"])
    )
    return [
        Figure(name="acked_spans_per_s", value=acked / sent.seconds, unit="spans/s"),
        Figure(name="stored_spans_per_s", value=acked / took_s, unit="spans/s", goal=">= 60000"),
        Figure(name="system_cpu_s_per_million", value=cpu / acked * 1e6, unit="CPU s", goal="<= 16"),
        Figure(name="ack_p50_ms", value=_quantile(latencies, 0.5), unit="ms"),
        Figure(name="ack_p99_ms", value=_quantile(latencies, 0.99), unit="ms", goal="<= 100"),
        Figure(name="rss_mb", value=rss_mb, unit="MB", goal="<= 1000"),
        Figure(name="acked_missing", value=missing, unit="spans", goal="== 0"),
        Figure(name="duplicates", value=rows_wrong, unit="rows", goal="== 0"),
    ]


def prepared(batch: int, seed: int, kinds: int = 16) -> list[bytes]:
    """Serialise a few requests whose span ids can be rewritten in place: the sender must cost little."""
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
    from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

    dice = random.Random(seed)
    start_ns = time.time_ns()
    made = []
    for kind in range(kinds):
        request = ExportTraceServiceRequest()
        resource_spans = request.resource_spans.add()
        resource_spans.resource.attributes.append(KeyValue(key="service.name", value=AnyValue(string_value="bench")))
        spans = resource_spans.scope_spans.add().spans
        for index in range(batch):
            text = {
                "tocsin.use_case": "digit-reader",
                "tocsin.model.version": "v1",
                "tocsin.output.label": str(index % 10),
                "tocsin.input.device": dice.choice("ABC"),
                "tocsin.cost.currency": "USD",
                "tocsin.output.text": f"{dice.getrandbits(1500):x}",
            }
            number = {f"tocsin.input.f{n:02}": dice.gauss(0, 1) for n in range(12)}
            number |= {"tocsin.confidence": dice.random(), "tocsin.cost.amount": 0.0012}
            attributes = [KeyValue(key=k, value=AnyValue(string_value=v)) for k, v in text.items()]
            attributes += [KeyValue(key=k, value=AnyValue(double_value=v)) for k, v in number.items()]
            spans.add(
                trace_id=struct.pack(">IIII", dice.getrandbits(32), kind, index, dice.getrandbits(32)),
                span_id=struct.pack(">II", _MARK + index, 0),
                name="predict",
                kind=1,
                start_time_unix_nano=start_ns + index * 1_000_000,
                end_time_unix_nano=start_ns + index * 1_000_000 + 5_000_000,
                attributes=attributes,
            )
        made.append(request.SerializeToString())
    return made


def send(port: int, requests: Sequence[bytes], streams: int, seconds: float, answer: Any) -> None:
    """Be the sender: every stream sends as fast as it is acknowledged."""
    import grpc

    acked: list[int] = []
    latencies: list[float] = []
    refused = [0]
    began = time.monotonic()

    def stream(number: int) -> None:
        templates = [_Template(request) for request in requests]
        channel = grpc.insecure_channel(
            f"127.0.0.1:{port}", options=[("grpc.use_local_subchannel_pool", 1), ("grpc.max_send_message_length", -1)]
        )
        export = channel.unary_unary(_EXPORT)
        turn = 0
        while time.monotonic() - began < seconds:
            serial = number * 10_000_000 + turn
            body = templates[turn % len(templates)].numbered(serial)
            turn += 1
            sent_at = time.perf_counter()
            try:
                export(body, timeout=30)
            except grpc.RpcError:
                refused[0] += 1
                time.sleep(0.2)
                continue
            latencies.append((time.perf_counter() - sent_at) * 1000)
            acked.append(serial)
        channel.close()

    threads = [threading.Thread(target=stream, args=(number,)) for number in range(streams)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    answer.put(Sent(acked=acked, latencies_ms=latencies, refused=refused[0], seconds=time.monotonic() - began))


class _Template:
    """A serialised request in which the last four bytes of every span id are the request's serial number."""

    def __init__(self, request: bytes) -> None:
        pieces = []
        position = 0
        index = 0
        while (found := request.find(struct.pack(">I", _MARK + index) + b"\0\0\0\0", position)) >= 0:
            pieces.append(request[position : found + 4])
            position = found + 8
            index += 1
        self._pieces = pieces
        self._tail = request[position:]

    def numbered(self, serial: int) -> bytes:
        """Give the request with its own ids; its trace ids repeat, which costs the store nothing."""
        return struct.pack(">I", serial).join([*self._pieces, self._tail])


class _Peak:
    """The largest resident memory of a process, looked at ten times a second."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._peak_mb = 0.0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> float:
        """Stop looking, and say what was the largest."""
        self._ended.set()
        self._thread.join()
        return self._peak_mb

    def _watch(self) -> None:
        while not self._ended.wait(0.1):
            pages = int(Path(f"/proc/{self._pid}/statm").read_text(encoding="ascii").split()[1])
            self._peak_mb = max(self._peak_mb, pages * _PAGE / 1e6)


def cpu_s(pid: int) -> float:
    """Read the CPU seconds that a process has used, in user and kernel."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S


def _quantile(ordered: Sequence[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


def _say(**facts: object) -> None:
    print(json.dumps(facts), flush=True)


def _heard(server: "subprocess.Popen[str]") -> Any:
    if server.stdout is None:
        raise ValueError("expected a server with a pipe to read from")
    return json.loads(server.stdout.readline())


def _asked(server: "subprocess.Popen[str]", question: str) -> Any:
    if server.stdin is None:
        raise ValueError("expected a server with a pipe to write to")
    server.stdin.write(question + "\n")
    server.stdin.flush()
    return _heard(server)


if __name__ == "__main__":
    main()
