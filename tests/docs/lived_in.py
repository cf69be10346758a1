"""A `tocsin up` that has been lived in: five weeks of calls and labels, a fall in quality, its incident, the guard in fallback."""

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.docs import history
from tests.end_to_end.conftest import running

_DEFAULTS = {"grpc": 4317, "http": 4318, "api": 8317, "guard": 8015, "clickhouse_http": 8123}
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
    furnish(folder)
    with running(folder) as up:
        live_in(up.facts)
        yield up


def furnish(folder: Path) -> None:
    """Write what it is started with."""
    (folder / "tocsin.yaml").write_text("clock: data\n", encoding="utf-8")
    (folder / "use_cases").mkdir()
    (folder / "use_cases" / f"{history.USE_CASE}.yaml").write_text(PLAN, encoding="utf-8")


def live_in(facts: Mapping[str, Any], python: Path | str = sys.executable) -> None:
    """Send its history, and wait until all of it is judged.

    Args:
        facts: What it said of its addresses.
        python: An interpreter that has the SDK.
    """
    environment = {name: said for name, said in os.environ.items() if not name.startswith(("OTEL_", "TOCSIN_"))}
    program = [python, history.__file__, facts["grpc"], facts["guard"]]
    subprocess.run(program, env=environment, check=True, timeout=_PATIENCE_S)
    deadline = time.monotonic() + _PATIENCE_S
    while not _is_judged(said := _status(facts)):
        assert time.monotonic() < deadline, said
        time.sleep(0.2)


def incident(facts: Mapping[str, Any]) -> str:
    """The id of what is wrong, as short as a person types it."""
    [use_case] = [each for each in _status(facts)["use_cases"] if each["use_case"] == history.USE_CASE]
    [found] = {each["incident"] for each in use_case["alerts"] if each["severity"] == "page"}
    return str(found)[:12]


def words(facts: Mapping[str, Any]) -> dict[str, str]:
    """What the words of a page stand for here."""
    return addresses(facts) | {"INCIDENT": incident(facts), "USE_CASE": history.USE_CASE}


def addresses(facts: Mapping[str, Any]) -> dict[str, str]:
    """Where the default addresses, which pages show, are here."""
    hosts = ("127.0.0.1", "localhost")
    return {f"{host}:{port}": facts[name] for name, port in _DEFAULTS.items() for host in hosts}


def put(words: Mapping[str, str], text: str) -> str:
    """Put what a page's words stand for in the place of them."""
    for word, meant in words.items():
        text = text.replace(word, meant)
    return text


def _status(facts: Mapping[str, Any]) -> Any:
    with urllib.request.urlopen(f"http://{facts['api']}/api/status", timeout=30) as answer:
        return json.load(answer)


def _is_judged(status: Any) -> bool:
    through, use_cases = status["evaluated_through"] or "", status["use_cases"]
    return (
        through >= f"{history.ENDS - timedelta(days=1):%Y-%m-%d}"
        and bool(use_cases)
        and use_cases[0]["guard"] == "fallback"
    )
