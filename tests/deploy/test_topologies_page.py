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
MIXED_S: Final = INGEST["system_cpu_s_per_million"] + INGEST["merging_cpu_s_per_million"]
CALLS_S: Final = INGEST["system_cpu_s_per_million_all_calls"] + INGEST["merging_cpu_s_per_million_all_calls"]
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
        (TOPOLOGIES, f"20,000 spans/s are {20_000 * MIXED_S / 1e6:.2f} of a core"),
        (TOPOLOGIES, f"20,000 mixed spans/s with {20_000 * MIXED_S / 1e6:.2f} of a core"),
        (TOPOLOGIES, f"{INGEST['system_cpu_s_per_million_all_calls']:.1f} and {INGEST['merging_cpu_s_per_million_all_calls']:.1f} s"),
        (TOPOLOGIES, f"All {EVALUATE['evaluators']:.0f} evaluators over ten million calls take {EVALUATE['evaluators_wall_s']:.1f} s"),
        (TOPOLOGIES, f"{MIXED_S:.1f} µs are {MIXED_S:.0f} cores"),
        (TOPOLOGIES, f"{CALLS_S:.1f} µs are {CALLS_S:.0f} where"),
        (TOPOLOGIES, f"planned: {MIXED_S:.0f} cores mixed, {CALLS_S:.0f} when every span is a call"),
        (TOPOLOGIES, f"somebody evaluates after {PODS['takeover_s']:.0f} s"),
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


def test_the_rehearsal_of_the_pods_met_its_goals() -> None:
    """What the pages promise of a death, a drain and a guard is what was run."""
    said = json.loads((ROOT / "bench" / "results" / "kubernetes.json").read_text(encoding="utf-8"))

    assert [each["name"] for each in said["figures"] if each["met"] is False] == []
    assert PODS["acknowledged_spans"] > 100_000
