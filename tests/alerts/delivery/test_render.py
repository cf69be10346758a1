"""Messages read well, whatever is in them."""

import re
from dataclasses import fields, is_dataclass, replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from tocsin_alerts.message import Impact, Money, View
from tocsin_alerts.render import Templates, fallback
from tocsin_alerts.sample_views import FIRING, RESOLVED, SAMPLES

SHIPPED = Templates()  # compiled once
HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "\"'><svg onload=alert(1)>",
    "javascript:alert(1)",
    "{{ 7 * 7 }}{% for x in y %}",
    "\x1b[2J\x1b[31mALL CLEAR\x1b[0m",
    "line\r\nSubject: forged\n\nNothing to do",
    "right\u202eleft\u2066",
    "@channel <!here> <@U1> @everyone",
    "x" * 5_000,
    "\ud800",
]


class Tags(HTMLParser):
    """Lists what a browser would act on."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[tuple[str, str]] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note one."""
        self.tags.add(tag)
        self.attributes |= {(name, value or "") for name, value in attrs}


def _poisoned(value: Any, poison: str) -> Any:
    """Put a text into every field that is free text."""
    kept = {"transition", "severity", "state", "in_force", "unit"}
    if is_dataclass(value) and not isinstance(value, type):
        new = {f.name: _poisoned(getattr(value, f.name), poison) for f in fields(value) if f.name not in kept}
        return replace(value, **new)
    if isinstance(value, tuple):
        return tuple(_poisoned(item, poison) for item in value)
    if isinstance(value, dict):
        return {poison: poison}
    return poison if isinstance(value, str) else value


@pytest.mark.parametrize("poison", HOSTILE)
@pytest.mark.parametrize("view", SAMPLES[:3], ids=lambda view: view.transition)
def test_no_text_acts_in_html(view: View, poison: str) -> None:
    """A model's answer is shown in somebody's mail program."""
    clean, dirty = Tags(), Tags()
    clean.feed(SHIPPED.compose(view, chat=False).html)

    dirty.feed(SHIPPED.compose(_poisoned(view, poison), chat=False).html)

    assert dirty.tags <= clean.tags
    assert {name for name, _ in dirty.attributes} <= {name for name, _ in clean.attributes}
    assert not any("javascript" in value for name, value in dirty.attributes if name == "href")


@pytest.mark.parametrize("poison", HOSTILE)
@pytest.mark.parametrize("view", SAMPLES[:3], ids=lambda view: view.transition)
def test_no_text_acts_in_plain_text(view: View, poison: str) -> None:
    """A terminal obeys escapes, a chat obeys mentions, and a forged line is believed."""
    honest = SHIPPED.compose(view, chat=True).text

    message = SHIPPED.compose(_poisoned(view, poison), chat=True)

    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", message.text)
    assert not re.search(r"@(channel|here|everyone)|<[!@a-z]", message.text + message.subject)
    assert "\n" not in message.subject
    assert not any(line.startswith(("Subject: forged", "Nothing to do")) for line in message.text.splitlines())
    assert len(message.text) < 64 * 1024
    assert "\n" in honest


@pytest.mark.parametrize("view", SAMPLES, ids=lambda view: f"{view.transition}-{view.severity}")
def test_plain_text_fits_a_terminal(view: View) -> None:
    """Longer lines wrap where they should not."""
    text = SHIPPED.compose(view, chat=False).text

    assert max(len(line) for line in text.splitlines()) <= 78
    assert not any(line.endswith(" ") for line in text.splitlines())
    assert "\n\n\n" not in text


def test_the_first_line_says_what_to_do() -> None:
    """It is what a phone shows."""
    text = SHIPPED.compose(FIRING, chat=False).text

    assert text.splitlines()[0] == FIRING.do_now
    assert text.splitlines()[1].strip() == FIRING.command


def test_everything_that_a_page_needs_is_in_it() -> None:
    """Whoever is woken should not have to look for anything."""
    message = SHIPPED.compose(FIRING, chat=False)

    for part in (message.text, message.html):
        for needed in (
            "digit-reader",
            "Accuracy is below the floor",
            "Wed 15 Apr 2026",
            "94.3 % → 88.3 %",
            "86.8\u201389.6 %",
            "2,034",
            "94.1 % → 87.8 %",
            "edge_sharpness",
            "flatbed-2",
            "4bf92f3577b34da6a3ce929d0e0e4736",
            "97 %",
            "vision-team",
            "vision-oncall@example.com",
            "https://wiki.example.com/runbooks/digit-reader",
            "Look at the five calls",
            "shadow: would have gone to fallback",
            "accuracy-below-floor",
            "What changed: the data",
            "2,000 calls a day, 310 users in the last day",
            "90.0 %",
            "2026-01 with prompt p4",
            "none was set off since it began",
            "16.05 USD, for the 4,012 calls since",
            "tocsin alerts ack 7f3c9a1e52b0",
            "tocsin alerts silence digit-reader",
            "tocsin alerts list",
            "tocsin guard show digit-reader",
            FIRING.incident,
        ):
            assert needed in " ".join(part.split()), needed


def test_what_is_unknown_is_not_dressed_up() -> None:
    """A use case without labels, plan or evidence says so."""
    text = SHIPPED.compose(SAMPLES[3], chat=False).text

    assert "unverified" in text
    assert "What changed: not known" in text
    assert "Release      not known" in text
    assert "Cost         not known" in text
    assert "calls: not known" in text
    assert "Owner        unanswered" in text
    assert "None" not in text


@pytest.mark.parametrize(
    ("money", "said"),
    [
        ((Money(currency="EUR", spent=1.5, unpriced=0),), "1.50 EUR, for the 150 calls"),
        ((Money(currency="EUR", spent=1.5, unpriced=20),), "1.50 EUR, 20 calls without a price, for the 150 calls"),
        ((Money(currency="", spent=0, unpriced=150),), "no price is known, for the 150 calls"),
        (
            (Money(currency="EUR", spent=1.5, unpriced=0), Money(currency="USD", spent=2, unpriced=0)),
            "1.50 EUR; 2.00 USD, for the 150 calls",
        ),
    ],
)
def test_a_cost_says_what_it_leaves_out(money: tuple[Money, ...], said: str) -> None:
    """What has no price is not free."""
    view = replace(FIRING, impact=Impact(since=FIRING.onset, calls=150, users=None, money=money))

    assert said in SHIPPED.compose(view, chat=False).text


def test_programs_read_names_as_they_are() -> None:
    """A receiver looks the use case up; what is broken for a chat is another name."""
    message = SHIPPED.compose(replace(FIRING, use_case="search.rank@eu"), chat=True)

    assert message.data["use_case"] == "search.rank@eu"
    assert "search.rank" not in message.subject


def test_with_a_public_address_a_message_links_the_page_and_without_it_says_the_commands() -> None:
    """A link that leads nowhere is worse than none."""
    linked = Templates(public_url="https://tocsin.example.com").compose(FIRING, chat=False)
    plain = SHIPPED.compose(FIRING, chat=False)

    page = f"https://tocsin.example.com/alerts/{FIRING.incident}"
    assert f"Acknowledge  {page}" in linked.text
    assert f'href="{page}#silence"' in linked.html
    assert linked.data["page"] == page
    assert "/alerts/" not in plain.text + plain.html
    assert "tocsin alerts ack" in plain.text


def test_the_runbook_of_the_rule_is_a_link_or_a_command() -> None:
    """Pagers and Alertmanager show one link: the team's where there is one, else that of the rule."""
    reached = Templates(public_url="https://tocsin.example.com")
    without = replace(FIRING, runbook=replace(FIRING.runbook, link=""))
    page = "https://tocsin.example.com/runbooks/accuracy-below-floor"

    both, only, plain = (
        reached.compose(FIRING, chat=False),
        reached.compose(without, chat=False),
        SHIPPED.compose(without, chat=False),
    )

    assert (both.data["runbook"]["link"], both.data["runbook"]["guide"]) == (FIRING.runbook.link, page)
    assert f"This rule    {page}" in both.text
    assert only.data["runbook"]["link"] == page
    assert f'href="{page}"' in only.html
    assert "This rule" not in only.text
    assert "Runbook      tocsin rules runbook accuracy-below-floor" in plain.text


def test_data_are_json_values() -> None:
    """A webhook's receiver reads figures, not prose."""
    data = SHIPPED.compose(FIRING, chat=True).data

    assert data["quality"]["value"] == 0.883
    assert data["opened"] == "2026-04-17T00:00:00+00:00"
    assert [example["truth"] for example in data["examples"]] == ["8", "7", "6", None, None]


def test_a_user_template_overrides_by_name(tmp_path: Path) -> None:
    """A team may say it in its own words, and leave the rest as shipped."""
    (tmp_path / "firing.txt.j2").write_text("{{ use_case }} is at {{ quality.value|pct }}\n")

    message = Templates(tmp_path).compose(FIRING, chat=False)

    assert message.text == "digit-reader is at 88.3 %\n"
    assert "Inputs that moved most" in message.html


def test_a_rule_may_have_words_of_its_own(tmp_path: Path) -> None:
    """They say that it fires; that it is over is said as ever."""
    (tmp_path / "mine.txt.j2").write_text("mine: {{ use_case }}\n")

    firing = Templates(tmp_path).compose(FIRING, chat=False, template="mine")
    resolved = Templates(tmp_path).compose(RESOLVED, chat=False, template="mine")

    assert firing.text == "mine: digit-reader\n"
    assert "Calls to look at" in firing.html
    assert resolved.text.startswith("Nothing to do")


def test_the_short_form_says_the_most_important() -> None:
    """It is what is left when a template fails."""
    message = fallback(_poisoned(FIRING, "\x1b[31mbad"), reason="line 3: nope", chat=False)

    assert message.text.startswith("bad\n")
    assert "line 3: nope" in message.text
    assert "\x1b" not in message.text + message.subject
