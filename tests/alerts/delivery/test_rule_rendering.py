"""Any rule can be seen on fixtures before it fires, as each channel would show it."""

import email
import email.policy
import json
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from tocsin_alerts.briefing import brief
from tocsin_alerts.errors import TemplateError
from tocsin_alerts.fixtures import FIXTURES, Fixture, case_of
from tocsin_alerts.message import Message
from tocsin_alerts.plan import Plan
from tocsin_alerts.render import Templates
from tocsin_alerts.rendition import KINDS, Kind, misfits, rendition
from tocsin_alerts.rule import Rule
from tocsin_alerts.rule_rendering import lint_rule, render_rule, render_short
from tocsin_alerts.rules import RuleBook
from tocsin_alerts.web_links import is_web_link

SHIPPED = Templates()  # compiled once


def rule_of(rules: RuleBook, name: str) -> Rule:
    """Give a shipped rule."""
    return rules.rules[name]


@pytest.mark.parametrize("fixture", FIXTURES)
def test_every_shipped_rule_has_a_message_on_every_fixture(rules: RuleBook, fixture: Fixture) -> None:
    """What fires is what the rule's own tests say fires, so each says its own reason."""
    for rule in rules:
        view = brief(case_of(rule, fixture, rules))

        assert view.do_now
        assert view.lead.rule == rule.name
        assert (view.lead.measure.value is None) == (fixture in ("no-data", "error"))
        assert len(view.alerts) + view.more_alerts == (50 if fixture == "fifty" else 1)


def test_a_fixture_without_data_claims_nothing(rules: RuleBook) -> None:
    """The figures of the sample would be false in it."""
    rule = rule_of(rules, "null-rate")

    text = render_rule(rule, "no-data", "smtp", rules=rules, templates=SHIPPED).message.text

    assert "cannot be judged" in text.splitlines()[0]
    assert "94.3 %" not in text
    assert "nothing to judge" in text


def test_shipped_messages_fit_every_channel(rules: RuleBook) -> None:
    """Fifty alerts, too: what a channel cuts is what somebody needed."""
    templates = SHIPPED

    found = [
        each
        for name in ("accuracy-below-floor", "null-rate")
        for each in lint_rule(rule_of(rules, name), FIXTURES, rules=rules, templates=templates)
    ]

    assert [str(each) for each in found] == []


@pytest.mark.parametrize("kind", KINDS)
def test_every_channel_is_written_as_it_would_be_sent(rules: RuleBook, kind: Kind) -> None:
    """JSON that parses, a mail that parses."""
    made = render_rule(rule_of(rules, "accuracy-below-floor"), "firing", kind, rules=rules, templates=SHIPPED)

    body = rendition(kind, made)

    if kind == "smtp":
        mail = email.message_from_bytes(body, policy=email.policy.default)
        assert "PAGE" in mail["subject"]
    else:
        assert "accuracy-below-floor" in json.dumps(json.loads(body))


@pytest.mark.parametrize(
    ("kind", "message", "said"),
    [
        ("slack", {"text": "x" * 40_000}, "Slack shows the beginning alone"),
        ("slack", {"subject": "s" * 155}, "Slack cuts the subject"),
        ("teams", {"text": "line\n" * 5_000}, "Teams shows the beginning alone"),
        ("pagerduty", {"text": "x" * 61_000}, "PagerDuty shows the beginning alone"),
        ("smtp", {"html": "<p>" + "x" * 110_000}, "bytes of HTML"),
        ("log", {"subject": "s" * 160}, "the subject is cut"),
    ],
)
def test_what_does_not_fit_is_found(notification: Any, kind: Kind, message: dict[str, str], said: str) -> None:
    """Before the night in which half of it is missing."""
    whole = Message(subject="s", text="t", html="", data={})

    found = list(misfits(kind, notification(message=replace(whole, **message))))

    assert any(said in each for each in found)


def test_a_template_that_fails_is_found_and_its_short_form_shown(rules: RuleBook, tmp_path: Path) -> None:
    """It is what would be sent."""
    (tmp_path / "firing.txt.j2").write_text("{{ nothing_such }}")
    rule, templates = rule_of(rules, "null-rate"), Templates(tmp_path)

    found = lint_rule(rule, ["firing"], rules=rules, templates=templates)
    with pytest.raises(TemplateError):
        render_rule(rule, "firing", "slack", rules=rules, templates=templates)
    short = render_short(rule, "firing", "slack", rules=rules, reason="line 1")

    assert [each.kind for each in found] == [""]
    assert "nothing_such" in str(found[0])
    assert "this is the short form: line 1" in short.message.text


@pytest.mark.parametrize("kind", KINDS)
def test_every_channel_links_the_rules_dashboard_or_the_plans(rules: RuleBook, kind: Kind) -> None:
    """Whoever is called looks at figures next; an address that is broken or not escaped leads nowhere."""
    plain = rule_of(rules, "accuracy-below-floor")
    own = "https://grafana.example.com/d/own?from=now-7d&var-use_case=digit-reader"
    rule = replace(plain, text=plain.text.model_copy(update={"dashboard": own}))

    mine, plans = (
        rendition(kind, render_rule(each, "firing", kind, rules=RuleBook({each.name: each}), templates=SHIPPED))
        for each in (rule, plain)
    )
    if kind == "smtp":
        mail = email.message_from_bytes(mine, policy=email.policy.default)
        said = [part.get_content() for part in mail.walk() if part.get_content_maintype() == "text"]
        assert [own in said[0], own.replace("&", "&amp;") in said[1]] == [True, True]
    else:
        text, linked = json.dumps(json.loads(mine)), own.replace("&", "&amp;") if kind == "slack" else own
        assert f"<{linked}|Dashboard>" in text if kind == "slack" else linked in text
        assert b"https://grafana.example.com/d/digit-reader" in plans


def test_without_a_dashboard_it_is_the_consoles_page(rules: RuleBook) -> None:
    """A use case's name comes from spans: what it says must not leave its place in the address."""
    case = case_of(rule_of(rules, "null-rate"), "firing", rules)
    view = replace(brief(case), project="a/b", use_case="mail sorter?#<!here>@x", dashboard="")
    reached = Templates(public_url="https://tocsin.example.com")

    page = "https://tocsin.example.com/use-cases/a%2Fb/mail%20sorter%3F%23%3C%21here%3E%40x"
    assert reached.compose(view, chat=True).data["dashboard"] == page
    assert page in reached.compose(view, chat=True).text
    assert "Dashboard" not in SHIPPED.compose(view, chat=True).text


@pytest.mark.parametrize(
    ("given", "is_link"),
    [
        ("https://grafana.example.com/d/x?var-a=b&c=%20", True),
        ("http://[::1]:3000/d", True),
        ("grafana.example.com/d", False),
        ("javascript:alert(1)", False),
        ("https:///d", False),
        ("https://x:port/", False),
        ("https://x/a b", False),
        ("https://x/|<!channel>", False),
        ("https://x/\u202eb", False),
        ("https://x/" + 2_000 * "a", False),
    ],
)
def test_a_dashboard_is_an_address(given: str, is_link: bool) -> None:
    """A plan that says something else is refused when it is read, not when somebody is called."""
    assert is_web_link(given) is is_link
    with nullcontext() if is_link else pytest.raises(ValidationError, match="expected an address such as"):
        Plan(use_case="digits", dashboard=given)
