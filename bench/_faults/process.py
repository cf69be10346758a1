"""The collector's process is killed and told to end."""

import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Self

from _faults.contract import Fault, FaultResult, Scale
from _faults.node import Node, data_folder
from _faults.proof import prove, unbalanced
from _faults.sender import Requests, Sender


def kill_9(scale: Scale, seed: int) -> FaultResult:
    """Kill the process again and again while it is sent to: while it receives, loads, and recovers."""
    kills, count, batch, per_s = scale.pick(full=(50, 10_000, 100, 0.0), short=(2, 300, 5, 120.0))
    dice = random.Random(seed)
    requests = Requests(batch=batch, seed=seed)
    in_recovery = 0
    with (
        data_folder() as folder,
        Node(folder=folder) as node,
        Sender(requests, node.port, count=count, per_s=per_s) as sender,
    ):
        for kill in range(kills):
            sender.reaches(len(sender.acked) + dice.randrange(1, count // kills))
            time.sleep(dice.random() * 0.3)
            node.kill()
            if kill % 5 == 4:  # and again before it is back
                node.spawn()
                time.sleep(dice.random() * 1.5)
                node.kill()
                in_recovery += 1
            node.start()
            print(
                f"  kill {kill + 1}/{kills}: {len(sender.acked):,} acked, up in {node.restart_s[-1]:.2f} s", flush=True
            )
        sender.join()
        stats = node.settled()
        proof = prove(node.ask("held"), sender.acked, batch=batch)
    return FaultResult(
        missing=proof.missing,
        duplicates=proof.duplicates,
        crashes=0,
        counters={
            "kills": kills + in_recovery,
            "kills_in_recovery": in_recovery,
            "acked_spans": len(sender.acked) * batch,
            "stored_rows": proof.rows,
            "sent_again": sum(sender.codes.values()),
            "restart_max_s": max(node.restart_s[1:]),
            "ledger_off": proof.ledger_off + unbalanced(stats),
        },
        goals={"ledger_off": "== 0"},
        timed_goals={"restart_max_s": "<= 5"},
    )


def sigterm(scale: Scale, seed: int) -> FaultResult:
    """Tell `tocsin up` to end while it is sent to: it drains, exits with 0, and the next one goes on."""
    rounds, count, batch, per_s = scale.pick(full=(50, 5_000, 100, 0.0), short=(1, 200, 5, 100.0))
    dice = random.Random(seed)
    requests = Requests(batch=batch, seed=seed)
    wrong_codes, undrained, restarts, ends = 0, 0, [], []
    with data_folder() as data:
        port = _free_port()
        with Sender(requests, port, count=count, per_s=per_s) as sender:
            for turn in range(rounds):
                began = time.monotonic()
                with _Up(data, port) as up:
                    restarts.append(time.monotonic() - began)
                    sender.reaches((turn + 1) * count // (rounds + 1))
                    time.sleep(dice.random() * 0.2)
                    began = time.monotonic()
                    wrong_codes += up.end() != 0
                    ends.append(time.monotonic() - began)
                left = [*(data / "spool").glob("*/*.seg"), *(data / "spool").glob("*/*.open")]
                undrained += bool(left)
                print(
                    f"  end {turn + 1}/{rounds}: {len(sender.acked):,} acked, {ends[-1]:.2f} s, {len(left)} segments left",
                    flush=True,
                )
            with Node(folder=data, port=port) as node:
                sender.join()
                stats = node.settled()
                proof = prove(node.ask("held"), sender.acked, batch=batch)
    return FaultResult(
        missing=proof.missing,
        duplicates=proof.duplicates,
        crashes=wrong_codes,
        counters={
            "rounds": rounds,
            "acked_spans": len(sender.acked) * batch,
            "stored_rows": proof.rows,
            "sent_again": sum(sender.codes.values()),
            "undrained": undrained,
            "end_max_s": max(ends),
            "start_max_s": max(restarts),
            "ledger_off": proof.ledger_off + unbalanced(stats),
        },
        goals={"ledger_off": "== 0"},
        timed_goals={"undrained": "== 0"},
    )


class _Up:
    """`tocsin up` as a person starts it."""

    def __init__(self, data: Path, port: int) -> None:
        listen = {"grpc": f"127.0.0.1:{port}", "clickhouse-http": "off"}
        listen |= dict.fromkeys(("http", "api", "guard"), "127.0.0.1:0")
        options = [part for name, value in listen.items() for part in (f"--{name}", value)]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tocsin_console", "up", "--json", "--data-dir", str(data), *options],
            cwd=data.parent,
            stdout=subprocess.PIPE,
            stderr=(data.parent / "up.log").open("a"),
            text=True,
        )
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            raise ChildProcessError(f"expected tocsin to be up, got {(data.parent / 'up.log').read_text()[-2000:]}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:  # something else went wrong: it must not outlive us
            self._process.kill()
            self._process.communicate()

    def end(self) -> int:
        """Tell it to end; return its exit code."""
        self._process.send_signal(signal.SIGTERM)
        self._process.communicate(timeout=60)
        return self._process.returncode


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


FAULTS: Mapping[str, Fault] = MappingProxyType({"kill_9": kill_9, "sigterm": sigterm})
