"""Our state machine against Prometheus' own, as ``promtool test rules`` runs it: the same alerts fire at the same instants."""

import json
import os
import random
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tocsin_alerts.machine import Observation, Status, Timing, step

EVERY = timedelta(minutes=10)  # longer than Prometheus looks back
_DAY_0 = datetime(2026, 3, 1, tzinfo=UTC)
_SERIES_OF_A_RULE = 10


def promtool() -> Path | None:
    """Find it: as TOCSIN_PROMTOOL says, else on the PATH."""
    found = os.environ.get("TOCSIN_PROMTOOL") or shutil.which("promtool")
    return Path(found) if found else None


def disagreements(binary: Path, folder: Path, *, series: int, slots: int, seed: int) -> int:
    """Count the instants at which promtool and our machine hold different alerts to be firing.

    Args:
        binary: promtool.
        folder: For its files.
        series: How many; each ten share a rule with its own ``for`` and ``keep_firing_for``.
        slots: Of each.
        seed: Of the random ones.

    Raises:
        RuntimeError: promtool did not run.
    """
    chance = random.Random(seed)
    rules, values, firing = [], [], [set[tuple[str, str]]() for _ in range(slots)]
    for number in range(series):
        name = f"r{number // _SERIES_OF_A_RULE}"
        if number % _SERIES_OF_A_RULE == 0:
            hold, keep = _duration(chance), _duration(chance)
            rules.append(_rule(name, hold, keep))
            timing = Timing(every=EVERY, hold=hold, keep=keep)
        held = _held(chance, slots)
        values.append(
            {"series": f'm{{rule="{name}", s="{number}"}}', "values": " ".join(str(int(each)) for each in held)}
        )
        for at in _fires(held, timing):
            firing[at].add((name, str(number)))
    tests = [_expected(at, found) for at, found in enumerate(firing)]
    return _failed(binary, folder, rules, values, tests)


def _duration(chance: random.Random) -> timedelta:
    """Draw a duration: none, whole slots, or something between two."""
    return timedelta(minutes=chance.choice([0, 10, 20, 30, 60, chance.randrange(1, 90)]))


def _held(chance: random.Random, slots: int) -> list[bool]:
    """Draw whether a condition holds, slot by slot, in runs of any length."""
    stays, held, drawn = chance.choice([0.5, 0.7, 0.9]), chance.random() < 0.5, []
    for _ in range(slots):
        drawn.append(held)
        held = held if chance.random() < stays else not held
    return drawn


def _fires(held: Sequence[bool], timing: Timing) -> list[int]:
    status: Status | None = None
    found = []
    for at, holds in enumerate(held):
        status = step(status, Observation(holds=holds, clears=not holds), timing, _DAY_0 + at * EVERY)
        if status.is_active:
            found.append(at)
    return found


def _rule(name: str, hold: timedelta, keep: timedelta) -> dict[str, Any]:
    spelled = {"for": f"{int(hold.total_seconds())}s", "keep_firing_for": f"{int(keep.total_seconds())}s"}
    return {"alert": name, "expr": f'm{{rule="{name}"}} > 0', **spelled}


def _expected(at: int, found: set[tuple[str, str]]) -> dict[str, Any]:
    samples = [
        {"labels": f'ALERTS{{alertname="{rule}", alertstate="firing", rule="{rule}", s="{series}"}}', "value": 1}
        for rule, series in sorted(found)
    ]
    return {"expr": 'ALERTS{alertstate="firing"}', "eval_time": f"{at * 10}m", "exp_samples": samples}


def _failed(
    binary: Path, folder: Path, rules: Sequence[Mapping[str, Any]], values: Sequence[Any], tests: Sequence[Any]
) -> int:
    folder.mkdir(parents=True, exist_ok=True)
    groups = {"groups": [{"name": "g", "interval": "10m", "rules": list(rules)}]}
    (folder / "rules.yml").write_text(json.dumps(groups), encoding="utf-8")
    test = {"interval": "10m", "input_series": list(values), "promql_expr_test": list(tests)}
    said = {"rule_files": ["rules.yml"], "evaluation_interval": "10m", "tests": [test]}
    (folder / "tests.yml").write_text(json.dumps(said), encoding="utf-8")
    ran = subprocess.run(
        [binary, "test", "rules", "tests.yml"], cwd=folder, capture_output=True, text=True, check=False
    )
    told = ran.stdout + ran.stderr
    if ran.returncode == 0 and "SUCCESS" in told:
        return 0
    failed = told.count("exp:")
    if not failed:
        raise RuntimeError(f"promtool did not run: {told[:2000]}")
    return failed
