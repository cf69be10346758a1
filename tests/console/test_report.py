"""Reports as the API and the command line have them."""

import json
from collections.abc import Callable
from datetime import time, timedelta
from pathlib import Path
from typing import Any

import pytest
import urllib3
from pydantic import ValidationError
from tests.alerts.report.test_weekly import NOTHING as EMPTY
from tests.console.conftest import MAIL, NOW, FakeLetters, Running

from tocsin_alerts.channels import LogChannel
from tocsin_alerts.report.sending import Timetable
from tocsin_alerts.report.weekly import Week, weekly
from tocsin_console.config import Config
from tocsin_console.errors import UsageProblem
from tocsin_console.report.sending import Postbox, mailboxes
from tocsin_console.sections.acting import ReportSection

Tocsin = Callable[..., Any]
pytestmark = pytest.mark.usefixtures("running")


def test_an_unready_use_case_is_named_question_by_question_and_stops_a_launch(tocsin: Tocsin) -> None:
    """CI blocks on the exit code; whoever reads its log needs to know what to do next."""
    shown = tocsin("report", "readiness", "--use-case", "planned")
    document = json.loads(tocsin("report", "readiness", "--use-case", "planned", "--json").stdout)

    assert shown.exit_code == 1
    assert "planned: 5 of 5 questions are open" in shown.stdout
    assert "UNANSWERED How will you know it is wrong? the plan does not say quality.measure" in shown.stdout
    assert "next: write quality.measure into use_cases/planned.yaml, then: tocsin plan check" in shown.stdout
    assert [each["is_green"] for each in document[0]["questions"]] == [False] * 5


def test_an_unknown_use_case_is_no_ready_one(tocsin: Tocsin) -> None:
    """A slip in a pipeline's file must not let a launch pass."""
    shown = tocsin("report", "readiness", "--use-case", "planed")

    assert shown.exit_code == 2
    assert "did you mean 'planned'?" in shown.output


def test_the_week_is_text_a_document_a_file_and_a_page(running: Running, tocsin: Tocsin, tmp_path: Path) -> None:
    """One report, wherever it is read; the served page has no style or script of its own, as the policy demands."""
    file = tmp_path / "week.html"

    text = tocsin("report", "weekly")
    document = json.loads(tocsin("report", "weekly", "--json").stdout)
    wrote = tocsin("report", "weekly", "--html", file)
    page = urllib3.request("GET", f"http://{running.address}/report")

    assert (text.exit_code, wrote.exit_code) == (0, 0)
    assert text.stdout.startswith("The week from 2026-02-23 to 2026-03-02\n\nTO DECIDE\n")
    assert [each["use_case"] for each in document["readiness"]] == ["planned"]
    assert "<style>" in file.read_text(encoding="utf-8")
    assert page.status == 200
    assert "default-src 'self'" in page.headers["content-security-policy"]
    assert b"<style" not in page.data
    assert b"<script>" not in page.data


def test_sending_puts_one_letter_for_each_mail_channel_into_the_outbox(running: Running, tocsin: Tocsin) -> None:
    """What is sent has to survive the process that was asked to send it."""
    sent = tocsin("report", "weekly", "--send")

    assert "in the outbox for team" in sent.stdout
    [letter] = running.letters.posted
    assert (letter.channel, letter.severity, letter.state) == ("team", "log", "pending")
    assert letter.message.subject.startswith("tocsin, the week to 2026-03-02: ")


def test_a_week_that_is_due_is_sent_once_whatever_restarts() -> None:
    """Twice is noise, and never is a report that nobody misses."""
    letters, written = FakeLetters(), []
    late = Timetable(day="monday", at=time(9))
    clock = [NOW]

    def week() -> Week:
        written.append(1)
        return weekly(EMPTY, since=NOW - timedelta(days=7), until=NOW, now=NOW)

    def box(timetable: Timetable | None = late) -> Postbox:
        return Postbox(channels=MAIL, post=letters.post, now=lambda: clock[0], timetable=timetable)

    first, restarted = box(), box()
    turns = [first.turn(week), first.turn(week), restarted.turn(week), box(None).turn(week)]
    clock[0] = NOW + timedelta(days=2)
    too_late = box().turn(week)
    clock[0] = NOW + timedelta(days=7)
    next_week = first.turn(week)

    assert (turns, too_late, next_week) == ([True, False, False, False], False, True)
    assert len(letters.posted) == 2
    assert len(written) == 3  # once more after the restart: only the outbox knows


def test_only_mail_takes_the_week(config: Config) -> None:
    """A pager that gets the week pages somebody."""
    said = ReportSection(day="monday", time=time(9), channels=("pager",))

    assert mailboxes([*MAIL, LogChannel()], None) == MAIL
    with pytest.raises(UsageProblem, match="expected a channel of type smtp, got 'pager'"):
        mailboxes(MAIL, said)
    with pytest.raises(ValidationError, match="Europe/Berlin"):
        ReportSection(day="monday", time=time(9), zone="Berlin")
    assert config.report is None


def test_what_a_page_was_worth_can_be_said_when_it_is_over(running: Running, tocsin: Tocsin) -> None:
    """Whoever was woken knows best the morning after; without a verdict the actionable share stays unknown."""
    about = {
        "project": "default",
        "use_case": "planned",
        "rule": "a-rule",
        "severity": "page",
        "fingerprint": "verdicts",
    }
    event = {**about, "incident": "cafe0123456789", "slot": NOW - timedelta(hours=1), "at": NOW}
    running.database.insert("alert_events", [{**event, "event_id": "v1", "to_state": "firing"}])
    taken = tocsin("alerts", "ack", "cafe", "--verdict", "actionable", "--by", "ana")
    running.database.insert("alert_events", [{**event, "event_id": "v2", "to_state": "resolved", "slot": NOW}])

    over = tocsin("alerts", "ack", "cafe", "--verdict", "noise", "--by", "bo")
    slip = tocsin("alerts", "ack", "cafe", "--verdict", "nois", "--by", "bo")
    unknown = tocsin("alerts", "ack", "beef", "--verdict", "noise", "--by", "bo")

    assert "cafe01234567 of planned is ana's" in taken.stdout
    assert "cafe01234567 of planned was noise, says bo" in over.stdout
    assert "did you mean 'noise'?" in slip.output
    assert (slip.exit_code, unknown.exit_code) == (2, 2)
    week = json.loads(tocsin("report", "weekly", "--json").stdout)
    [page] = [each for each in week["pages"] if each["incident"] == event["incident"]]
    assert (page["verdict"], page["taken_by"]) == ("noise", "ana")
