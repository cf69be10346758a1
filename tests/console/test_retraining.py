"""Retraining as tocsin.yaml, the API and the command line have it."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from tests.console.conftest import NOW, Running

from tocsin_console.config import Config
from tocsin_console.errors import UsageProblem
from tocsin_console.retraining import actions_of
from tocsin_console.sections.acting import RetrainingAction

Tocsin = Callable[..., Any]
GITHUB = {"name": "g", "type": "github", "repository": "acme/digits", "event_type": "retrain", "token": "env:TOKEN"}


def test_actions_are_made_of_what_the_file_says(config: Config, tmp_path: Path) -> None:
    """Secrets are references that lead somewhere, before anything is due."""
    said = [
        GITHUB,
        {"name": "w", "type": "webhook", "url": "https://jobs.internal/x?token=1"},
        {"name": "c", "type": "command", "command": ["./retrain.sh"]},
    ]
    told = replace(config, retraining_actions=tuple(RetrainingAction.model_validate(each) for each in said))

    made = actions_of(told, environment={"TOKEN": "t0"}, now=lambda: NOW)

    assert {name: action.words for name, action in made.items()} == {
        "g": "GitHub acme/digits, event retrain",
        "w": "webhook https://jobs.internal/x",
        "c": "command ./retrain.sh",
    }
    with pytest.raises(UsageProblem, match="TOKEN"):
        actions_of(told, environment={}, now=lambda: NOW)
    assert tmp_path.exists()


@pytest.mark.parametrize(
    "said",
    [
        {"name": "x", "type": "command"},
        {"name": "x", "type": "command", "command": ["a"], "url": "https://x"},
        {"name": "x", "type": "webhook", "url": "ftp://x"},
        {**GITHUB, "repository": "acme"},
        {**GITHUB, "token": None},
        {"name": "x", "type": "shell", "command": ["a"]},
    ],
)
def test_an_action_that_is_none_is_refused_where_it_is_written(said: dict[str, Any]) -> None:
    """Not at three in the morning, when it is due."""
    with pytest.raises(ValidationError):
        RetrainingAction.model_validate(said)


def test_one_page_shows_the_trigger_and_its_history(running: Running, tocsin: Tocsin) -> None:
    """The plan of the fixture answers nothing, and that is said; a run is closed by how its name begins."""
    run = {
        "run": "abcdef0123",
        "project": "default",
        "use_case": "planned",
        "slot": NOW - timedelta(days=1),
        "condition": "accuracy below 0.88 for 3d",
        "value": 0.8,
        "n": 500,
        "state": "failed",
        "said": "HTTP 503",
    }
    running.database.insert("retraining_runs", [run])

    page = tocsin("retraining")
    status = tocsin("status")
    closed = tocsin("retraining", "close", "abc", "trained by hand", "--by", "ana")
    document = json.loads(tocsin("retraining", "--json").stdout)

    assert "unanswered: retraining.trigger.metric" in page.stdout
    assert "HTTP 503" in page.stdout
    assert "planned failed since" in status.stdout
    assert "trained by hand (ana)" in closed.stdout
    assert document[0]["runs"][0]["result"] == "trained by hand (ana)"
    assert "planned failed since" not in tocsin("status").stdout
    assert tocsin("retraining", "close", "zzz", "x").exit_code == 2
