"""How many spans a second the whole collector takes and stores, what that costs, and whether any is lost.

    python bench/ingest.py --seconds 60 --json ingest.json
    python bench/ingest.py --seconds 20 --clickhouse clickhouse --peer rotel    # against a server, and rotel into the same

Three processes: this one only watches; a collector (receiver, spool, loader, embedded engine, merges), whose CPU time and
memory are read from /proc; and a sender that replays requests serialised beforehand, over several connections, each
waiting for its acknowledgement before the next. A span is about 1 KB with 20 attributes. One span in ten is an AI call,
as in a service that is traced throughout; then the same again where every span is one (`…_all_calls`). Stored means: can
be queried. Every acknowledged request is then looked for in the tables by its serial number, and its spans counted.
"""

import multiprocessing
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from _collector import CollectorProcess
from _load import Sent, prepared, send
from _peer import Rotel, Server
from _report import Figure, arguments, report
from _watch import Cpu, Peak, cpu


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What one run showed."""

    acked: int  # spans
    acked_s: float
    stored_s: float  # from the first request until everything could be queried
    spent: Cpu
    latencies_ms: Sequence[float]  # sorted
    rss_mb: float
    missing: int
    wrong_rows: int


def main() -> None:
    """Run, print, write."""
    parser = arguments("Measure the collector: spans a second, CPU, memory, loss.")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long to send at full speed")
    parser.add_argument("--streams", type=int, default=4, help="connections that send at the same time")
    parser.add_argument("--batch", type=int, default=512, help="spans a request")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--clickhouse", type=Path, metavar="BINARY", help="store in a server, started from this binary")
    parser.add_argument("--peer", choices=["rotel"], help="also run this peer into the same server")
    options = parser.parse_args()
    if options.peer and not options.clickhouse:
        parser.error("a peer needs a server to store in: give --clickhouse BINARY")
    figures = [*throughput(options, 0.1, ""), *throughput(options, 1.0, "_all_calls")]
    if options.peer:
        figures += peer(options)
    where = "a server" if options.clickhouse else "the embedded engine"
    title = f"ingest into {where}, {options.seconds:g} s, {options.streams} streams of {options.batch} spans"
    report(title, figures, options.json)


def throughput(options: Any, ai_share: float, suffix: str) -> list[Figure]:
    """Run at full speed, at half of what was stored then, and the mixed load at half of what was acknowledged too."""
    full = run(options, ai_share, seconds=options.seconds)
    million = full.acked / 1e6
    merging = full.spent.merging_s / million
    acked_per_s = full.acked / full.acked_s
    half = full.acked / full.stored_s / 2
    sustained = run(options, ai_share, seconds=options.seconds / 2, per_s=half / options.batch)
    figures = [
        Figure(name=f"acked_spans_per_s{suffix}", value=acked_per_s, unit="spans/s", goal=">= 100000"),
        Figure(name=f"stored_spans_per_s{suffix}", value=full.acked / full.stored_s, unit="spans/s", goal=">= 60000"),
        Figure(
            name=f"system_cpu_s_per_million{suffix}",
            value=full.spent.total_s / million - merging,
            unit="CPU s",
            goal="<= 16",
        ),
        Figure(name=f"merging_cpu_s_per_million{suffix}", value=merging, unit="CPU s"),
        Figure(name=f"rss_mb{suffix}", value=sustained.rss_mb, unit="MB", goal="<= 1000"),
        Figure(name=f"rss_full_load_mb{suffix}", value=full.rss_mb, unit="MB"),
        Figure(name=f"acked_missing{suffix}", value=full.missing + sustained.missing, unit="spans", goal="== 0"),
        Figure(name=f"duplicates{suffix}", value=full.wrong_rows + sustained.wrong_rows, unit="rows", goal="== 0"),
    ]
    if suffix:
        return figures
    crowded = run(options, ai_share, seconds=options.seconds / 2, per_s=acked_per_s / 2 / options.batch)
    return [
        *figures,
        Figure(name="ack_p50_ms", value=_quantile(crowded.latencies_ms, 0.5), unit="ms", goal="<= 15"),
        Figure(name="ack_p99_ms", value=_quantile(crowded.latencies_ms, 0.99), unit="ms", goal="<= 100"),
        Figure(name="ack_p99_full_load_ms", value=_quantile(full.latencies_ms, 0.99), unit="ms"),
    ]


def run(options: Any, ai_share: float, *, seconds: float, per_s: float = 0.0) -> Run:
    """Start a collector, send, wait until everything is stored, and look for what is missing."""
    requests = prepared(options.batch, options.seed, ai_share=ai_share)
    with (
        tempfile.TemporaryDirectory(prefix="tocsin-bench-") as folder,
        Server.maybe(options.clickhouse) as clickhouse,
        CollectorProcess.of(Path(folder), clickhouse.url if clickhouse else None) as collector,
    ):
        pids = [collector.pid, *([clickhouse.pid] if clickhouse else [])]
        peak, before, began = Peak(collector.pid), cpu(pids), time.monotonic()
        sent = _sent(collector.port, requests, options.streams, seconds, per_s)
        stored_while_sending = collector.stats()["stored"]
        while (stats := collector.stats())["waiting"]:
            time.sleep(0.05)
        took_s, spent, rss = time.monotonic() - began, cpu(pids).since(before), peak.stop()
        found = collector.count()
    acked = len(sent.acked) * options.batch
    print(
        f"  {100 * ai_share:g} % calls, {len(requests[0]) / options.batch:.0f} bytes a span: {acked:,} spans acked in "
        f"{sent.seconds:.1f} s ({sent.refused} requests refused), all stored after {took_s:.1f} s, "
        f"{stored_while_sending:,} of them while sending; {stats['errors']} load errors",
        flush=True,
    )
    calls = found["rows"] // options.batch * int(options.batch * ai_share)
    whole = {serial for serial, n in zip(found["serials"], found["spans"], strict=True) if n == options.batch}
    return Run(
        acked=acked,
        acked_s=sent.seconds,
        stored_s=took_s,
        spent=spent,
        latencies_ms=sorted(sent.latencies_ms),
        rss_mb=rss,
        missing=len(set(sent.acked) - whole) * options.batch,
        wrong_rows=found["rows"] - found["unique"] + abs(calls - found["calls"]) + abs(calls - found["summed"]),
    )


def _sent(port: int, requests: Sequence[bytes], streams: int, seconds: float, per_s: float) -> Sent:
    spawning = multiprocessing.get_context("spawn")
    answer: Any = spawning.Queue()
    sender = spawning.Process(target=send, args=(port, requests, streams, seconds, answer), kwargs={"per_s": per_s})
    sender.start()
    sent: Sent = answer.get()
    sender.join()
    return sent


def peer(options: Any) -> list[Figure]:
    """Send the same mixed load to rotel, which stores in a server of its own."""
    requests = prepared(options.batch, options.seed, ai_share=0.1)
    with Server.maybe(options.clickhouse) as clickhouse:
        if clickhouse is None:
            raise ValueError("expected a server for the peer")
        with Rotel.into(clickhouse) as rotel:
            pids = [rotel.pid, clickhouse.pid]
            before, began = cpu(pids), time.monotonic()
            sent = _sent(rotel.port, requests, options.streams, options.seconds, 0.0)
            acked = len(sent.acked) * options.batch
            stored = rotel.stored(acked)
            took_s, spent = time.monotonic() - began, cpu(pids).since(before)
    million = stored / 1e6
    merging = spent.merging_s / million
    return [
        Figure(name="rotel_acked_spans_per_s", value=acked / sent.seconds, unit="spans/s"),
        Figure(name="rotel_stored_spans_per_s", value=stored / took_s, unit="spans/s"),
        Figure(name="rotel_cpu_s_per_million", value=spent.total_s / million - merging, unit="CPU s"),
        Figure(name="rotel_merging_cpu_s_per_million", value=merging, unit="CPU s"),
        Figure(name="rotel_acked_missing", value=acked - stored, unit="spans"),
    ]


def _quantile(ordered: Sequence[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


if __name__ == "__main__":
    main()
