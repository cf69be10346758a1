"""What only time shows: a burst while the store is away, and half an hour at half load."""

import time
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from _faults.contract import Fault, FaultResult, Scale
from _faults.node import Node, data_folder
from _faults.proof import prove, unbalanced
from _faults.sender import Requests, Sender
from _watch import Peak, rss_mb

_HALF_LOAD = 15_000  # spans a second, every one a call: half of what ingest.py stores of such in the same time
_SPOOL_BYTES = 16 * 1024**3  # ten million spans of 1 KB, and room


def burst_outage(scale: Scale, seed: int) -> FaultResult:
    """Send ten million spans while the loader stands still for ten minutes; then time how long it takes to catch up."""
    spans, batch, paused_s = scale.pick(full=(10_000_000, 500, 600.0), short=(5_000, 100, 0.5))
    requests = Requests(batch=batch, seed=seed)
    with data_folder() as folder, Node(folder=folder, settings={"spool_max_bytes": _SPOOL_BYTES}) as node:
        with Sender(requests, node.port, count=100) as warming:  # everything that is loaded or made once
            warming.join()
        node.settled()
        before_mb = rss_mb(node.pid)
        node.ask("loader", runs=False)
        peak, began = Peak(node.pid), time.monotonic()
        with Sender(requests, node.port, count=100 + spans // batch, first=100) as sender:
            while time.monotonic() - began < paused_s or not sender.is_done:
                time.sleep(scale.pick(full=10.0, short=0.2))
                print(f"  {len(sender.acked) * batch:,} acked, {rss_mb(node.pid):.0f} MB", flush=True)
        sent_s, peak_mb = time.monotonic() - began, peak.stop()
        peak, began = Peak(node.pid), time.monotonic()
        node.ask("loader", runs=True)
        stats = node.settled()
        drained_s, draining_mb = time.monotonic() - began, peak.stop()
        proof = prove(node.ask("held"), warming.acked | sender.acked, batch=batch)
    return FaultResult(
        missing=proof.missing,
        duplicates=proof.duplicates,
        crashes=0,
        counters={
            "acked_spans": len(sender.acked) * batch,
            "outage_s": sent_s,
            "refused": sum(sender.codes.values()),
            "rss_before_mb": before_mb,
            "rss_peak_mb": peak_mb,
            "rss_growth_mb": peak_mb - before_mb,
            "rss_draining_mb": draining_mb,
            "drained_s": drained_s,
            "ledger_off": proof.ledger_off + unbalanced(stats),
        },
        goals={"ledger_off": "== 0"},
        timed_goals={"rss_growth_mb": "<= 64", "drained_s": "<= 600"},
    )


def steady(scale: Scale, seed: int) -> FaultResult:
    """Send at half load, and look whether the memory grows."""
    seconds, every_s, per_s, batch = scale.pick(full=(1800, 10, _HALF_LOAD, 500), short=(2, 1, 1000, 100))
    requests = Requests(batch=batch, seed=seed)
    samples: list[tuple[float, float]] = []
    with data_folder() as folder, Node(folder=folder) as node:
        began = time.monotonic()
        count = per_s * seconds // batch
        with Sender(requests, node.port, count=count, per_s=per_s / batch) as sender:
            while not sender.is_done:
                time.sleep(every_s)
                samples.append((time.monotonic() - began, rss_mb(node.pid)))
                print(
                    f"  {samples[-1][0]:.0f} s: {samples[-1][1]:.0f} MB, {len(sender.acked) * batch:,} acked",
                    flush=True,
                )
        sent_s = time.monotonic() - began
        stats = node.settled()
        proof = prove(node.ask("held"), sender.acked, batch=batch)
    late = [sample for sample in samples if sample[0] >= seconds / 6]  # until then caches fill
    third = max(1, len(late) // 3)
    first_mb, last_mb = _middle(late[:third]), _middle(late[-third:])
    return FaultResult(
        missing=proof.missing,
        duplicates=proof.duplicates,
        crashes=0,
        counters={
            "seconds": sent_s,
            "acked_spans": len(sender.acked) * batch,
            "acked_spans_per_s": len(sender.acked) * batch / sent_s,
            "refused": sum(sender.codes.values()),
            "rss_peak_mb": max(mb for _, mb in samples),
            "rss_first_third_mb": first_mb,
            "rss_last_third_mb": last_mb,
            "rss_mb_per_minute": _slope(late) * 60,
            "ledger_off": proof.ledger_off + unbalanced(stats),
        },
        goals={"ledger_off": "== 0"},
        timed_goals={"rss_peak_mb": "<= 1000", "rss_mb_per_minute": "<= 2"},
    )


def _middle(samples: Sequence[tuple[float, float]]) -> float:
    return sorted(mb for _, mb in samples)[len(samples) // 2]


def _slope(samples: Sequence[tuple[float, float]]) -> float:
    """Fit a line; MB a second."""
    n = len(samples)
    mean_s, mean_mb = sum(s for s, _ in samples) / n, sum(mb for _, mb in samples) / n
    spread = sum((s - mean_s) ** 2 for s, _ in samples)
    return sum((s - mean_s) * (mb - mean_mb) for s, mb in samples) / spread if spread else 0.0


FAULTS: Mapping[str, Fault] = MappingProxyType({"burst_outage": burst_outage, "steady": steady})
