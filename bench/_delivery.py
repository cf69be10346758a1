"""Spans lost when things go wrong: ended minus received, each span numbered, against a receiver in a process of its own.

    python bench/_delivery.py [--json FILE] [--seconds OUTAGE]

The receiver knows a request that it is sent again by its digest, as tocsin's collector does.
"""

import contextlib
import hashlib
import os
import random
import signal
import statistics
import string
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent import futures
from pathlib import Path
from typing import Any

from _observing import observed_call
from _report import Figure, arguments, report

BURST = 20_000
QUEUE = 65_536
INPUTS = {"ink": 0.31, "width": 14.0, "height": 20.0, "slant": -0.2, "device": "scanner-3"}
_OUTAGE_S = 60.0
_RESTART_S = 7.0  # during the outage the service is killed this often
_CHILDREN = 50


def main() -> None:
    """Take every figure, print them, write them; or play a part in one."""
    parser = arguments("Spans lost when things go wrong.")
    parser.add_argument("--seconds", type=float, default=_OUTAGE_S, help="length of the outage (60)")
    parser.add_argument("part", nargs="*", help="of this script's own processes")
    asked = parser.parse_args()
    if asked.part:
        _PARTS[asked.part[0]](*asked.part[1:])
        return
    report("What tocsin loses", figures(asked.seconds), asked.json)


def figures(outage_s: float) -> list[Figure]:
    """Take every figure of delivery."""
    outage_lost, outage_doubled = outage(outage_s)
    p50_us, p99_us = buffered_call_us()
    return [
        lost("burst_lost", burst()),
        lost("sigterm_lost", sigterm()),
        lost("outage_lost", outage_lost),
        lost("outage_doubled", outage_doubled),
        lost("fork_exit_lost", fork_exit()),
        lost("kill_lost", kill()),
        Figure(name="buffered_call_p50_us", value=round(p50_us, 2), unit="µs"),
        Figure(name="buffered_call_p99_us", value=round(p99_us, 2), unit="µs"),
    ]


def lost(name: str, spans: int) -> Figure:
    """Make a figure of something that may not be lost."""
    return Figure(name=name, value=float(spans), unit="spans", goal="== 0")


def burst() -> int:
    """End twenty thousand spans as fast as possible, flush, and count what is missing."""
    with receiver() as (endpoint, received):
        run("burst", endpoint, str(BURST)).wait()
        return BURST - len(received().first)


def sigterm() -> int:
    """Fill the queue, kill the process with SIGTERM at once, and count what is missing."""
    with receiver() as (endpoint, received):
        child = run("burst", endpoint, str(QUEUE), "wait")
        said(child)
        child.send_signal(signal.SIGTERM)
        child.wait()
        return QUEUE - len(received().first)


def outage(outage_s: float) -> tuple[int, int]:
    """Take the receiver away; have a service with a buffer work on, killed and restarted meanwhile; count once it is back."""
    with tempfile.TemporaryDirectory() as folder:
        with receiver() as (endpoint, _):
            port = endpoint.rpartition(":")[2]
        began = time.monotonic()
        ended: list[str] = []
        while (left_s := outage_s - (time.monotonic() - began)) > 0:
            ended += killed_service(endpoint, folder, min(_RESTART_S, left_s))
        with receiver(port) as (_, received):
            run("send", endpoint, folder).wait()
            arrived = received()
        return len(set(ended) - arrived.first), arrived.doubled


def kill() -> int:
    """Kill a service that ends calls with SIGKILL, several times, and count what is missing of what had ended."""
    with tempfile.TemporaryDirectory() as folder, receiver() as (endpoint, received):
        ended = [number for _ in range(5) for number in killed_service(endpoint, folder, 0.5)]
        run("send", endpoint, folder).wait()
        return len(set(ended) - received().first)


def fork_exit() -> int:
    """Fork children that end calls and leave by ``os._exit``; their parent sends for them."""
    with tempfile.TemporaryDirectory() as folder, receiver() as (endpoint, received):
        run("fork", endpoint, folder).wait()
        return _CHILDREN * 100 - len(received().first)


def killed_service(endpoint: str, folder: str, seconds: float) -> list[str]:
    """Run a service with a buffer for so long, kill it, and say which calls had ended by then."""
    child = run("serve", endpoint, folder)
    assert child.stdout is not None  # noqa: S101 - for the type checker
    timer = threading.Timer(seconds, child.kill)
    timer.start()
    numbers = [line.strip() for line in child.stdout if line.endswith("\n")]
    child.wait()
    timer.cancel()
    return numbers


def buffered_call_us() -> tuple[float, float]:
    """Time calls of 10 input fields, label, confidence and cost on the caller's thread, each written before it returns."""
    with tempfile.TemporaryDirectory() as folder, receiver() as (endpoint, _):
        child = run("time", endpoint, folder)
        p50_us, p99_us = said(child).split()
        child.wait()
        return float(p50_us), float(p99_us)


# The parts: what runs in processes of its own.


def part_burst(endpoint: str, count: str, then: str = "flush") -> None:
    """End calls in a row; then flush, or wait to be killed."""
    tocsin = started(endpoint)
    number = numbered(tocsin)
    for at in range(int(count)):
        number(str(at))
    if then == "wait":
        print("done", flush=True)
        signal.pause()
    tocsin.flush(60)


def part_serve(endpoint: str, folder: str) -> None:
    """End calls, each told to the parent once it has ended, until somebody kills this."""
    number = numbered(started(endpoint, buffer_dir=folder))
    own = "".join(random.choices(string.ascii_lowercase, k=8))  # digits might be redacted as a card's
    at = 0
    while True:
        number(f"{own}-{at}")
        os.write(1, f"{own}-{at}\n".encode())
        at += 1
        time.sleep(0.002)


def part_fork(endpoint: str, folder: str) -> None:
    """Fork children that end calls and leave at once."""
    tocsin = started(endpoint, buffer_dir=folder)
    number = numbered(tocsin)
    for child in range(_CHILDREN):
        if os.fork() == 0:
            for at in range(100):
                number(f"{child}-{at}")
            os._exit(0)
    for _ in range(_CHILDREN):
        os.wait()
    tocsin.flush(60)


def part_send(endpoint: str, folder: str) -> None:
    """Send what others left."""
    started(endpoint, buffer_dir=folder).flush(120)


def part_time(endpoint: str, folder: str) -> None:
    """Time single calls, with pauses in which the thread that sends catches up."""
    tocsin = started(endpoint, buffer_dir=folder)
    observed = observed_call()
    taken_us = []
    for _ in range(60):
        for _ in range(50):
            begun = time.perf_counter_ns()
            observed()
            taken_us.append((time.perf_counter_ns() - begun) / 1e3)
        time.sleep(0.05)
    print(statistics.median(taken_us), statistics.quantiles(taken_us, n=100)[98], flush=True)
    tocsin.flush(60)


def started(endpoint: str, **more: Any) -> Any:
    """Start tocsin."""
    import tocsin

    tocsin.init(endpoint=endpoint, service_name="bench", **more)
    return tocsin


def numbered(tocsin: Any) -> Callable[[str], None]:
    """Make a call that carries its number."""

    @tocsin.observe("digit-reader")
    def call(number: str) -> None:
        now = tocsin.current_call()
        now.set_inputs(INPUTS)
        now.set_output(label=number)

    made: Callable[[str], None] = call
    return made


def run(*part: str) -> subprocess.Popen[str]:
    """Run a part of this script."""
    return subprocess.Popen(
        [sys.executable, __file__, *part], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )


def said(child: subprocess.Popen[str]) -> str:
    """Wait for a line of a part's."""
    assert child.stdout is not None  # noqa: S101 - for the type checker
    return child.stdout.readline().strip()


class Arrived:
    """What a receiver got."""

    def __init__(self, lines: list[str]) -> None:
        self.first = set(lines)
        self.doubled = len(lines) - len(self.first)


@contextlib.contextmanager
def receiver(port: str = "0") -> Iterator[tuple[str, Callable[[], Arrived]]]:
    """Run an OTLP server in a process of its own; yields its endpoint and a function that ends it and says what arrived."""
    with tempfile.TemporaryDirectory() as folder:
        arrived = Path(folder) / "arrived"
        child = subprocess.Popen(
            [sys.executable, __file__, "receive", port, str(arrived)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

        def received() -> Arrived:
            child.communicate()
            return Arrived(arrived.read_text(encoding="utf-8").splitlines())

        try:
            yield f"http://127.0.0.1:{said(child)}", received
        finally:
            if child.poll() is None:
                child.communicate()


def part_receive(port: str, file: str) -> None:
    """Take OTLP requests until standard input closes; print the port first, write every call's number last."""
    import grpc
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    requests: dict[bytes, bytes] = {}

    def export(request: bytes, _context: Any) -> bytes:
        requests.setdefault(hashlib.sha256(request).digest(), request)
        return b""

    handler = grpc.unary_unary_rpc_method_handler(export)  # raw bytes: reading them can wait
    service = "opentelemetry.proto.collector.trace.v1.TraceService"
    server = grpc.server(futures.ThreadPoolExecutor(1), options=[("grpc.max_receive_message_length", -1)])
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, {"Export": handler}),))
    print(server.add_insecure_port(f"127.0.0.1:{port}"), flush=True)
    server.start()
    sys.stdin.read()
    server.stop(5).wait()
    numbers = [
        attribute.value.string_value
        for request in requests.values()
        for resource in ExportTraceServiceRequest.FromString(request).resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
        for attribute in span.attributes
        if attribute.key == "tocsin.output.label"
    ]
    Path(file).write_text("\n".join(numbers), encoding="utf-8")


_PARTS: dict[str, Callable[..., None]] = {
    "burst": part_burst,
    "serve": part_serve,
    "fork": part_fork,
    "send": part_send,
    "time": part_time,
    "receive": part_receive,
}

if __name__ == "__main__":
    main()
