"""A runbook for every shipped rule, and in it nothing that cannot be done."""

import re
from pathlib import Path

import yaml
from tests.docs.commands import inline, problem

from tocsin_alerts.rules import SHIPPED
from tocsin_alerts.runbook import shipped_runbooks, shipped_steps

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "operations" / "runbooks"
PARTS = ("Look first", "Usual causes", "Do", "It is over")
RULES = {file.stem: yaml.safe_load(file.read_text(encoding="utf-8")) for file in SHIPPED.glob("*.yaml")}


def test_every_shipped_rule_has_a_runbook_and_every_runbook_a_rule() -> None:
    """A page at night that leads nowhere is worse than none; write docs/operations/runbooks/NAME.md with the rule."""
    assert sorted(shipped_runbooks()) == sorted(RULES)


def test_the_index_lists_each_with_its_severity() -> None:
    """It is what a new person on call reads first."""
    listed = re.findall(r"^\| \[([\w-]+)\]\(\1\.md\) \| (\w+) \|", (FOLDER / "index.md").read_text(), re.MULTILINE)

    assert dict(listed) == {name: said["severity"] for name, said in RULES.items()}


def test_a_runbook_says_what_somebody_woken_needs() -> None:
    """In one order, in three steps, and with commands that the command line takes."""
    texts = shipped_runbooks()

    assert {tuple(re.findall(r"^## (.+)$", text, re.MULTILINE)) for text in texts.values()} == {PARTS}
    assert {len(shipped_steps(name, "triage", most=9)) for name in texts} == {3}
    assert [said for text in texts.values() for command in inline(text) if (said := problem(command))] == []


def test_first_steps_stay_commands_with_any_name_in_them() -> None:
    """Messages put the use case's name in, quoted for a shell: inside other quotes that would be no quoting."""
    steps = [step for name in RULES for step in _first_steps(shipped_runbooks()[name])]
    commands = [command for step in steps for command in inline(step)]

    said = [problem(command.replace("USE_CASE", "'a b' --project other")) for command in commands]

    assert [command for command in commands if re.search(r"[\"'][^\"']*USE_CASE", command)] == []
    assert [each for each in said if each] == []


def _first_steps(markdown: str) -> list[str]:
    return re.findall(r"^\d\. (.+)$", markdown, re.MULTILINE)


def test_links_between_runbooks_lead_somewhere() -> None:
    """In the console nothing else is linked."""
    for name, text in shipped_runbooks().items():
        assert set(re.findall(r"\]\(([^)]+)\.md\)", text)) <= set(RULES), name


def test_a_command_that_the_command_line_refuses_is_found() -> None:
    """Else none of the above would ever fail."""
    assert problem("tocsin guard set triage fallback --for 2h") == ""
    assert problem("tocsin guard set triage") != ""
    assert problem("tocsin guard sett triage fallback") != ""
    assert problem("tocsin explain triage --loudly") != ""
