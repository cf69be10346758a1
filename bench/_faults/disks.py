"""The disk is full, and freed; the disk says that it could not make a write durable."""

import subprocess
import time
from collections.abc import Mapping
from types import MappingProxyType

from _faults.contract import Fault, FaultResult, Scale
from _faults.node import OWN_MOUNTS, Node, data_folder
from _faults.proof import prove, unbalanced
from _faults.sender import Requests, Sender

_PATIENCE_S = 30.0


def disk_full(scale: Scale, seed: int) -> FaultResult:
    """Fill the disk that spool and tables share, and free it: refused meanwhile, with a delay, and resumed by itself.

    On a small filesystem of its own where the system allows one; else the spool's disk says that it is full.
    """
    rounds, count, batch, per_s = scale.pick(full=(20, 3_000, 50, 40.0), short=(2, 150, 5, 60.0))
    requests = Requests(batch=batch, seed=seed)
    is_real = _may_mount()
    refused = without_delay = 0
    with (
        data_folder() as folder,
        Node(folder=folder, disk_mb=256 if is_real else 0, settings={"segment_max_age_s": 0.2}) as node,
        Sender(requests, node.port, count=count, per_s=per_s) as sender,
    ):
        for turn in range(rounds):
            sender.reaches(len(sender.acked) + count // (rounds + 2))
            before = sender.codes["RESOURCE_EXHAUSTED"]
            if is_real:  # to the last byte, or so that the spool has room and the tables have not
                node.ask("fill", but=0 if turn % 2 == 0 else 300_000)
            else:
                node.ask("disk", mode="full")
            began = time.monotonic()
            while time.monotonic() - began < scale.pick(full=2.0, short=0.5) or (
                turn % 2 == 0
                and sender.codes["RESOURCE_EXHAUSTED"] == before
                and time.monotonic() - began < _PATIENCE_S
            ):
                time.sleep(0.05)
            if is_real:
                node.ask("free")
            else:
                node.ask("disk", mode="well")
            refused += sender.codes["RESOURCE_EXHAUSTED"] - before
            print(f"  full {turn + 1}/{rounds}: {len(sender.acked):,} acked, {refused:,} refused", flush=True)
        sender.join()
        without_delay = sender.without_delay
        stats = node.settled()
        found = node.ask("held")
        proof = prove(found, sender.acked, batch=batch)
    return FaultResult(
        missing=proof.missing,
        duplicates=proof.duplicates,
        crashes=0,
        counters={
            "rounds": rounds,
            "real_filesystem": is_real,
            "acked_spans": len(sender.acked) * batch,
            "stored_rows": proof.rows,
            "refused": refused,
            "refused_without_delay": without_delay,
            "load_errors": stats["load_errors"],
            "dead_letters": found["dead_letters"],
            "ledger_off": proof.ledger_off + unbalanced(stats),
        },
        goals={"refused": ">= 1", "refused_without_delay": "== 0", "dead_letters": "== 0", "ledger_off": "== 0"},
    )


def fsync_eio(scale: Scale, seed: int) -> FaultResult:
    """Fail to make writes durable: nothing of them is acknowledged, and the file is not trusted with another."""
    rounds, count, batch, per_s = scale.pick(full=(100, 5_000, 20, 100.0), short=(3, 200, 5, 80.0))
    requests = Requests(batch=batch, seed=seed)
    acked_while_failing = 0
    with (
        data_folder() as folder,
        Node(folder=folder) as node,
        Sender(requests, node.port, count=count, per_s=per_s) as sender,
    ):
        for _ in range(rounds):
            sender.reaches(len(sender.acked) + count // (rounds + 2))
            failures = node.ask("disk", mode="eio")["failures"]
            began = time.monotonic()
            while node.ask("disk", mode="eio")["failures"] == failures and time.monotonic() - began < _PATIENCE_S:
                time.sleep(0.02)
            time.sleep(0.1)  # until what was on its way is answered
            before = len(sender.acked)
            time.sleep(0.2)
            acked_while_failing += len(sender.acked) - before
            disk = node.ask("disk", mode="well")
        sender.join()
        stats = node.settled()
        proof = prove(node.ask("held"), sender.acked, batch=batch)
    return FaultResult(
        missing=proof.missing,
        duplicates=proof.duplicates,
        crashes=0,
        counters={
            "rounds": rounds,
            "acked_spans": len(sender.acked) * batch,
            "failed_fsyncs": disk["failures"],
            "acked_while_failing": acked_while_failing,
            "written_to_again": disk["appends_after_eio"],
            "stored_rows": proof.rows,
            "ledger_off": proof.ledger_off + unbalanced(stats),
        },
        goals={"failed_fsyncs": f">= {rounds}", "written_to_again": "== 0", "ledger_off": "== 0"},
        timed_goals={"acked_while_failing": "== 0"},  # what was on its way is answered late on a busy machine
    )


def _may_mount() -> bool:
    try:
        asked = [*OWN_MOUNTS, "mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", "/mnt"]
        return subprocess.run(asked, check=False, capture_output=True).returncode == 0
    except OSError:
        return False


FAULTS: Mapping[str, Fault] = MappingProxyType({"disk_full": disk_full, "fsync_eio": fsync_eio})
