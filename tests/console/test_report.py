"""Reports as the API and the command line have them."""

import json
from collections.abc import Callable
from typing import Any

import pytest

Tocsin = Callable[..., Any]
pytestmark = pytest.mark.usefixtures("running")


def test_an_unready_use_case_is_named_question_by_question_and_stops_a_launch(tocsin: Tocsin) -> None:
    """CI blocks on the exit code; whoever reads its log needs to know what to do next."""
    shown = tocsin("report", "readiness", "--use-case", "planned")
    document = json.loads(tocsin("report", "readiness", "--use-case", "planned", "--json").stdout)

    assert shown.exit_code == 1
    assert "planned: 5 of 5 questions are open" in shown.stdout
    assert "UNANSWERED How will you know it is wrong? the plan does not say quality.measure" in shown.stdout
    assert "next: write quality.measure into use_cases/planned.yaml, then: tocsin plan check" in shown.stdout
    assert [each["is_green"] for each in document[0]["questions"]] == [False] * 5


def test_an_unknown_use_case_is_no_ready_one(tocsin: Tocsin) -> None:
    """A slip in a pipeline's file must not let a launch pass."""
    shown = tocsin("report", "readiness", "--use-case", "planed")

    assert shown.exit_code == 2
    assert "did you mean 'planned'?" in shown.output
