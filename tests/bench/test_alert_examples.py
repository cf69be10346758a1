"""docs/alerts shows what is sent today."""

import email
import email.policy
from typing import Any

from alert_examples import CHART, FOLDER, MAIL_PICTURE, OWN_CHART, examples, shipped


def said(content: bytes) -> Any:
    """Give what a file says: of a mail its headers and parts, since Python's versions fold lines in other places."""
    if not content.startswith(b"From: "):
        return content
    mail = email.message_from_bytes(content, policy=email.policy.default)
    parts = [(part.get_content_type(), part.get_payload(decode=True)) for part in mail.walk()]
    return [(name, " ".join(value.split())) for name, value in mail.items()], parts


def test_the_documented_examples_are_what_is_sent() -> None:
    """A reader decides by them what to send where; ``python bench/alert_examples.py`` writes them anew."""
    chart = (FOLDER / CHART).read_bytes()

    made = examples(shipped(), chart)

    stale = [name for name, content in made.items() if said((FOLDER / name).read_bytes()) != said(content)]
    assert stale == []
    assert {path.name for path in FOLDER.iterdir()} == {*made, CHART, OWN_CHART, MAIL_PICTURE, "index.md"}
    assert (FOLDER / MAIL_PICTURE).read_bytes().startswith(b"\x89PNG")
