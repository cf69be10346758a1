"""The runbooks that alerts link to, read where the console runs."""

import json
import re
import shlex
from pathlib import Path
from typing import Any

from tests.console.test_acknowledging import fires
from tests.console.web.test_pages import get
from tests.docs.commands import inline

from tocsin_alerts.runbook import shipped_runbooks

DOCS = Path(__file__).resolve().parents[3] / "docs"
PAGES = [page for name in ("concepts", "operations", "channels") for page in sorted((DOCS / name).rglob("*.md"))] + [
    page for page in (DOCS / "five-questions.md", DOCS / "faq.md") if page.exists()
]


def test_every_runbook_is_a_page_and_a_document(running: Any) -> None:
    """Whoever is woken opens the link of the message; the internet may be what is away."""
    pages = {name: get(running.address, f"/runbooks/{name}") for name in shipped_runbooks()}
    listed = json.loads(get(running.address, "/runbooks.json")[2])

    assert {status for status, _, _ in pages.values()} == {200}
    assert all("<h2>Look first</h2>" in text for _, _, text in pages.values())
    assert [each["rule"] for each in listed["runbooks"]] == list(shipped_runbooks())


def test_a_runbook_links_others_and_nothing_that_only_the_documents_have(running: Any) -> None:
    """A link that leads nowhere costs somebody a minute at night."""
    links = {
        link for name in shipped_runbooks()
        for link in re.findall(r'href="([^"]+)"', get(running.address, f"/runbooks/{name}")[2].partition("prose")[2])
    }  # fmt: skip

    runbooks = {link for link in links if link.startswith("/runbooks/") and "." not in link}
    assert {get(running.address, link)[0] for link in runbooks} == {200}
    assert [link for link in links if link.endswith(".md")] == []


def test_there_is_no_runbook_of_a_name_that_nobody_gave(running: Any) -> None:
    """What is misspelt is answered with what is near."""
    status, _, text = get(running.address, "/runbooks/acuracy-drop")

    assert status == 404
    assert "accuracy-drop" in text


def test_an_incident_and_a_rule_link_their_runbook(running: Any) -> None:
    """On both pages somebody asks what to do now."""
    fires(running.database, "e" * 32, rule="null-rate", to_state="firing")

    document = json.loads(get(running.address, f"/alerts/{'e' * 32}.json")[2])
    page, rule = (get(running.address, path)[2] for path in (f"/alerts/{'e' * 32}", "/rules/null-rate"))

    assert document["runbook"]["guide"] == "null-rate"
    assert document["runbook"]["steps"][0].startswith("Which field")
    assert 'href="/runbooks/null-rate"' in page
    assert 'href="/runbooks/null-rate"' in rule


def test_the_statements_on_pages_are_answered(running: Any) -> None:
    """A column that was renamed since must break the build, not somebody's night."""
    asked = [sql for page in PAGES for sql in statements(page.read_text(encoding="utf-8"))]

    answered = [running.parts.reader.ask(sql) for sql in asked]

    assert len(answered) >= 8  # by an empty store: that they are answered at all


def statements(markdown: str) -> list[str]:
    """List the SQL that stands in code font in a page, alone or in a command."""
    commands = [shlex.split(command)[-1] for command in inline(markdown) if command.startswith("tocsin query ")]
    return commands + re.findall(r"`(SELECT [^`\n]+)`", markdown)
