"""Receipts: what they say, when they are grey, and that nobody makes one up."""

import json
from datetime import timedelta
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from tests.console.conftest import NOW
from tests.console.test_api import status
from tests.console.web.test_pages import get

from tocsin_console.receipt import as_said, badge, receipt, signed, verified

KEY = b"k" * 32


def case(**changes: Any) -> dict[str, Any]:
    """A use case with good labels."""
    sample = {"value": 0.931, "lower": 0.915, "upper": 0.947}
    return {"project": "default", "use_case": "x", "verdict": "right", "accuracy": sample, "estimate": None, **changes}


def made(each: dict[str, Any], **changes: Any) -> Any:
    """A receipt of today."""
    said: dict[str, Any] = {"reviewed": 20, "minutes": 24.4, "needed": 0, "through": NOW, "now": NOW}
    return receipt(each, **{**said, **changes})


def test_one_line_says_what_the_week_was() -> None:
    """Quality with its reach, what people did, what is needed."""
    assert made(case()).words == "93 % ± 2, 20 reviewed, 24 min this week, nothing needed"
    assert made(case()).shade == "right"
    assert made(case(), needed=2).words.endswith("2 to decide")


@pytest.mark.parametrize(
    ("each", "changes"),
    [
        (case(), {"through": NOW - timedelta(days=3)}),
        (case(), {"through": None}),
        (case(verdict="unverified"), {}),
        (case(verdict="collecting"), {}),
        (case(accuracy=None), {}),
        (case(accuracy={"value": None, "lower": None, "upper": None}, estimate=case()["accuracy"]), {}),
    ],
)
def test_without_fresh_evidence_it_is_grey(each: dict[str, Any], changes: dict[str, Any]) -> None:
    """A green badge that nobody looks behind is the outage that this product is against."""
    assert made(each, **changes).shade == "grey"


def test_nothing_that_is_changed_is_ours() -> None:
    """Whoever shows a receipt cannot have written it."""
    token = signed(as_said(made(case())), KEY)

    assert verified(token, KEY) == as_said(made(case()))
    for place in range(0, len(token), 7):
        other = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
        assert verified(other, KEY) is None
    assert verified(token, b"x" * 32) is None
    for junk in ("", ".", "a.b", "é.é", token.partition(".")[0]):
        assert verified(junk, KEY) is None


@pytest.mark.parametrize(
    "name", ["<script>alert(1)</script>", "a" * 500, '" onload="x', "]]>&amp;", "\u202eevil", "\x00\x1b[31m"]
)
def test_a_badge_is_a_picture_whatever_a_use_case_is_called(name: str) -> None:
    """Names come from spans."""
    drawn = ET.fromstring(badge(made(case(use_case=name))))  # noqa: S314 - our own

    assert {part.tag.rpartition("}")[2] for part in drawn.iter()} == {"svg", "title", "rect", "g", "text"}


def test_the_page_gives_a_badge_and_a_permalink_that_open_without_signing_in(running: Any) -> None:
    """They are made to be shown to people who have no access."""
    running.statuses.append(status(NOW, use_case="planned/x"))

    document = get(running.address, "/receipt/default/planned/x.json")[2]
    links = json.loads(document)
    drawn, kept = get(running.address, links["badge"]), get(running.address, links["permalink"])

    assert drawn[1]["content-type"] == "image/svg+xml"
    assert "min this week" in drawn[2]
    assert (kept[0], "Signed by this tocsin" in kept[2]) == (200, True)
    assert get(running.address, "/receipts/a.b")[0] == 404
    assert get(running.address, f"{links['permalink']}.svg")[0] == 404
    assert get(running.address, "/receipt/default/none")[0] == 400
    assert (running.parts.config.data_dir / "receipt.key").stat().st_mode & 0o077 == 0
