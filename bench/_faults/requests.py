"""Requests that nobody should send, and more of them than can be taken."""

import gzip
import socket
import threading
import time
from collections import Counter
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from _faults.contract import Fault, FaultResult, Scale
from _faults.direct import Direct
from _faults.listening import Listening
from _faults.node import data_folder
from _faults.sender import Requests, connect
from _faults.wire import Answer, Mutations, Wire, bombs

_HEAD = b"POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-protobuf\r\ncontent-length: 100000\r\n\r\n"


def mutated_requests(scale: Scale, seed: int) -> FaultResult:
    """Mutated requests: most straight into the intake, a share through both servers and into the tables."""
    direct_count, wired_count = scale.pick(full=(980_000, 20_000), short=(1_000, 120))
    mutations = Mutations(seed)
    direct = Direct()
    for turn in range(direct_count):
        direct.take(*(mutations.json() if turn % 4 == 3 else mutations.protobuf()), as_json=turn % 4 == 3)
    codes: Counter[str] = Counter()
    slowest_s = 0.0
    with data_folder() as folder, Listening(folder=folder) as node:
        wire = Wire(node.port, node.http_port)
        for turn in range(wired_count):
            began = time.monotonic()
            answer = _wired(wire, mutations, turn)
            slowest_s = max(slowest_s, time.monotonic() - began)
            codes["broken" if not (answer.is_taken or answer.is_final) else answer.code] += 1
        wire.close()
        books = _Books.of(node)
        crashes = direct.crashes + codes["broken"] + (not node.is_alive) + ("Traceback" in node.log.read_text())
    return FaultResult(
        missing=books.missing,
        duplicates=books.duplicates,
        crashes=crashes,
        counters={
            "requests": direct_count + wired_count,
            "taken": direct.taken + codes["200"] + codes["OK"],
            "refused": direct.refused + wired_count - codes["200"] - codes["OK"] - codes["broken"],
            "dead_lettered": books.dead_lettered,
            "slowest_direct_s": direct.slowest_s,
            "slowest_wired_s": slowest_s,
            "ledger_off": books.off,
        },
        goals={"ledger_off": "== 0"}
        | scale.pick(full={"slowest_direct_s": "<= 1", "slowest_wired_s": "<= 1"}, short={}),
    )


def _wired(wire: Wire, mutations: Mutations, turn: int) -> Answer:
    match turn % 4:
        case 0:
            return wire.over_grpc(*mutations.protobuf())
        case 1:
            return wire.over_http(*mutations.protobuf())
        case 2:
            return wire.over_http(*mutations.json(), "json")
        case _:
            signal, body = mutations.protobuf()
            return wire.over_http(signal, gzip.compress(body, 1), encoding="gzip")


def bomb_requests(scale: Scale, seed: int) -> FaultResult:
    """60 small requests that are large inside; an honest sender is served all the while.

    Of each, how long its answer took, and how much of the processor the collector used meanwhile, for whomever: on a machine
    with other work only the second says what the bomb costs.
    """
    requests = Requests(batch=10, seed=seed)
    sent: dict[str, float] = {}
    used: dict[str, float] = {}
    codes: Counter[str] = Counter()
    with data_folder() as folder, Listening(folder=folder) as node:
        wire = Wire(node.port, node.http_port)
        honest = _Honest(node, requests)
        before_mb = node.memory_mb()
        for bomb in bombs(scale.pick(full=63, short=1)):
            began, used_s = time.monotonic(), node.cpu_s()
            answer = bomb.send(wire)
            sent[bomb.name], used[bomb.name] = time.monotonic() - began, node.cpu_s() - used_s
            codes["broken" if not (answer.is_taken or answer.is_final or answer.is_asked_again) else answer.code] += 1
        honest.end()
        wire.close()
        grown_mb = node.memory_mb(peak=True) - before_mb
        books = _Books.of(node)
        crashes = codes["broken"] + (not node.is_alive) + ("Traceback" in node.log.read_text())
    slowest, dearest = (max(each, key=lambda name, each=each: each[name]) for each in (sent, used))
    for name in sorted(sent, key=lambda name: -sent[name])[:5]:
        print(f"  {sent[name]:.2f} s, {used[name]:.2f} s of CPU: {name}", flush=True)
    print(f"  dearest: {dearest}, {used[dearest]:.2f} s of CPU; {dict(codes)}", flush=True)
    return FaultResult(
        missing=books.missing + honest.unserved,
        duplicates=books.duplicates,
        crashes=crashes,
        counters={
            "sent": len(sent),
            "slowest_s": sent[slowest],
            "slowest_cpu_s": used[dearest],
            "honest_requests": honest.served,
            "honest_slowest_s": honest.slowest_s,
            "rss_grown_mb": grown_mb,
            "ledger_off": books.off,
        },
        goals={"sent": ">= 60", "ledger_off": "== 0"}
        | scale.pick(full={"slowest_s": "<= 1", "slowest_cpu_s": "<= 1"}, short={}),
    )


def connections(scale: Scale, seed: int) -> FaultResult:
    """Idle and slow connections in their hundreds, half to each server, and an honest sender between them."""
    idle, slow, seconds = scale.pick(full=(1_000, 200, 60.0), short=(100, 20, 2.0))
    requests = Requests(batch=10, seed=seed)
    with data_folder() as folder, Listening(folder=folder) as node:
        ports = (node.http_port, node.port)
        held = [socket.create_connection(("127.0.0.1", ports[turn % 2])) for turn in range(idle)]
        dripping = [socket.create_connection(("127.0.0.1", node.http_port)) for _ in range(slow)]
        honest = _Honest(node, requests)
        until, drop = time.monotonic() + seconds, 0
        while time.monotonic() < until:
            for number, each in enumerate(dripping):  # some never end their head, others never their body
                piece = _HEAD[drop : drop + 1] if number % 2 else (_HEAD if drop == 0 else b"\n")
                try:
                    each.sendall(piece or b"\n")
                except OSError:  # let go, as it should be
                    dripping[number] = socket.create_connection(("127.0.0.1", node.http_port))
            drop += 1
            time.sleep(0.1)
        honest.end()
        for each in (*held, *dripping):
            each.close()
        rss_mb = node.memory_mb(peak=True)
        books = _Books.of(node)
        crashes = int(not node.is_alive) + ("Traceback" in node.log.read_text())
    return FaultResult(
        missing=books.missing + honest.unserved,
        duplicates=books.duplicates,
        crashes=crashes,
        counters={
            "idle": idle,
            "slow": slow,
            "honest_requests": honest.served,
            "honest_slowest_s": honest.slowest_s,
            "rss_max_mb": rss_mb,
            "ledger_off": books.off,
        },
        goals={"honest_requests": ">= 1", "ledger_off": "== 0"},
    )


def overload(scale: Scale, seed: int) -> FaultResult:
    """Ten times as many requests under way as there is room for: each is taken, or refused with a time to come again."""
    seconds, batch, room_mb = scale.pick(full=(180.0, 500, 16), short=(3.0, 100, 1))
    requests = Requests(batch=batch, seed=seed)
    settings = {
        "max_bytes_in_flight": room_mb << 20,
        "spool_max_bytes": (room_mb << 20) * 16,
        "segment_max_bytes": room_mb << 20,
    }
    under_way = 10 * (room_mb << 20) // (batch * 1_000)
    codes: Counter[str] = Counter()
    lock = threading.Lock()
    serials = iter(range(1 << 31))
    ended = threading.Event()
    rss_mb: list[float] = []

    def flood(port: int) -> None:
        channel, export = connect(port)
        while not ended.is_set():
            with lock:
                body = requests.numbered(next(serials))
            waiting = export.future(body, timeout=120)
            error: Any = waiting.exception()
            with lock:
                codes["OK" if error is None else error.code().name] += 1
        channel.close()

    with data_folder() as folder, Listening(folder=folder, settings=settings) as node:
        threads = [threading.Thread(target=flood, args=(node.port,), daemon=True) for _ in range(min(under_way, 320))]
        for thread in threads:
            thread.start()
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            rss_mb.append(node.memory_mb())
            time.sleep(0.25)
        ended.set()
        for thread in threads:
            thread.join()
        books = _Books.of(node)
        alive = node.is_alive
    print(f"  {dict(codes)}", flush=True)
    sent = sum(codes.values())
    unanswered = sent - codes["OK"] - codes["RESOURCE_EXHAUSTED"]
    half = len(rss_mb) // 2
    return FaultResult(
        missing=max(0, codes["OK"] * batch - books.rows) + unanswered * batch,
        duplicates=books.duplicates + max(0, books.rows - codes["OK"] * batch),
        crashes=int(not alive),
        counters={
            "under_way": len(threads),
            "sent": sent,
            "accepted": codes["OK"],
            "refused": codes["RESOURCE_EXHAUSTED"],
            "unanswered": unanswered,
            "received_off": abs(sent - books.received_requests),
            "rss_max_mb": max(rss_mb),
            "rss_second_half_grown_mb": max(rss_mb[half:]) - max(rss_mb[: half or 1]),
            "ledger_off": books.off,
        },
        goals={"received_off": "== 0", "ledger_off": "== 0", "unanswered": "== 0"}
        | scale.pick(full={"rss_max_mb": "<= 1024", "refused": ">= 1"}, short={}),
    )


class _Honest:
    """A sender over both transports that must be served all the while."""

    def __init__(self, node: Listening, requests: Requests) -> None:
        self._wire = Wire(node.port, node.http_port)
        self._requests = requests
        self._ended = threading.Event()
        self.served = self.unserved = 0
        self.slowest_s = 0.0
        self._thread = threading.Thread(target=self._send, daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Send no more."""
        self._ended.set()
        self._thread.join()
        self._wire.close()

    def _send(self) -> None:
        serial = 0
        while not self._ended.wait(0.02):
            body = self._requests.numbered(serial)
            began = time.monotonic()
            send = self._wire.over_grpc if serial % 2 else self._wire.over_http
            answer = send("traces", body)
            while answer.is_asked_again:
                time.sleep(0.05)
                answer = send("traces", body)
            self.slowest_s = max(self.slowest_s, time.monotonic() - began)
            self.served += answer.is_taken
            self.unserved += not answer.is_taken
            serial += 1


class _Books:
    """The loss ledger once nothing waits, against what the tables hold."""

    def __init__(self, stats: Mapping[str, Any], rows: int, logs: int) -> None:
        fates = ("stored", "duplicate", "refused", "dead_lettered", "damaged")
        self.rows = rows
        self.received_requests = int(stats["received_requests"])
        self.dead_lettered = int(stats["dead_lettered_spans"] + stats["dead_lettered_logs"])
        self.off = sum(
            abs(stats[f"received_{kind}"] - sum(stats[f"{fate}_{kind}"] for fate in fates))
            for kind in ("spans", "logs")
        )
        pairs = ((stats["stored_spans"], rows), (stats["stored_logs"], logs))
        self.missing = sum(max(0, stored - held) for stored, held in pairs)
        self.duplicates = sum(max(0, held - stored) for stored, held in pairs)

    @classmethod
    def of(cls, node: Listening) -> "_Books":
        """Wait until nothing waits, and look."""
        stats = node.settled(600.0)
        while stats["waiting_logs"]:
            time.sleep(0.05)
            stats = node.settled()
        rows, logs = node.rows("SELECT count() AS n FROM otel_traces"), node.rows("SELECT count() AS n FROM otel_logs")
        return cls(stats, rows, logs)


FAULTS: Mapping[str, Fault] = MappingProxyType(
    {"mutated_requests": mutated_requests, "bombs": bomb_requests, "connections": connections, "overload": overload}
)
