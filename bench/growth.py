"""Whether a span costs the same when tens of millions are stored already.

    python bench/growth.py --spans 50 --json growth.json
    python bench/growth.py --spans 50 --per-s 27000 --json growth.json     # at half load: half an hour

Sends the mixed load of ingest.py as fast as the collector takes it (its spool fills, and it asks the sender to wait) or at
a given rate, until so many millions are stored; CPU and memory are read at every million, the peak ten times a second. The
first million is left out: caches, first merges.
"""

import math
import multiprocessing
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from _collector import CollectorProcess
from _load import prepared, send
from _report import Figure, arguments, report
from _watch import Cpu, Peak, cpu, rss_mb


def main() -> None:
    """Run, print, write."""
    parser = arguments("Measure whether cost grows with what is stored.")
    parser.add_argument("--spans", type=float, default=50.0, metavar="MILLIONS", help="how many to store")
    parser.add_argument("--ai-share", type=float, default=0.1, help="how many of them are AI calls")
    parser.add_argument(
        "--per-s", type=float, default=0.0, metavar="SPANS", help="how many to send a second; 0: no end"
    )
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tocsin-bench-") as folder:
        figures = measure(Path(folder), options)
    report(f"growth to {options.spans:g} million spans", figures, options.json)


def measure(folder: Path, options: Any) -> list[Figure]:
    """Send until so many are stored, reading at every million."""
    batch = 512
    requests = prepared(batch, options.seed, ai_share=options.ai_share)
    spawning = multiprocessing.get_context("spawn")
    readings: list[tuple[int, Cpu, float, float]] = []
    with CollectorProcess.of(folder, None) as collector:
        answer = spawning.Queue()  # kept until the sender has opened it
        sender = spawning.Process(
            target=send,
            args=(collector.port, requests, 2, math.inf, answer),
            kwargs={"most": math.ceil(options.spans * 1e6 / batch), "per_s": options.per_s / batch},
        )
        peak = Peak(collector.pid)
        sender.start()
        while len(readings) < options.spans + 1:
            stored = collector.stats()["stored"]
            if stored >= len(readings) * 1e6:
                now = time.monotonic()
                readings.append((stored, cpu([collector.pid]), rss_mb(collector.pid), now))
                _progress(readings)
            if sender.exitcode:
                raise RuntimeError(f"expected the sender to go on, but it ended with {sender.exitcode}")
            time.sleep(0.2)
        peak_mb = peak.stop()
        sender.terminate()
        sender.join()
        collector.process.terminate()
    window = max(1, min(5, (len(readings) - 1) // 2))
    resident = [reading[2] for reading in readings[1:]]
    third = max(1, len(resident) // 3)
    first, last = _per_million(readings[1], readings[1 + window]), _per_million(readings[-1 - window], readings[-1])
    return [
        Figure(name="cpu_s_per_million_first", value=first, unit="CPU s"),
        Figure(name="cpu_s_per_million_last", value=last, unit="CPU s"),
        Figure(name="cpu_growth_ratio", value=last / first, unit="", goal="<= 1.1"),
        Figure(name="stored_millions", value=readings[-1][0] / 1e6, unit="spans"),
        Figure(name="stored_spans_per_s", value=_rate(readings[1], readings[-1]), unit="spans/s"),
        Figure(name="minutes", value=(readings[-1][3] - readings[1][3]) / 60, unit="min"),
        Figure(name="rss_first_third_mb", value=median(resident[:third]), unit="MB"),
        Figure(name="rss_last_third_mb", value=median(resident[-third:]), unit="MB"),
        Figure(name="rss_peak_mb", value=peak_mb, unit="MB", goal="<= 1000"),
    ]


def _per_million(before: tuple[int, Cpu, float, float], after: tuple[int, Cpu, float, float]) -> float:
    return (after[1].total_s - before[1].total_s) / (after[0] - before[0]) * 1e6


def _rate(before: tuple[int, Cpu, float, float], after: tuple[int, Cpu, float, float]) -> float:
    return (after[0] - before[0]) / (after[3] - before[3])


def _progress(readings: list[tuple[int, Cpu, float, float]]) -> None:
    if len(readings) > 1:
        stored, spent, rss, _ = readings[-1]
        print(
            f"  {stored / 1e6:5.1f} million stored, {_per_million(readings[-2], readings[-1]):5.1f} CPU s for the last "
            f"million ({(spent.merging_s - readings[-2][1].merging_s) / (stored - readings[-2][0]) * 1e6:.1f} of them "
            f"merging), {_rate(readings[-2], readings[-1]):7,.0f} spans/s, RSS {rss:,.0f} MB",
            flush=True,
        )


if __name__ == "__main__":
    main()
