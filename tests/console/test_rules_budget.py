"""``rules budget``: what a team reads before it lets a rule page."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tocsin_console.config import Config

Tocsin = Callable[..., Any]
HOUR = datetime(2026, 3, 2, 11, tzinfo=UTC)


def write(folder: Path, name: str, rate: float) -> None:
    """Write a page rule with a rate into the team's folder."""
    folder.mkdir(exist_ok=True)
    text = f"rule: {name}\nsummary: s\nevaluator: accuracy\nwhen: value < 0.8\nseverity: page\nfalse_pages_per_year: {rate}\n"
    (folder / f"{name}.yaml").write_text(text)


def test_before_the_first_call_it_shows_what_one_use_case_will_spend(tocsin: Tocsin, config: Config) -> None:
    """Nothing runs and nothing is stored: the question can be asked on a laptop and in CI."""
    result = tocsin("rules", "budget")

    assert result.exit_code in (0, 1)
    assert "no use case has calls yet" in result.stdout
    assert "the budget bears at most" in result.stdout, "rules that nobody has measured are not free"
    assert not (config.data_dir / "store").exists()


def test_more_use_cases_spend_more_and_exit_1_says_so(tocsin: Tocsin, config: Config) -> None:
    """The figure for CI: whoever adds a rule sees what it costs a rotation of a hundred."""
    write(config.rules_dir, "noisy", 0.29)

    result = tocsin("rules", "budget", "--streams", "100", "--json")

    said = json.loads(result.stdout)
    assert result.exit_code == 1
    assert (said["holds"], said["streams"]) == ("over", 100)
    assert "noisy" in said["make_tickets"]
    assert next(each["per_year"] for each in said["rules"] if each["rule"] == "noisy") == pytest.approx(29.0)


def test_the_use_cases_of_a_running_tocsin_are_counted(tocsin: Tocsin, config: Config, running: Any) -> None:
    """The streams that have calls, by name."""
    write(config.rules_dir, "noisy", 0.35)
    count = dict.fromkeys(("probes", "errors", "retries", "unpriced", "confident", "cost"), 0)
    row = {"project": "default", "use_case": "triage", "hour": HOUR, "calls": 5, "served_by": "model", **count}
    running.database.insert("ai_calls_1h", [row])
    running.statuses.append(kept_status("triage"))

    result = tocsin("rules", "budget")

    assert result.exit_code == 1
    assert "triage: " in result.stdout
    assert "of 0.3: over" in result.stdout


def kept_status(use_case: str) -> Any:
    """A status of a use case, as the engine gives it."""
    from tocsin_alerts.status import UseCaseStatus

    return UseCaseStatus(
        project="default",
        use_case=use_case,
        verdict="unverified",
        reason="",
        accuracy=None,
        estimate=None,
        alerts=(),
        unanswered=5,
        evaluated_through=None,
    )
