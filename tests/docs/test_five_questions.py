"""The five questions, from an empty folder to a page that was taken: every block of the page, in its order."""

import json
import re
from pathlib import Path

from tests.alerts.retraining.receiving import Receiver, receiver
from tests.docs.pages import Left, shown
from tests.docs.story import Story
from tests.end_to_end.conftest import _wait_for as wait_for

__all__ = ["receiver"]
PAGE = "five-questions.md"


def test_the_worked_example_works(tmp_path: Path, receiver: Receiver) -> None:
    """Whoever follows it and gets stuck will believe nothing else that we say."""
    told = shown(PAGE, tested_by=__file__)
    assert len(told) >= 18

    said = []
    with Story(tmp_path, SLACK_URL=receiver.url) as story:
        for block in told:
            _wait_for_what_the_reader_sees(story, block)
            said.append(story.run(block))

    text = "\n".join(said)
    messages = [json.dumps(body) for _, _, body in receiver.posts]
    assert "ticket-triage: complete" in text
    assert "matched        7,000" in text
    assert re.search(r"estimated-accuracy-falling +page +firing", text)
    assert re.search(r"noticed on day \d+; with 20 reviews a week", text)
    assert "a person sorts the ticket" in text
    assert "at least 44" not in text
    assert "3 of 5 questions are open" in text
    tests = [each for each in messages if "TEST, nothing is wrong" in each]
    assert len(tests) == 2
    assert len([each for each in messages if "[PAGE] ticket-triage" in each]) == 1, messages


def _wait_for_what_the_reader_sees(story: Story, block: Left) -> None:
    """Whoever types is slower than the evaluators; a test is not."""
    up = story.up
    if up is None:
        return

    def is_there(count: int, of: str) -> None:
        wait_for(lambda: up.query(f"SELECT count() >= {count} FROM {of}")[0][0], what=f"{count} {of}")

    if "tocsin outcomes load" in block.text:
        is_there(7000, "calls")
    if "history.py 35" in block.text:
        is_there(7000, "outcomes")
    if "tocsin alerts list" in block.text:
        is_there(1, "notifications WHERE channel = 'oncall' AND transition = 'firing' AND state = 'sent'")
        is_there(1, "evaluations WHERE evaluator = 'estimated_accuracy' AND slot >= '2026-02-15'")
    if "$INCIDENT" in block.text:
        [[incident]] = up.query("SELECT any(incident) FROM alert_events WHERE severity = 'page' AND incident != ''")
        story.environment["INCIDENT"] = incident[:12]
