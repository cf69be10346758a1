"""Nothing that a model, a caller or an upload says acts on whoever reads a message; all payloads alone are in ``bench/alerts.py``."""

import json
import random
from email.message import EmailMessage
from typing import Any

import pytest

from _alerts.hostile_texts import PAGE, judged
from _alerts.injections import FAMILIES, MARK, payloads
from _alerts.judges import effects, html_effects
from tocsin_alerts.render import Templates
from tocsin_alerts.rendition import Kind
from tocsin_alerts.rules import RuleBook

_BATCH = 16  # a message has more places than that for others' words


def test_the_corpus_is_what_it_claims() -> None:
    """Two hundred texts, no two alike."""
    texts = [text for _, text in payloads()]

    assert len(set(texts)) == len(texts) >= 200
    assert FAMILIES.keys() >= {"slack", "mentions", "links", "html", "headers", "bidi", "ansi", "templates"}


def test_no_payload_acts_on_any_channel(rules: RuleBook) -> None:
    """Judged by parsing what would be sent, as its receiver does."""
    texts = [text for _, text in payloads()]
    random.Random(7).shuffle(texts)
    templates = Templates(public_url=PAGE)

    found = [
        effect for at in range(0, len(texts), _BATCH) for effect in judged(texts[at : at + _BATCH], rules, templates)
    ]

    assert [(each.channel, each.what) for each in found] == []


def _slack(text: str, kind: str = "text") -> bytes:
    preformatted = {"type": "rich_text_preformatted", "elements": [{"type": kind, "text": text}]}
    said = {"text": "x", "mrkdwn": False, "blocks": [{"type": "rich_text", "elements": [preformatted]}]}
    return json.dumps(said).encode()


def _teams(run: dict[str, Any]) -> bytes:
    card = {"body": [{"type": "RichTextBlock", "inlines": [{"type": "TextRun", **run}]}]}
    return json.dumps({"attachments": [{"content": card}]}).encode()


def _mail(text: str, html: str = "<p>x</p>", **headers: str) -> bytes:
    mail = EmailMessage()
    for name, value in {"Subject": "x", "To": "a@b.c", **headers}.items():
        mail[name] = value
    mail.set_content(text)
    mail.add_alternative(html, subtype="html")
    return mail.as_bytes()


def _webhook(text: str) -> bytes:
    return json.dumps({"data": {"subject": "x", "text": text}}).encode()


@pytest.mark.parametrize(
    ("kind", "bad", "good"),
    [
        ("slack", _slack("<!channel>"), _slack("x")),
        ("slack", _slack("see https://evil.example"), _slack("x")),
        ("slack", _slack("x", "link"), _slack("x")),
        ("teams", _teams({"text": "@everyone"}), _teams({"text": "x"})),
        ("teams", _teams({"text": "x", "selectAction": {}}), _teams({"text": "x"})),
        ("smtp", _mail("x", Bcc="all@evil.example"), _mail("x")),
        ("smtp", _mail("x", To="all@evil.example"), _mail("x")),
        ("smtp", _mail("evil.com"), _mail("x")),
        ("smtp", _mail("x", "<p>x<img src=y></p>"), _mail("x")),
        ("webhook", _webhook("\x1b[2J"), _webhook("x")),
        ("webhook", _webhook("left\u202eright"), _webhook("x")),
        ("webhook", _webhook(f"= {MARK}"), _webhook("x")),
    ],
)
def test_the_judges_see_what_acts(kind: Kind, bad: bytes, good: bytes) -> None:
    """A judge that lets everything pass proves nothing."""
    assert list(effects(kind, good, good)) == []
    assert list(effects(kind, bad, good)) != []


@pytest.mark.parametrize("bad", ["<p onclick=x>x</p>", "<p>x</p><script>y</script>", "<a href='javascript:x'>x</a>"])
def test_the_judge_of_pages_sees_what_acts(bad: str) -> None:
    """As a browser does."""
    assert list(html_effects("<p>x</p>", "<p>x</p>")) == []
    assert list(html_effects(bad, "<p>x</p>")) != []
