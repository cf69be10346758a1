"""The numbers of docs/deploy/topologies.md and kubernetes.md are those of bench/results, and their sums are right."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parents[2]
TOPOLOGIES: Final = (ROOT / "docs" / "deploy" / "topologies.md").read_text(encoding="utf-8")
KUBERNETES: Final = (ROOT / "docs" / "deploy" / "kubernetes.md").read_text(encoding="utf-8")


def figures(name: str) -> Mapping[str, float]:
    """Read what a benchmark measured."""
    said = json.loads((ROOT / "bench" / "results" / f"{name}.json").read_text(encoding="utf-8"))
    return {each["name"]: float(each["value"]) for each in said["figures"]}


INGEST, GROWTH, EVALUATE, PODS = map(figures, ("ingest", "growth", "evaluate", "kubernetes"))
MEMORY: Final = {part: PODS[f"rss_{part}_idle_mb"] for part in ("collector", "evaluator", "console")}


@pytest.mark.parametrize(
    ("page", "sentence"),
    [
        (TOPOLOGIES, f"{INGEST['stored_spans_per_s']:,.0f} mixed spans"),
        (TOPOLOGIES, f"{INGEST['stored_spans_per_s_all_calls']:,.0f} calls"),
        (TOPOLOGIES, f"{INGEST['rss_full_load_mb']:,.0f} to {INGEST['rss_full_load_mb_all_calls']:,.0f} MB of memory"),
        (TOPOLOGIES, f"{INGEST['rss_mb']:,.0f} to {INGEST['rss_mb_all_calls']:,.0f} MB at half load"),
        (TOPOLOGIES, f"peak {GROWTH['rss_peak_mb']:,.0f} MB over {GROWTH['stored_millions']:.0f} million spans"),
        (TOPOLOGIES, f"mixed spans cost {INGEST['system_cpu_s_per_million']:.1f} s, and {INGEST['merging_cpu_s_per_million']:.1f} s of merging"),
        (TOPOLOGIES, f"a million calls {INGEST['system_cpu_s_per_million_all_calls']:.1f} and {INGEST['merging_cpu_s_per_million_all_calls']:.1f} s"),
        (TOPOLOGIES, f"All {EVALUATE['evaluators']:.0f} evaluators over ten million calls take {EVALUATE['evaluators_wall_s']:.1f} s"),
        (TOPOLOGIES, f"another evaluates after {PODS['takeover_s']:.0f} s"),
        (TOPOLOGIES, f"{PODS['acknowledged_spans']:,.0f} spans acknowledged, {PODS['missing']:.0f} missing, {PODS['duplicates']:.0f} twice"),
        (TOPOLOGIES, f"has {MEMORY['collector']:.0f} MB of memory, an evaluator {MEMORY['evaluator']:.0f}, a console {MEMORY['console']:.0f}"),
        (KUBERNETES, f"{PODS['in_spool_when_killed']:,.0f} spans were in it when it was killed, {PODS['missing']:.0f} missing in the end"),
        (KUBERNETES, f"{PODS['takeover_s']:.0f} s after it was killed"),
        (KUBERNETES, f"{PODS['drained_s']:.0f} s for {PODS['in_spool_when_killed'] // 1000:.0f},000 spans"),
    ],
)  # fmt: skip
def test_what_the_pages_say_was_measured(page: str, sentence: str) -> None:
    """A figure that a later run changes is changed here, or the page says something that nobody measured."""
    assert sentence in re.sub(r"\s+", " ", page)


# Each row of the page's table: where its cells are from in the sizing page's, by the same columns.
SIZED: Final = {
    "Spans a second, busiest hour": ("Spans a second, busiest hour",),
    "Cores": ("Cores, of the one process", "Cores, of all collectors", "Cores, of all ClickHouse servers"),
    "Memory": ("Memory, of the one process", "Memory of each collector"),
    "Disk after 90 days": ("Disk after 90 days, all copies and room to merge", "… of each ClickHouse server"),
    "Processes": ("Collectors", "ClickHouse servers, two replicas a shard"),
}


def rows_of(page: str) -> Mapping[str, list[list[str]]]:
    """Read a page's tables: the cells of each row by its first, more than once where rows share that."""
    found: dict[str, list[list[str]]] = {}
    for line in page.splitlines():
        if line.startswith("|"):
            first, *cells = [cell.strip() for cell in line.strip("|").split("|")]
            found.setdefault(first, []).append(cells)
    return found


def test_the_table_of_topologies_is_the_sizing_pages() -> None:
    """Two pages that disagree about a machine's size are both useless."""
    own, sizing = rows_of(TOPOLOGIES), rows_of((ROOT / "docs" / "operations" / "sizing.md").read_text("utf-8"))

    for row, sources in SIZED.items():
        [cells] = own[row]
        for at, cell in enumerate(cells):
            for source in sources:
                figure = sizing[source][-1][at]
                assert figure == "-" or re.search(rf"(?<![\d.,]){re.escape(figure)}(?![\d.,]\d)", cell), (
                    row,
                    source,
                    cell,
                )


def test_the_rehearsal_of_the_pods_met_its_goals() -> None:
    """What the pages promise of a death, a drain and a guard is what was run."""
    said = json.loads((ROOT / "bench" / "results" / "kubernetes.json").read_text(encoding="utf-8"))

    assert [each["name"] for each in said["figures"] if each["met"] is False] == []
    assert PODS["acknowledged_spans"] > 100_000
