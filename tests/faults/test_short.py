"""Every fault of bench/faults.py in its short form, each in a process of its own, as a person would run it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import faults
from _faults import FaultResult, Scale

SCRIPT = Path(faults.__file__)


@pytest.mark.parametrize("name", sorted(faults.faults()))
def test_nothing_is_lost_or_doubled(name: str, tmp_path: Path) -> None:
    """The promise of the collector, under everything that we know to go wrong."""
    kept = tmp_path / "faults.json"

    run = subprocess.run(
        [sys.executable, SCRIPT, name, "--short", "--json", kept],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert run.returncode == 0, run.stdout[-4000:] + run.stderr[-4000:]
    figures = {one["name"]: one["value"] for one in json.loads(kept.read_text())["faults"][name]["figures"]}
    assert figures[f"{name}_missing"] == figures[f"{name}_duplicates"] == figures[f"{name}_crashes"] == 0


def test_a_result_is_kept_beside_the_others(tmp_path: Path) -> None:
    """Figures of a run of hours must not vanish because another fault was run afterwards, or this one in short."""
    kept = tmp_path / "faults.json"

    faults.keep(kept, "b", {"scale": "full", "seed": 1})
    faults.keep(kept, "a", {"scale": "short", "seed": 2})
    faults.keep(kept, "b", {"scale": "short", "seed": 3})

    assert json.loads(kept.read_text()) == {
        "faults": {"a": {"scale": "short", "seed": 2}, "b": {"scale": "full", "seed": 1}}
    }


def test_a_lost_span_misses_its_goal() -> None:
    """A harness that cannot fail proves nothing."""
    result = FaultResult(
        missing=1,
        duplicates=0,
        crashes=0,
        counters={"off": 1, "s": 6},
        goals={"off": "== 0"},
        timed_goals={"s": "<= 5"},
    )

    full, short = (
        {figure.name: figure.met for figure in faults.figures("fault", result, scale)}
        for scale in (Scale.full, Scale.short)
    )

    assert full == {
        "fault_missing": False,
        "fault_duplicates": True,
        "fault_crashes": True,
        "fault_off": False,
        "fault_s": False,
    }
    assert short == full | {"fault_s": None}  # a test does not time
