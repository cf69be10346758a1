"""``rules init``, ``diff`` and ``schema``: files that a team writes, begun, compared and completed."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from tocsin_alerts import documents
from tocsin_alerts.rules import SHIPPED
from tocsin_console.config import Config
from tocsin_console.schemas import NAMES, schema

Tocsin = Callable[..., Any]
SCHEMAS = Path(__file__).resolve().parents[2] / "docs" / "schemas"


def test_what_init_writes_passes_its_check_and_its_tests(tocsin: Tocsin, config: Config) -> None:
    """A first rule that does not pass teaches nobody."""
    made = tocsin("rules", "init", "low-scores")
    checked, tested = tocsin("rules", "check"), tocsin("rules", "test", "low-scores")

    assert [result.exit_code for result in (made, checked, tested)] == [0, 0, 0], made.output + checked.output
    assert "2 tests of 1 rules, 0 failed" in tested.stdout
    text = (config.rules_dir / "low-scores.yaml").read_text()
    assert text.startswith("# yaml-language-server: $schema=./.rule.schema.json\n")
    assert json.loads((config.rules_dir / ".rule.schema.json").read_text()) == schema("rule")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("Low Scores",), "expected a name of small letters"),
        (("../x",), "expected a name of small letters"),
        (("x", "--evaluator", "acuracy"), "did you mean 'accuracy'"),
    ],
)
def test_what_cannot_be_begun_is_refused(tocsin: Tocsin, config: Config, words: tuple[str, ...], message: str) -> None:
    """And nothing is written."""
    result = tocsin("rules", "init", *words)

    assert result.exit_code == 2
    assert message in result.output
    assert not config.rules_dir.exists()


def test_a_rule_that_exists_is_not_written_over(tocsin: Tocsin, config: Config) -> None:
    """Somebody measured that one."""
    tocsin("rules", "init", "mine")
    (config.rules_dir / "mine.yaml").write_text("kept")

    assert tocsin("rules", "init", "mine").exit_code == 2
    assert (config.rules_dir / "mine.yaml").read_text() == "kept"


def test_diff_says_what_a_folder_changes(tocsin: Tocsin, config: Config) -> None:
    """Before a review: which rules are other than shipped, in which key, from what to what."""
    tocsin("rules", "init", "mine")
    shipped = (SHIPPED / "volume.yaml").read_text()
    (config.rules_dir / "volume.yaml").write_text(shipped.replace("severity: ticket", "severity: log"))
    (config.rules_dir / "freshness.yaml").write_text((SHIPPED / "freshness.yaml").read_text() + "enabled: false\n")

    result = tocsin("rules", "diff")
    found = {each["rule"]: each for each in json.loads(tocsin("rules", "diff", "--json").stdout)}

    assert {name: each["kind"] for name, each in found.items()} == {
        "mine": "added",
        "volume": "changed",
        "freshness": "removed",
    }
    assert found["volume"]["keys"] == {"severity": {"before": "ticket", "after": "log"}}
    assert 'severity: "ticket" -> "log"' in result.stdout


def test_without_a_folder_nothing_differs(tocsin: Tocsin) -> None:
    """A team that wrote no rule runs the shipped ones."""
    result = tocsin("rules", "diff")

    assert (result.exit_code, result.stdout) == (0, "nothing differs\n")


def test_two_folders_can_be_compared(tocsin: Tocsin, config: Config, tmp_path: Path) -> None:
    """A branch against another, in CI."""
    tocsin("rules", "init", "mine")
    other = tmp_path / "other"
    other.mkdir()
    text = (config.rules_dir / "mine.yaml").read_text()
    (other / "mine.yaml").write_text(text.replace("value < 0.8 ", "value < 0.75 "))

    result = tocsin("rules", "diff", config.rules_dir, other)

    assert 'when: "value < 0.8" -> "value < 0.75"' in result.stdout
    assert tocsin("rules", "diff", other, other).stdout == "nothing differs\n"
    assert tocsin("rules", "diff", tmp_path / "none").exit_code == 2


def test_diff_counts_what_would_have_fired(tocsin: Tocsin, config: Config, running: Any) -> None:
    """The threshold that looks harmless is seen on the team's own history."""
    zero = dict.fromkeys(("probes", "errors", "retries", "unpriced", "confident", "cost"), 0)
    hours = [datetime(2026, 3, 2, 12, tzinfo=UTC) - at * timedelta(hours=1) for at in range(1, 49)]
    rows = [{"project": "default", "use_case": "u", "hour": hour, "calls": 10, **zero} for hour in hours]
    running.database.insert("ai_calls_1h", [{**row, "served_by": "model", "currency": ""} for row in rows])
    config.rules_dir.mkdir()
    shipped = documents.read(SHIPPED / "volume.yaml").data
    del shipped["tests"], shipped["clear"]
    text = yaml.safe_dump({**shipped, "when": "value > 5", "for": 0})
    (config.rules_dir / "volume.yaml").write_text(text)

    result = tocsin("rules", "diff", "--from", "2026-03-01", "--to", "2026-03-02T12:00")

    assert result.exit_code == 0, result.output
    assert "would have fired 0 times before, 1 after" in result.stdout


@pytest.mark.parametrize("name", NAMES)
def test_the_committed_schemas_are_those_of_the_code(tocsin: Tocsin, name: str) -> None:
    """An editor that completes last month's keys is worse than none: ``tocsin rules schema NAME > docs/schemas/NAME.json``."""
    printed = tocsin("rules", "schema", name).stdout

    assert (SCHEMAS / f"{name}.json").read_text(encoding="utf-8") == printed
    assert json.loads(printed) == schema(name)


@pytest.mark.parametrize("name", NAMES)
def test_every_key_of_a_schema_says_what_it_means(name: str) -> None:
    """Editors show it, and the reference pages are made of it: write it below the key, with unit and what leaving it out means."""
    said = schema(name)

    mute = [
        f"{kind.get('title')}.{key}"
        for kind in (said, *said["$defs"].values())
        for key, text in kind.get("properties", {}).items()
        if not text.get("description", "").endswith(".")
    ]

    assert mute == []


def test_the_schema_of_rules_knows_every_key_and_how_durations_are_written() -> None:
    """What an editor underlines must be wrong, and what it does not must be right."""
    said = schema("rule")
    durations = [form["pattern"] for form in said["properties"]["every"].get("anyOf", [said["properties"]["every"]])]

    assert said["additionalProperties"] is False
    assert {"rule", "summary", "severity", "when"} == set(said["required"])
    for path in SHIPPED.glob("*.yaml"):
        data = documents.read(path).data
        assert set(data) <= set(said["properties"]), path.name
        assert re.fullmatch(durations[0], data["every"])
    assert re.fullmatch(durations[0], "1 day") is None
