"""Stories of rules: what is expected, what came, and where they stand."""

from pathlib import Path
from typing import Any

import pytest

from tocsin_alerts.evaluator import load_evaluators
from tocsin_alerts.rule_tests import run_stories
from tocsin_alerts.rules import RuleBook, load_rules, survey

STORY = """rule: {rule}
tests:
  - name: a bad day fires
    samples:
      - {{slot: 0, value: 0.95}}
      - {{slot: 1, value: 0.7}}
    expect:
      - {{slot: {slot}, state: firing}}
"""
RULE = "rule: low\nsummary: s\nevaluator: accuracy\nseverity: page\nwhen: value < 0.8\n"


def run(kit: Any, folder: Path, text: str) -> Any:
    """Run a test file beside the one rule of a book."""
    (folder / "low.test.yaml").write_text(text)
    return run_stories(kit.make_book(RULE), folder)


def test_a_test_file_beside_a_rule_is_run(kit: Any, tmp_path: Path) -> None:
    """A team tests a rule that it did not write without copying it."""
    [result], findings = run(kit, tmp_path, STORY.format(rule="low", slot=1))

    assert (result.passes, findings) == (True, [])
    assert result.as_expected == ((1, "", "firing"),)


def test_what_differs_is_shown_slot_by_slot_with_its_reason(kit: Any, tmp_path: Path) -> None:
    """A verdict alone helps nobody: which transition, at which slot, and why it came."""
    [result], _ = run(kit, tmp_path, STORY.format(rule="low", slot=0))

    assert not result.passes
    assert result.diff() == ["- slot 0 firing", "+ slot 1 firing: value 0.7 < 0.8"]
    assert (result.path, result.line) == (str(tmp_path / "low.test.yaml"), 3)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (STORY.format(rule="lw", slot=1), "unknown rule 'lw': did you mean 'low'?"),
        ("rule: low\n", "expected a key 'tests', got none"),
        (STORY.format(rule="low", slot=1).replace("samples", "rows"), "unknown key 'tests.0.rows'"),
    ],
)
def test_a_test_file_that_cannot_be_meant_is_a_finding(kit: Any, tmp_path: Path, text: str, message: str) -> None:
    """A story that is never run would pass for ever."""
    results, findings = run(kit, tmp_path, text)

    assert results == []
    assert any(message in str(finding) and "low.test.yaml:" in str(finding) for finding in findings)


def test_a_test_file_is_no_rule(tmp_path: Path) -> None:
    """It lies in the folder of rules, whose every other file is one."""
    (tmp_path / "volume.test.yaml").write_text("rule: volume\ntests: []\n")

    _, findings = survey(tmp_path, evaluators=load_evaluators())

    assert findings == []


def test_every_shipped_story_passes() -> None:
    """Through the same runner that a team uses."""
    results, findings = run_stories(load_rules(evaluators=load_evaluators()))

    assert findings == []
    assert [result for result in results if not result.passes] == []
    assert all(result.line > 0 for result in results)


def test_no_rules_no_stories() -> None:
    """An empty book is no error."""
    assert run_stories(RuleBook()) == ([], [])
