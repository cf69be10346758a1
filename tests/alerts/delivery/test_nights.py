"""A page outside the plan's hours wakes only for what would be wrong until people work."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.alerts.delivery.conftest import make_event
from tests.alerts.delivery.deciding import BELOW, HOUR, MINUTE, Remembering, hand, plan_of, wake

from tocsin_alerts.briefing import Findings, GuardNews
from tocsin_alerts.channels import EVERYTHING, PAGES, LogChannel, WebhookChannel
from tocsin_alerts.incidents import Incidents
from tocsin_alerts.nights import Nights
from tocsin_alerts.plan import Plan
from tocsin_alerts.records import GuardRow

FRIDAY_NIGHT = datetime(2026, 4, 17, 20, tzinfo=UTC)
MONDAY = datetime(2026, 4, 20, 7, tzinfo=UTC)  # nine o'clock in Berlin
WEEKDAYS = {"days": ["mon", "tue", "wed", "thu", "fri"], "from": "09:00", "until": "17:30"}


@pytest.fixture
def store() -> Remembering:
    """A store that knows more."""
    return Remembering()


def _flat(notification: Any) -> str:
    return " ".join(notification.message.text.split())


class TestWakingPeople:
    """Outside the plan's hours a page has to be worth it."""

    @pytest.fixture
    def night(self, clock: Any, detective: Any) -> None:
        """Friday at ten in the evening, Berlin; six points below the reference."""
        clock.at = FRIDAY_NIGHT
        assert detective.findings.quality.baseline - detective.findings.quality.value == pytest.approx(0.06)

    @pytest.mark.usefixtures("night")
    @pytest.mark.parametrize(
        ("plan", "expected", "wakes"),
        [
            pytest.param({"wake_above": 50}, 1_000.0, True, id="60 wrong answers by Monday"),
            pytest.param({"wake_above": 60.1}, 1_000.0, False, id="few enough"),
            pytest.param({"wake_above": 50}, 800.0, False, id="a quiet weekend"),
            pytest.param({"wake_above": 50}, None, True, id="no week of calls to expect it from"),
            pytest.param({}, 0.0, True, id="no limit"),
        ],
    )
    def test_a_page_wakes_by_what_would_be_wrong_until_people_work(
        self, make_delivery: Any, world: Any, plan: Any, expected: Any, wakes: bool
    ) -> None:
        """Nobody gets up for three wrong answers; and what is not known wakes."""
        world.store.expected = expected
        delivery = make_delivery(plans=plan_of(hours=[WEEKDAYS], **plan))

        hand(delivery, make_event(BELOW))
        wake(delivery)

        assert delivery.stats().pages == wakes
        assert world.store.held() == ([] if wakes else [("print-accuracy-below-floor", "waiting")])

    @pytest.mark.usefixtures("night")
    @pytest.mark.parametrize(
        ("fired", "fall", "labels", "wakes"),
        [
            pytest.param([BELOW], 0.0, {}, False, id="accuracy is well by now"),
            pytest.param(["error-rate"], 0.06, {}, True, id="calls that fail are no wrong answers"),
            pytest.param(["freshness"], 0.0, {}, True, id="no calls"),
            pytest.param([BELOW, "error-rate"], 0.06, {}, True, id="both"),
            pytest.param(["null-rate"], 0.06, {}, False, id="an input, and what it cost so far"),
            pytest.param(["null-rate"], 0.0, {}, True, id="an input, an hour ago"),
            pytest.param([BELOW], 0.06, {"overlay": "error"}, True, id="cannot be evaluated"),
        ],
    )
    def test_a_fall_that_was_not_measured_wakes(
        self, make_delivery: Any, world: Any, *, fired: Any, fall: float, labels: Any, wakes: bool
    ) -> None:
        """Accuracy that is well says nothing of a feature that does not answer at all."""
        quality = world.detective.findings.quality
        world.detective.findings = Findings(quality=replace(quality, value=quality.baseline - fall))
        delivery = make_delivery(plans=plan_of(hours=[WEEKDAYS], wake_above=1e6))

        hand(delivery, *(make_event(rule, labels=labels) for rule in fired))

        assert delivery.stats().pages == wakes

    @pytest.mark.usefixtures("night")
    def test_what_waited_is_told_in_the_morning_and_until_then_people_see_that_it_waits(
        self, make_delivery: Any, event: Any, receiver: Any, world: Any, clock: Any
    ) -> None:
        """A page that waits is not a page that is lost."""
        delivery = make_delivery(plans=plan_of(hours=[WEEKDAYS], wake_above=100))

        hand(delivery, event(BELOW))
        wake(delivery)
        [held] = world.store.inserted["held_alerts"]
        clock.at = MONDAY - timedelta(seconds=1)
        wake(delivery)
        assert receiver.taken == []
        clock.at = MONDAY
        wake(delivery)

        assert (held["until"], held["wrong"]) == (MONDAY, pytest.approx(60.0))
        assert held["detail"] == "about 60 wrong answers before then, below your limit of 100"
        assert receiver.transitions == ["firing"]
        assert world.store.held() == []
        assert receiver.taken[0].message.data["night"] is None

    @pytest.mark.usefixtures("night")
    def test_it_wakes_as_soon_as_the_night_costs_more(
        self, make_delivery: Any, event: Any, receiver: Any, world: Any, clock: Any
    ) -> None:
        """The estimate is made anew while it waits."""
        delivery = make_delivery(plans=plan_of(hours=[WEEKDAYS], wake_above=100))

        hand(delivery, event(BELOW))
        world.store.expected = 2_000.0
        wake(delivery)
        assert receiver.taken == []
        clock.pass_by(minutes=5)
        wake(delivery)

        assert receiver.transitions == ["firing"]
        assert receiver.taken[0].message.data["night"] == {
            "until": MONDAY.isoformat(),
            "wrong": pytest.approx(120.0),
            "worth_waking": 100,
            "wakes": True,
        }
        assert receiver.taken[0].message.text.startswith(
            "Act: about 10 wrong answers an hour, 120 more than usual before Mon 09:00."
        )
        clock.pass_by(hours=5)
        hand(delivery, event("estimated-accuracy-drop"))
        assert receiver.transitions == ["firing", "updated"]
        assert "more than usual" not in receiver.taken[1].message.text, "that was of five hours ago"

    def test_within_hours_and_without_any_a_page_is_told(
        self, make_delivery: Any, event: Any, receiver: Any, clock: Any
    ) -> None:
        """Hours are never invented."""
        clock.at = FRIDAY_NIGHT
        hand(make_delivery(plans=plan_of(wake_above=1e9)), event(BELOW))
        clock.at = MONDAY
        hand(make_delivery(plans=plan_of(hours=[WEEKDAYS], wake_above=1e9)), event(BELOW))

        assert receiver.transitions == ["firing", "firing"]

    @pytest.mark.usefixtures("night")
    def test_a_guard_that_holds_makes_it_a_ticket_and_one_that_lets_go_a_page(
        self, make_delivery: Any, event: Any, receiver: Any, world: Any
    ) -> None:
        """While the fallback serves nobody gets wrong answers; when it does not any more, somebody has to know."""
        pager, board = type(receiver)(), type(receiver)()
        delivery = make_delivery(
            (WebhookChannel(name="pager", url="http://h", severities=PAGES), pager),
            (LogChannel(name="board", severities=("ticket",)), board),
            plans=plan_of(hours=[WEEKDAYS], wake_above=50),
        )
        world.desk.told = GuardNews(in_force="fallback")

        hand(delivery, event(BELOW))
        wake(delivery)
        assert (pager.transitions, board.transitions) == ([], ["firing"])
        assert board.taken[0].severity == "ticket"
        assert "Nothing until 09:00 (Mon 20 Apr, Europe/Berlin): the fallback is serving." in _flat(board.taken[0])
        assert world.store.held() == [("print-accuracy-below-floor", "ticket")]
        world.desk.told = GuardNews(in_force="normal")
        wake(delivery)
        hand(delivery, event(BELOW, "resolved", slot=event().slot + HOUR))

        assert (pager.transitions, board.transitions) == (["firing", "resolved"], ["firing", "resolved"])

    @pytest.mark.usefixtures("night")
    def test_a_guard_that_failed_wakes(self, make_delivery: Any, event: Any, receiver: Any, world: Any) -> None:
        """It was trusted to act by itself, and did not."""
        kept = {"use_case": "digit-reader", "project": "default", "version": 1, "mode": "automatic", "cause": "x"}
        kept |= {"actor": "rule:x", "incident": "incident-1", "probe_share": 0.05, "state": "fallback"}
        row = GuardRow(**kept, applied=False, hold_until=None, expires_at=None, since=FRIDAY_NIGHT)
        world.desk.told = GuardNews(row=row, in_force="normal")
        delivery = make_delivery(plans=plan_of(hours=[WEEKDAYS], wake_above=1e9, guard={"mode": "automatic"}))

        hand(delivery, event(BELOW))

        assert receiver.transitions == ["firing"]

    @pytest.mark.usefixtures("night")
    def test_a_ticket_needs_no_permission(self, make_delivery: Any, event: Any, receiver: Any) -> None:
        """It wakes nobody by where it goes."""
        delivery = make_delivery(
            (LogChannel(name="board", severities=EVERYTHING), receiver),
            plans=plan_of(hours=[WEEKDAYS], wake_above=1e9),
        )

        hand(delivery, event("volume", severity="ticket", incident="ticket-1"))

        assert receiver.transitions == ["firing"]


def test_last_weeks_calls_are_counted_over_the_same_hours(database: Any, event: Any, rules: Any) -> None:
    """Friday night is not Friday noon; and who has no week of calls knows nothing of it."""
    friday = FRIDAY_NIGHT - timedelta(days=7)
    hours = {friday - timedelta(days=1): 7, friday - HOUR: 100, friday: 3, friday + 5 * HOUR: 4, friday + 11 * HOUR: 50}
    rows = [
        {"project": "default", "use_case": use_case, "hour": hour, "calls": calls, "segment_name": segment}
        for use_case, kept in (("digit-reader", hours), ("young", {friday + 5 * HOUR: 4}))
        for hour, calls in kept.items()
        for segment in ("", "device")
    ]
    database.insert("ai_calls_1h", rows)
    until = FRIDAY_NIGHT + 11 * HOUR

    found = {}
    for name in ("digit-reader", "young", "unknown"):
        nights = Nights(database, rules, findings=lambda *_: Findings(), guard=lambda _: GuardNews())
        plan = Plan.model_validate({"use_case": name, "hours": [{"from": "07:00", "until": "17:00"}]})
        [incident] = Incidents().take([event(use_case=name)])
        nights.rest(incident, plan, list(incident.members.values()), now=FRIDAY_NIGHT + 10 * MINUTE)
        night = nights.of(incident.id, now=FRIDAY_NIGHT + 10 * MINUTE)
        assert night is not None
        assert night.until == until
        found[name] = night.calls

    assert found == {"digit-reader": 7.0, "young": None, "unknown": None}
