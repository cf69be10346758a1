"""The week: what is counted, what stays unknown, and that nothing in it can act in a browser or a mail reader."""

import re
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tocsin_alerts.channels import SmtpChannel
from tocsin_alerts.report.facts import statement
from tocsin_alerts.report.letter import as_html, as_text, style, subject
from tocsin_alerts.report.sending import Timetable, letters
from tocsin_alerts.report.weekly import Told, Week, weekly
from tocsin_collector.store.database import Database

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
WEEK = timedelta(days=7)
HOUR = timedelta(hours=1)
ABOUT = {"project": "default", "use_case": "digits"}
NOTHING = Told(
    pages=(),
    fired=(),
    spent=(),
    forecasts=(),
    minutes=(),
    use_cases=(),
    retraining=(),
    releases=(),
    guards=(),
    reviews=(),
    rules=(),
    readiness=(),
)


def page(**changes: Any) -> dict[str, Any]:
    """A page that Ana took after an hour and that was over an hour later."""
    said = {"incident": "abcdef0123456789", **ABOUT, "rules": ["accuracy-drop"], "opened": NOW - 3 * HOUR, "is_open": 0}
    said |= {"taken_by": "ana", "taken_at": NOW - 2 * HOUR, "ended_at": NOW - HOUR, "verdict": "actionable"}
    return {**said, **changes}


def put(told: Told) -> Week:
    """Put a week together."""
    return weekly(told, since=NOW - WEEK, until=NOW, now=NOW)


def test_a_week_in_which_nothing_happened_says_so() -> None:
    """An empty report must read as a quiet week, not as a broken one; and no pages have no actionable share."""
    week = put(NOTHING)

    assert week.actionable_share is None
    assert subject(week) == "tocsin, the week to 2026-03-02: nothing to decide, 0 pages"
    assert "No rule fired." in as_text(week)
    assert "unknown</b> actionable" in as_html(week)


def test_the_actionable_share_is_of_the_pages_that_somebody_judged() -> None:
    """Silence is no verdict: counting it either way makes the share say what nobody said."""
    pages = [page(), page(verdict="noise"), page(verdict=""), page(verdict="actionable")]

    week = put(replace(NOTHING, pages=pages))

    assert (week.actionable, week.judged, len(week.pages)) == (2, 3, 4)
    assert week.actionable_share == pytest.approx(2 / 3)
    assert [each.what for each in week.decisions] == ["was this page worth it? (or --verdict noise)"]


def test_minutes_are_known_from_the_taking_and_unknown_where_nobody_took_it() -> None:
    """0 minutes for a page that nobody took would make neglect look cheap."""
    untaken = {"taken_by": "", "taken_at": None, "is_open": 1, "ended_at": None}
    going_on = page(is_open=1, ended_at=None, taken_at=NOW - timedelta(minutes=10))
    reviews = [{**ABOUT, "reviews": 20, "untimed": 5, "minutes_spent": 25.0}]

    week = put(replace(NOTHING, pages=[page(), going_on, page(**untaken)], minutes=reviews))

    assert [each.minutes for each in week.pages] == [60.0, 10.0, None]
    assert (week.minutes.incidents, week.minutes.untaken) == (70.0, 1)
    assert (week.minutes.reviews, week.minutes.scored, week.minutes.untimed) == (25.0, 20, 5)
    assert week.minutes.total == pytest.approx(95.0)
    assert week.decisions[0].command == "tocsin alerts ack abcdef012345"


def test_cost_without_a_price_is_at_least_and_the_week_before_may_be_unknown() -> None:
    """An unknown cost shown as 0 is how a bill surprises."""
    spent = {**ABOUT, "currency": "USD", "calls": 100, "unpriced": 3, "cost": 2.0, "calls_before": 90}
    forecasts = [{**ABOUT, "currency": "USD", "forecast": (700.0, 600.0, 800.0, 620.0)}]

    week = put(replace(NOTHING, spent=[{**spent, "unpriced_before": 1, "cost_before": 1.0}], forecasts=forecasts))

    [cost] = week.spent
    assert (cost.before, cost.month, cost.budget, cost.is_over) == (None, 700.0, 620.0, True)
    said = as_text(week)
    assert "at least 2.00 USD for 100 calls, 3 of them without a price; the week before unknown" in said
    assert "700.00 USD of 620.00 USD, OVER BUDGET" in said


def test_rules_that_never_fired_are_named_and_the_noisiest_come_first() -> None:
    """A rule that cannot fire is as useless as one that always does."""
    fired = [
        {"rule": "input-drift", "in_week": 4, "use_cases": 2, "ever": 9},
        {"rule": "volume", "in_week": 0, "use_cases": 0, "ever": 1},
        {"rule": "gone", "in_week": 7, "use_cases": 1, "ever": 7},
    ]
    rules = [("input-drift", "ticket"), ("volume", "ticket"), ("accuracy-drop", "page")]

    week = put(replace(NOTHING, fired=fired, rules=rules))

    assert [(each.rule, each.severity, each.times) for each in week.noisiest] == [
        ("gone", "no longer in force", 7),
        ("input-drift", "ticket", 4),
    ]
    assert week.never_fired == ("accuracy-drop",)


def test_what_waits_for_a_person_comes_with_its_command() -> None:
    """Thirty minutes are for deciding, not for finding out what there is to decide."""
    release = {
        **ABOUT,
        "is_in_use": True,
        "compared_with": {},
        "accepted_by": "",
        "model_version": "m2",
        "prompt_version": "",
    }
    told = replace(
        NOTHING,
        guards=[{**ABOUT, "state_in_force": "fallback", "since_in_force": NOW, "cause_in_force": "accuracy-drop"}],
        releases=[release, {**release, "compared_with": {"model_version": "m1"}}],
        retraining=[{**ABOUT, "warning": "failed since 2026-03-01: HTTP 503"}],
        use_cases=[{**ABOUT, "verdict": "wrong", "reason": "why"}, {**ABOUT, "verdict": "right", "reason": "fine"}],
        reviews=[
            {**ABOUT, "week": NOW.date(), "size": 20, "scored": 20},
            {**ABOUT, "week": NOW.date(), "size": 20, "scored": 3},
        ],
    )

    week = put(told)

    assert [each.command for each in week.decisions] == [
        "tocsin guard release digits",
        "tocsin release accept digits",
        "tocsin retraining --use-case digits",
    ]
    assert [each["verdict"] for each in week.off_target] == ["wrong"]
    assert [each["scored"] for each in week.reviews_due] == [3]


def test_nothing_that_others_said_acts_on_the_page() -> None:
    """Names of use cases and causes come from outside; the page and the mail are read by people with rights."""
    evil = "<script>alert(1)</script>\"'{{7*7}}\u202e\x1b[31m"
    about = {"project": evil, "use_case": evil}
    week = put(
        replace(
            NOTHING,
            pages=[page(**about, taken_by=evil, rules=[evil])],
            use_cases=[{**about, "verdict": "wrong", "reason": evil}],
            retraining=[{**about, "warning": evil}],
        )
    )

    html, text = as_html(week), as_text(week)

    assert "<script" not in html
    assert "49" not in html
    assert "\u202e" not in html + text
    assert "\x1b" not in html + text
    assert not re.search(r"(?i)<[^>]+\s(on\w+|src|href)=", html)


def test_the_page_asks_nobody_and_fits_a_phone_in_the_dark() -> None:
    """A mail and a file have nobody to ask for a style."""
    week = put(NOTHING)

    alone = as_html(week)

    assert style() in alone
    assert "http" not in alone
    assert "prefers-color-scheme: dark" in style()
    assert 'name="viewport" content="width=device-width' in alone
    assert "overflow-wrap: anywhere" in style()
    assert "<table" not in alone


@pytest.mark.parametrize(
    ("now", "due"),
    [
        (datetime(2026, 3, 2, 6, 59, tzinfo=UTC), datetime(2026, 2, 23, 7, tzinfo=UTC)),
        (datetime(2026, 3, 2, 7, 0, tzinfo=UTC), datetime(2026, 3, 2, 7, tzinfo=UTC)),
        (datetime(2026, 3, 8, 23, 0, tzinfo=UTC), datetime(2026, 3, 2, 7, tzinfo=UTC)),
        (datetime(2026, 3, 30, 6, 0, tzinfo=UTC), datetime(2026, 3, 30, 6, tzinfo=UTC)),  # summer time has begun
    ],
)
def test_it_is_due_once_a_week_where_the_team_lives(now: datetime, due: datetime) -> None:
    """Monday at eight is another instant in summer."""
    timetable = Timetable(day="monday", at=time(8), zone=ZoneInfo("Europe/Berlin"))

    assert timetable.last_due(now) == due


def test_a_letter_of_one_key_is_one_letter() -> None:
    """The id is all that keeps a restart from mailing everybody again."""
    channel = SmtpChannel(name="team", host="mail", sender="a@example.com", recipients=("b@example.com",))

    ids = {each.id for _ in range(2) for each in letters(put(NOTHING), [channel], key="k", now=NOW)}
    other = letters(put(NOTHING), [channel], key="l", now=NOW)

    assert len(ids) == 1
    assert other[0].id not in ids
    assert other[0].message.html.startswith("<!doctype html>")


def test_the_week_is_read_from_the_tables(database: Database) -> None:
    """Which incidents are pages, when they ended and who said what is decided in SQL."""
    event = {**ABOUT, "slot": NOW - 5 * HOUR, "at": NOW - 5 * HOUR, "from_state": "inactive"}
    events = [
        {**event, "event_id": "1", "fingerprint": "f", "incident": "i1", "rule": "r1", "severity": "page", "to_state": "firing"},
        {**event, "event_id": "2", "fingerprint": "g", "incident": "i1", "rule": "r2", "severity": "ticket", "to_state": "firing"},
        {**event, "event_id": "3", "fingerprint": "f", "incident": "i1", "rule": "r1", "severity": "page", "to_state": "resolved", "slot": NOW - 2 * HOUR, "at": NOW - 2 * HOUR},
        {**event, "event_id": "4", "fingerprint": "g", "incident": "i1", "rule": "r2", "severity": "ticket", "to_state": "resolved", "slot": NOW - HOUR, "at": NOW - HOUR},
        {**event, "event_id": "5", "fingerprint": "h", "incident": "i2", "rule": "r2", "severity": "ticket", "to_state": "firing"},
        {**event, "event_id": "6", "fingerprint": "j", "incident": "i3", "rule": "r1", "severity": "page", "to_state": "firing", "slot": NOW - 8 * 24 * HOUR},
        {**event, "event_id": "7", "fingerprint": "k", "incident": "i4", "rule": "r1", "severity": "page", "to_state": "firing"},
    ]  # fmt: skip
    for each in events:
        database.insert("alert_events", [each])
    said = {"subject": "i1", "actor": "ana"}
    database.insert("audit_log", [{**said, "id": "1", "at": NOW - 4 * HOUR, "action": "acknowledge", "detail": ""}])
    database.insert("audit_log", [{**said, "id": "2", "at": NOW - HOUR, "action": "verdict", "detail": "noise"}])
    database.insert("audit_log", [{**said, "id": "3", "at": NOW, "action": "verdict", "detail": "actionable"}])
    outcome = {**ABOUT, "kind": "review", "source": "r", "observed_at": NOW - HOUR, "correct": 1}
    database.insert("outcomes", [{**outcome, "call_id": "1", "outcome_id": "1", "minutes": 3.0}])
    database.insert("outcomes", [{**outcome, "call_id": "2", "outcome_id": "2"}])
    hourly = {**ABOUT, "segment_name": "", "served_by": "model", "currency": "USD", "calls": 10}
    hour = NOW.replace(minute=0)
    database.insert("ai_calls_1h", [{**hourly, "hour": hour - HOUR, "unpriced": 1, "cost": "1.5"}])
    database.insert("ai_calls_1h", [{**hourly, "hour": hour - 8 * 24 * HOUR, "unpriced": 0, "cost": "2.5"}])
    slots = {"since": NOW - WEEK, "until": NOW}

    first, second = database.rows(statement("pages"), slots)
    fired = {row["rule"]: row for row in database.rows(statement("fired"), slots)}
    [spent] = database.rows(statement("spent"), slots)
    [minutes] = database.rows(statement("minutes"), slots)

    assert (first["incident"], first["rules"], bool(first["is_open"])) == ("i1", ["r1", "r2"], False)
    assert (first["taken_by"], first["verdict"], first["ended_at"]) == ("ana", "actionable", NOW - HOUR)
    assert (second["incident"], bool(second["is_open"]), second["ended_at"], second["taken_at"]) == (
        "i4",
        True,
        None,
        None,
    )
    assert {name: (row["in_week"], row["ever"]) for name, row in fired.items()} == {"r1": (2, 3), "r2": (2, 2)}
    assert (spent["calls"], spent["unpriced"], spent["cost"], spent["cost_before"]) == (10, 1, 1.5, 2.5)
    assert (minutes["reviews"], minutes["untimed"], minutes["minutes_spent"]) == (2, 1, 3.0)
