"""A `tocsin up` that has been lived in: five weeks of calls and labels, a fall in quality, its incident, the guard in fallback."""

import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.docs import history
from tests.end_to_end.conftest import running

_PATIENCE_S = 300.0  # a loaded machine is slow, not broken
PLAN = """\
use_case: ticket-triage
quality: {measure: accuracy, floor: 0.9}
labels: {delay: 1d}
segments: [language]
owner: support-ml
contact: support-oncall@example.com
runbook: {first_steps: [Look at the five example calls]}
retraining:
  trigger: {metric: accuracy, threshold: 0.88, duration: 7d}
  action: label 500 tickets and train anew
  owner: ml-platform
fallback: {description: a person sorts the ticket}
guard: {mode: automatic}
budget: {per_day: 2, currency: USD}
rates: {review_per_hour: 40}
"""


@contextmanager
def lived_in(folder: Path) -> Iterator[Any]:
    """Start one, and wait until all of its history is judged."""
    (folder / "tocsin.yaml").write_text("clock: data\n", encoding="utf-8")
    (folder / "use_cases").mkdir()
    (folder / "use_cases" / f"{history.USE_CASE}.yaml").write_text(PLAN, encoding="utf-8")
    with running(folder) as up:
        program = [sys.executable, history.__file__, up.facts["grpc"], up.facts["guard"]]
        subprocess.run(program, check=True, timeout=120)
        deadline = time.monotonic() + _PATIENCE_S
        while not _is_judged(_status(up)):
            assert time.monotonic() < deadline, up.log.read_text()
            time.sleep(0.2)
        yield up


def incident(up: Any) -> str:
    """The id of what is wrong, as short as a person types it."""
    [found] = {each["incident"] for each in _status(up)["use_cases"][0]["alerts"] if each["severity"] == "page"}
    return str(found)[:12]


def _status(up: Any) -> Any:
    with urllib.request.urlopen(f"http://{up.facts['api']}/api/status", timeout=30) as answer:
        return json.load(answer)


def _is_judged(status: Any) -> bool:
    through, use_cases = status["evaluated_through"] or "", status["use_cases"]
    return (
        through >= f"{history.ENDS - timedelta(days=1):%Y-%m-%d}"
        and bool(use_cases)
        and use_cases[0]["guard"] == "fallback"
    )
