"""The state machine against Prometheus' own. Half a second of the processor."""

from pathlib import Path
from typing import Any

import pytest

from _alerts import oracle
from _alerts.oracle import disagreements, promtool
from tocsin_alerts.machine import Timing, step


@pytest.fixture
def tool() -> Path:
    """promtool, or a skip that says what to set."""
    found = promtool()
    if found is None:
        pytest.skip("needs promtool: set TOCSIN_PROMTOOL to it, or install Debian's prometheus")
    return found


def test_alerts_fire_and_end_when_prometheus_says_so(tool: Path, tmp_path: Path) -> None:
    """People know ``for`` and ``keep_firing_for`` from there; bench/alerts.py asks of 500 series."""
    assert disagreements(tool, tmp_path, series=60, slots=80, seed=7) == 0


def test_the_oracle_would_notice(tool: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A comparison that cannot fail compares nothing."""

    def late(status: Any, seen: Any, timing: Timing, slot: Any) -> Any:
        return step(status, seen, Timing(every=timing.every, hold=timing.hold + timing.every, keep=timing.keep), slot)

    monkeypatch.setattr(oracle, "step", late)

    assert disagreements(tool, tmp_path, series=10, slots=40, seed=7) > 0
