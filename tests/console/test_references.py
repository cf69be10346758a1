"""``reference`` and ``release``: what people read and decide, through a real API and without one."""

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from tocsin_console.config import Config

Tocsin = Callable[..., Any]
HOUR = datetime(2026, 3, 2, 9, tzinfo=UTC)


def calls(database: Any, use_case: str, model: str, count: int) -> None:
    """Count some calls of a version."""
    zero = dict.fromkeys(("probes", "errors", "retries", "unpriced", "confident", "cost"), 0)
    row = {"project": "default", "use_case": use_case, "hour": HOUR, "calls": count, "model_version": model}
    database.insert("ai_calls_1h", [{**row, "served_by": "model", "currency": "", **zero}])


def test_how_far_a_reference_is_can_be_asked(tocsin: Tocsin, running: Any) -> None:
    """The same words for a person, a script and the status."""
    calls(running.database, "young", "m1", 137)

    shown = tocsin("reference", "show", "young")
    document = json.loads(tocsin("reference", "show", "young", "--json").stdout)
    status = json.loads(tocsin("status", "--json").stdout)

    line = "collecting reference: 137 of 200 calls, day 1 of 28"
    assert line in shown.stdout
    assert [each["line"] for each in document] == [line]
    assert line in [each["line"] for each in status["releases"]]


def test_accepting_says_what_the_present_is_compared_with_from_now_on(tocsin: Tocsin, running: Any) -> None:
    """And who did it, and why, is kept."""
    calls(running.database, "shipped", "m2", 250)

    done = tocsin("release", "accept", "shipped", "--by", "ada", "--reason", "better on reviews")
    listed = json.loads(tocsin("release", "list", "--json").stdout)

    assert done.exit_code == 0, done.output
    assert "shipped: the present is compared with m2, 250 calls" in done.stdout
    mine = next(each for each in listed if each["use_case"] == "shipped")
    assert (mine["accepted_by"], mine["reason"], mine["reference"]["is_provisional"]) == (
        "ada",
        "better on reviews",
        True,
    )


@pytest.mark.usefixtures("running")
def test_what_cannot_be_accepted_is_said_in_one_sentence(tocsin: Tocsin) -> None:
    """A typing error must not accept something else."""
    result = tocsin("release", "accept", "no-such", "--by", "ada")

    assert result.exit_code == 2
    assert "no version of 'no-such'" in result.output


def test_while_nothing_runs_the_store_is_opened(config: Config) -> None:
    """A release script runs before the service does."""
    command = [sys.executable, "-m", "tocsin_console", "release", "list", "--json", "--data-dir", str(config.data_dir)]

    result = subprocess.run(command, cwd=config.data_dir.parent, capture_output=True, text=True, check=True)

    assert json.loads(result.stdout) == []
