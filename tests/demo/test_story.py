"""The demo's judge: it must refuse every story but the promised one, and name what was missing."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

import pytest

from tocsin_console.demo.receivers import Delivery
from tocsin_console.demo.schedule import REFERENCE_DAYS, Calendar
from tocsin_console.demo.story import Arrival, DayReport, GuardChange, Story, weeks

PAGE_DAY = REFERENCE_DAYS + 9
CALENDAR = Calendar()


def delivery(channel: Literal["webhook", "mail"], transition: str, *, number: int = 1) -> Delivery:
    """A message as it would arrive."""
    body: Mapping[str, Any] = {"data": {"transition": transition}} if channel == "webhook" else {}
    word = "RESOLVED" if transition == "resolved" else "PAGE"
    return Delivery(
        channel=channel,
        message_id=f"{transition}-{number}",
        subject=f"[{word}] digit-reader",
        text=f"{transition} text",
        body=body,
    )


def report(day: int) -> DayReport:
    """A day of a straight decline from 94 % to 78 %, and back."""
    decayed = REFERENCE_DAYS <= day < CALENDAR.replaced_on
    passed = (day - REFERENCE_DAYS) / CALENDAR.decay_days
    return DayReport(
        day=day,
        date="2026-06-01",
        calls=2000,
        truth=0.94 - 0.17 * passed if decayed else 0.94,
        guard="normal",
        asked=2000,
        manual=0,
        spans_sent=2001 * (day + 1),
    )


@pytest.fixture
def story() -> Story:
    """The promised story."""
    told = Story(calendar=CALENDAR)
    told.reports = [report(day) for day in range(CALENDAR.days)]
    told.changes = [
        GuardChange(day=PAGE_DAY, state="verify", actor="rule:a", cause="a"),
        GuardChange(day=60, state="fallback", actor="rule:b", cause="b"),
        GuardChange(day=95, state="normal", actor="demo-operator", cause="released"),
    ]
    for channel in ("webhook", "mail"):
        told.arrivals.append(Arrival(day=PAGE_DAY, delivery=delivery(channel, "firing")))
        told.arrivals.append(Arrival(day=99, delivery=delivery(channel, "resolved")))
    told.spans_sent = told.spans_stored = 208_104
    return told


def test_the_promised_story_passes(story: Story) -> None:
    """Otherwise the demo could never succeed."""
    assert story.failures() == []


def test_the_figures_carry_what_scripts_read(story: Story) -> None:
    """These keys are a contract with whoever runs the demo unattended."""
    figures = story.figures()

    assert figures["pages"] == 1
    assert figures["resolved"] is True
    assert figures["guard_transitions"] == ["normal→verify", "verify→fallback", "fallback→normal"]
    assert figures["accuracy_at_launch"] == pytest.approx(0.94)
    assert figures["accuracy_at_page"] == pytest.approx(report(PAGE_DAY).truth, abs=1e-4)
    assert figures["accuracy_at_bottom"] == pytest.approx(0.781, abs=0.01)
    assert figures["page_day"] == PAGE_DAY
    assert figures["page_text"] == "firing text"
    assert {"spans_sent", "spans_stored", "wall_s"} <= set(figures)


def test_a_lost_span_fails_it(story: Story) -> None:
    """Spans are never lost: one is too many."""
    story.spans_stored -= 1

    assert "208,103" in story.failures()[0]


def test_a_second_page_fails_it(story: Story) -> None:
    """One page, not ten."""
    story.arrivals.append(Arrival(day=70, delivery=delivery("webhook", "firing", number=2)))

    assert story.failures() == ["expected exactly one page by webhook, got 2"]


def test_the_same_page_delivered_twice_is_one(story: Story) -> None:
    """A retry carries the same message id, so receivers drop it."""
    story.arrivals.append(Arrival(day=PAGE_DAY, delivery=delivery("webhook", "firing")))

    assert story.failures() == []


def test_an_update_is_no_page(story: Story) -> None:
    """Later rules append to the incident under the same key."""
    story.arrivals.append(Arrival(day=60, delivery=delivery("webhook", "updated")))

    assert story.failures() == []


def test_a_forged_page_fails_it(story: Story) -> None:
    """The receiver checks signatures, and its doubts count."""
    forged = replace(delivery("webhook", "updated"), problem="no webhook-signature matches the body")
    story.arrivals.append(Arrival(day=60, delivery=forged))

    assert "no webhook-signature" in story.failures()[0]


def test_a_page_near_the_bottom_fails_it(story: Story) -> None:
    """A page that comes when everything is already lost is worth nothing."""
    story.arrivals = [replace(arrival, day=80) for arrival in story.arrivals]

    assert "points of accuracy above the bottom" in story.failures()[0]


def test_without_a_resolve_it_fails(story: Story) -> None:
    """An incident that never ends is not a story."""
    story.arrivals = [arrival for arrival in story.arrivals if arrival.transition != "resolved"]

    assert len(story.failures()) == 2


def test_a_guard_that_skips_a_state_fails_it(story: Story) -> None:
    """The guard is to go through verify to fallback and back by a person's hand."""
    del story.changes[0]

    assert "normal → fallback → normal" in story.failures()[0]


def test_without_decay_silence_is_success() -> None:
    """The same weeks with scanners that never age must page nobody."""
    calm = Story(calendar=Calendar(decays=False), spans_sent=10, spans_stored=10)
    calm.reports = [replace(report(day), truth=0.94) for day in range(calm.calendar.days)]

    assert calm.failures() == []
    assert calm.figures()["pages"] == 0


def test_without_decay_any_message_fails() -> None:
    """A false page is what the calm run looks for."""
    calm = Story(calendar=Calendar(decays=False), spans_sent=10, spans_stored=10)
    calm.reports = [report(day) for day in range(calm.calendar.days)]
    calm.arrivals = [Arrival(day=50, delivery=delivery("mail", "firing"))]

    assert "day 50" in calm.failures()[0]


def test_weeks_cover_every_day_once() -> None:
    """The closing table must not lose the last days."""
    assert [day for week in weeks(CALENDAR.days) for day in week] == list(range(CALENDAR.days))
