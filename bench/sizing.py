"""What a deployment needs, computed from what a span was measured to cost.

    python bench/sizing.py --json bench/results/sizing.json --markdown docs/operations/sizing.md    # from bench/results/
    python bench/sizing.py --check                        # page and results say what the arithmetic says
    python bench/sizing.py --measure bench/results/sizing_cluster.json    # fills in what no other benchmark says; minutes

Every number names its formula and, for each input, the file and figure that it was read from, or why it was chosen. What is measured
here comes from two shards of two replicas and a Keeper on loopback (CLICKHOUSE_BINARY names the server).
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from _sizing.model import SHORT_LIVED, TOPOLOGIES, Input, Topology, as_json, bottleneck, needs_of
from _sizing.page import write_table

ROOT: Final = Path(__file__).resolve().parents[1]
RESULTS: Final = ROOT / "bench" / "results"
PAGE: Final = ROOT / "docs" / "operations" / "sizing.md"
# What is measured: share of AI calls, and spans a second. Paced is a segment a second, as in production; at full speed segments are
# large, and the difference is what an insert costs however small it is.
PARTS: Final = {"paced": (0.1, 6_000.0), "full_speed": (0.1, 0.0), "all_calls": (1.0, 6_000.0)}
_FROM: Final = {
    "embedded_cpu_s": ("ingest", "system_cpu_s_per_million"),
    "embedded_merging_cpu_s": ("ingest", "merging_cpu_s_per_million"),
    "embedded_peak_mb": ("growth", "rss_peak_mb"),
    "acked_per_s": ("ingest", "acked_spans_per_s"),
    "evaluators_cpu_s": ("evaluate", "evaluators_cpu_s"),
    "wire_bytes": ("sizing_cluster", "wire_bytes_per_span"),
    "collector_peak_mb": ("sizing_cluster", "collector_peak_mb"),
    "clickhouse_merging_cpu_s": ("sizing_cluster", "clickhouse_merging_cpu_s_per_million"),
    "clickhouse_received_bytes": ("sizing_cluster", "clickhouse_received_bytes_per_span"),
    "merges_seen": ("sizing_cluster", "merges_of_a_byte"),
    "keeper_transactions_per_segment": ("sizing_cluster", "keeper_transactions_per_segment"),
}
CHOSEN: Final = {
    "headroom": Input(
        value=2.0, source="chosen: half of the cores stay free, for an hour of catching up and a node that is away"
    ),
    "memory_headroom": Input(value=1.5, source="chosen: above the peak that was seen"),
    "merges_of_a_byte": Input(
        value=4.0, source="chosen: a day of parts merged to one in steps; only the first was seen"
    ),
    "disk_headroom": Input(
        value=1.5, source="chosen: merges write a part before they drop its sources, and alarms need time"
    ),
    "day_share": Input(value=0.5, source="chosen: a day's mean against its busiest hour"),
    "use_cases": Input(value=100.0, source="chosen: as in evaluate.json"),
    "cores_per_collector": Input(
        value=4.0, source="chosen: receiving is one Python process, decoding uses two cores beside it"
    ),
    "cores_per_node": Input(value=32.0, source="chosen: a common server"),
    "disk_per_node": Input(value=20_000.0, source="chosen: GB of disk in a common server"),
    "outage_s": Input(value=3600.0, source="chosen: an hour without ClickHouse"),
    "short_days": Input(value=30.0, source="shipped TTL of spans, logs and contents"),
    "segment_age_s": Input(value=1.0, source="CollectorSettings.segment_max_age_s"),
    "segment_bytes": Input(value=64.0 * 1024 * 1024, source="CollectorSettings.segment_max_bytes"),
}


def measured(results: Path = RESULTS) -> dict[str, Input]:
    """Read every input from the results, by the name that the formulas use."""
    files = {name: _figures(results / f"{name}.json") for name in {file for file, _ in _FROM.values()}}
    found = {
        name: Input(value=files[file][figure], source=f"{file}.json: {figure}")
        for name, (file, figure) in _FROM.items()
    }
    cluster = files["sizing_cluster"]
    for who in ("collector", "clickhouse"):
        found |= _split(cluster, who)
    found["keeper_cpu_s_per_segment"] = Input(
        value=cluster["keeper_cpu_s_per_million"] * cluster["spans"] / 1e6 / cluster["segments"],
        source="sizing_cluster.json: keeper_cpu_s_per_million * spans / 1e6 / segments",
    )
    disk = {name.removeprefix("disk_bytes_per_span_"): value for name, value in cluster.items()
            if name.startswith("disk_bytes_per_span_") and value > 0.1 and not name.endswith(("_all_calls", "_full_speed"))}  # fmt: skip
    for name, tables in (
        ("short_bytes", [table for table in disk if table in SHORT_LIVED]),
        ("long_bytes", [table for table in disk if table not in SHORT_LIVED]),
    ):
        said = " + ".join(f"disk_bytes_per_span_{table}" for table in sorted(tables))
        found[name] = Input(value=sum(disk[table] for table in tables), source=f"sizing_cluster.json: {said}")
    return found


def _split(cluster: Mapping[str, float], who: str) -> dict[str, Input]:
    """Tell what an insert costs from what a span costs: by the same load in many small segments and in few large ones."""
    figure = f"{who}_cpu_s_per_million"
    many_s, few_s = (cluster[figure + suffix] * cluster["spans" + suffix] / 1e6 for suffix in ("", "_full_speed"))
    many, few = cluster["segments"], cluster["segments_full_speed"]
    millions, millions_few = cluster["spans"] / 1e6, cluster["spans_full_speed"] / 1e6
    # Two equations: seconds = a * millions + b * segments.
    each = (many_s * millions_few - few_s * millions) / (many * millions_few - few * millions)
    source = f"sizing_cluster.json: {figure}, spans and segments, paced and at full speed: seconds = a * millions + b * segments"
    return {
        f"{who}_cpu_s": Input(value=(few_s - each * few) / millions_few, source=f"{source}; this is a"),
        f"{who}_cpu_s_per_segment": Input(value=each, source=f"{source}; this is b"),
    }


def _figures(file: Path) -> dict[str, float]:
    return {each["name"]: each["value"] for each in json.loads(file.read_text(encoding="utf-8"))["figures"]}


def compute() -> dict[str, Any]:
    """Work out every topology."""
    inputs = measured()
    rows = []
    for topology in TOPOLOGIES:
        needs = needs_of(topology, inputs, CHOSEN)
        rows.append(
            {
                "name": topology.name,
                "spans_per_s": topology.spans_per_s,
                "store": _store(topology),
                "first_bottleneck": bottleneck(needs, topology),
                "measured": topology.measured,
                "needs": as_json(needs),
            }
        )
    return {"inputs": sorted({file for file, _ in _FROM.values()}), "topologies": rows}


def _store(topology: Topology) -> str:
    return "embedded engine" if topology.embedded else "ClickHouse cluster"


def _check(made: Mapping[str, Any], results: Path, page: Path) -> list[str]:
    """List where results or page say other than the arithmetic does."""
    wrong = []
    if json.loads(results.read_text(encoding="utf-8")) != json.loads(json.dumps(made)):
        wrong.append(f"{results.name} differs: python bench/sizing.py --json {results}")
    text = page.read_text(encoding="utf-8")
    if write_table(text, made) != text:
        wrong.append(f"{page.name} differs: python bench/sizing.py --markdown {page}")
    return wrong


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, compute, write or check."""
    parser = argparse.ArgumentParser(
        description="Compute what a deployment needs from what a span was measured to cost."
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write needs, formulas and inputs there")
    parser.add_argument("--markdown", type=Path, metavar="PAGE", help="write the table between the page's markers")
    parser.add_argument(
        "--check", action="store_true", help="exit with 1 where sizing.json or sizing.md say something else"
    )
    parser.add_argument(
        "--measure",
        type=Path,
        metavar="FILE",
        help="measure a span's cost on a 2 x 2 cluster first, and write it there",
    )
    parser.add_argument(
        "--part", action="append", choices=PARTS, help="measure only this; the others stay as they were"
    )
    parser.add_argument("--spans", type=int, default=400_000, help="how many to measure with")
    options = parser.parse_args(arguments)
    if options.measure:
        from _report import keep, show
        from _sizing.measuring import measure

        for part in options.part or PARTS:
            share, per_s = PARTS[part]
            figures = measure(options.spans, share, per_s, "" if part == "paced" else f"_{part}")
            show(f"{part}: {100 * share:g} % calls, {per_s:,g} spans/s, on 2 x 2", figures)
            keep(options.measure, figures)
        return 0
    made = compute()
    if options.check:
        wrong = _check(made, RESULTS / "sizing.json", PAGE)
        print("\n".join(wrong) or "page and results agree with the arithmetic")
        return int(bool(wrong))
    if options.json:
        options.json.write_text(json.dumps(made, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    if options.markdown:
        options.markdown.write_text(write_table(options.markdown.read_text(encoding="utf-8"), made), encoding="utf-8")
    for row in made["topologies"]:
        print(f"\n{row['name']}: {row['spans_per_s']:,} spans/s, {row['store']}; first {row['first_bottleneck']}")
        for need in row["needs"]:
            said = ", ".join(f"{name} = {each['value']:g} ({each['source']})" for name, each in need["inputs"].items())
            print(f"  {need['name']} = {need['value']:,.3g} {need['unit']} = {need['formula']}\n      {said}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
