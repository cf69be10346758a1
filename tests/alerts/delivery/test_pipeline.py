"""What is told of an incident, to whom and when: inhibited, silenced, left to rest, grouped, escalated. Each once."""

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.alerts.delivery.conftest import MemoryStore, make_event

from tocsin_alerts.briefing import Findings, GuardNews
from tocsin_alerts.channels import EVERYTHING, PAGES, LogChannel, PagerDutyChannel, WebhookChannel
from tocsin_alerts.grouping import Grouping
from tocsin_alerts.incidents import Incidents
from tocsin_alerts.inhibitions import SHIPPED, Inhibition
from tocsin_alerts.nights import Nights
from tocsin_alerts.notifiers.pagerduty import event as event_action
from tocsin_alerts.plan import Plan, Plans
from tocsin_alerts.records import GuardRow
from tocsin_alerts.routes import lost_routes

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
BELOW, FALLING = "accuracy-below-floor", "estimated-accuracy-drop"
FRIDAY_NIGHT = datetime(2026, 4, 17, 20, tzinfo=UTC)
MONDAY = datetime(2026, 4, 20, 7, tzinfo=UTC)  # nine o'clock in Berlin
WEEKDAYS = {"days": ["mon", "tue", "wed", "thu", "fri"], "from": "09:00", "until": "17:30"}


class Remembering(MemoryStore):
    """A store that knows acknowledgements, last week's calls, and what is held."""

    expected: float | None = 1_000.0

    def rows(self, sql: str, parameters: Any = None, /) -> list[dict[str, Any]]:
        """Answer what delivery asks besides."""
        if "action = 'acknowledge'" in sql:
            taken = self.inserted.get("audit_log", ())
            return [dict(each) for each in taken if each["subject"] == parameters["incident"]]
        if "AS expected" in sql:
            long_ago = datetime(2026, 1, 1, tzinfo=UTC)
            return [{"expected": self.expected, "first_hour": long_ago, "hours": int(self.expected is not None)}]
        return []

    def held(self) -> list[tuple[str, str]]:
        """What is held now."""
        last = {each["fingerprint"]: each for each in self.inserted.get("held_alerts", ())}
        return sorted((each["fingerprint"], each["why"]) for each in last.values() if each["why"])


@pytest.fixture
def store() -> MemoryStore:
    """A store that knows more."""
    return Remembering()


def plan_of(**said: Any) -> Plans:
    """A plan with what is said."""
    return Plans.of(Plan.model_validate({"use_case": "digit-reader", "zone": "Europe/Berlin", **said}))


def hand(delivery: Any, *events: Any) -> None:
    """Hand in transitions of one slot, and send."""
    delivery.handle(events, events[0].slot, live=True)
    delivery.pump()


def wake(delivery: Any) -> None:
    """Let time be noticed, twice: the second time nothing is new."""
    for _ in range(2):
        delivery.wake()
        delivery.pump()


class TestInhibition:
    """What explains another alert keeps it still."""

    def test_volume_is_no_news_while_nothing_comes_at_all(
        self, make_delivery: Any, event: Any, receiver: Any, world: Any
    ) -> None:
        """Of one outage people hear once; and of the other when the first is over and it still fires."""
        delivery = make_delivery()
        slot = event().slot

        hand(
            delivery,
            event("volume", severity="ticket", incident="ticket-1"),
            event("volume", severity="ticket", incident="ticket-2", fingerprint="elsewhere", use_case="another"),
            event("freshness"),
        )
        wake(delivery)
        told = [(each.incident, each.transition) for each in receiver.taken]
        assert told == [("ticket-2", "firing"), ("incident-1", "firing")]
        assert world.store.held() == [("print-volume", "inhibited")]
        hand(delivery, event("freshness", "resolved", slot=slot + HOUR))
        wake(delivery)

        assert [(each.incident, each.transition) for each in receiver.taken[2:]] == [
            ("incident-1", "resolved"),
            ("ticket-1", "firing"),
        ]
        assert world.store.held() == []

    @pytest.mark.parametrize(
        ("in_force", "about", "is_told"),
        [
            ("off", ("freshness", {}), False),
            ("off", ("volume", {}), False),
            ("off", ("latency", {"overlay": "no_data"}), False),
            ("fallback", ("latency", {"overlay": "no_data"}), False),
            ("fallback", ("freshness", {}), True),  # the fallback's calls are calls
            ("verify", ("latency", {"overlay": "no_data"}), True),
            ("normal", ("freshness", {}), True),
        ],
    )
    def test_what_the_guard_has_stopped_is_not_missed(
        self, make_delivery: Any, world: Any, in_force: Any, about: Any, is_told: bool
    ) -> None:
        """That a feature which was switched off is silent is what was asked for; released, its silence is news again."""
        world.desk.told = GuardNews(in_force=in_force)
        delivery = make_delivery()

        hand(delivery, make_event(about[0], labels=about[1]))
        assert delivery.stats().pages == is_told
        world.desk.told = GuardNews(in_force="normal")
        wake(delivery)

        assert delivery.stats().pages == 1

    def test_an_alert_that_is_both_inhibits_no_other_that_is(self) -> None:
        """Two that inhibited each other would both be unheard."""
        both = Inhibition.model_validate({"source": ["rule=~a|b"], "target": ["rule=~a|b"], "equal": []})

        assert not both.quiets({"rule": "a"}, {"rule": "b"})
        assert SHIPPED[0].quiets(
            {"rule": "volume", "project": "p", "use_case": "u"}, {"rule": "freshness", "project": "p", "use_case": "u"}
        )


class TestGrouping:
    """At which pace a channel hears of one incident."""

    def test_what_fires_within_the_wait_is_one_message(
        self, make_delivery: Any, event: Any, receiver: Any, clock: Any
    ) -> None:
        """A slow evaluator's alert of the same trouble is evidence, not a second call."""
        delivery = make_delivery(grouping=Grouping(wait=MINUTE, interval=5 * MINUTE))

        hand(delivery, event(FALLING))
        clock.pass_by(seconds=30)
        hand(delivery, event(BELOW))
        wake(delivery)
        assert receiver.taken == []
        clock.pass_by(seconds=30)
        wake(delivery)

        [message] = receiver.taken
        assert FALLING in message.message.text
        assert BELOW in message.message.text

    def test_updates_keep_their_distance_and_an_end_does_not_wait(
        self, make_delivery: Any, event: Any, receiver: Any, clock: Any
    ) -> None:
        """What joins slot by slot comes together; that it is over is worth knowing at once."""
        delivery = make_delivery(grouping=Grouping(interval=5 * MINUTE))
        slot = event().slot

        for number, rule in enumerate((BELOW, FALLING, "latency")):
            hand(delivery, event(rule, slot=slot + number * HOUR))
            clock.pass_by(minutes=1)
            wake(delivery)
        assert receiver.transitions == ["firing"]
        clock.pass_by(minutes=2)
        wake(delivery)
        assert receiver.transitions == ["firing", "updated"]
        hand(delivery, *(event(rule, "resolved", slot=slot + 9 * HOUR) for rule in (BELOW, FALLING, "latency")))

        assert receiver.transitions == ["firing", "updated", "resolved"]

    def test_a_page_that_nobody_took_is_told_again_and_one_that_somebody_took_is_not(
        self, make_delivery: Any, event: Any, receiver: Any, clock: Any, world: Any
    ) -> None:
        """The first message may have been lost in the night."""
        delivery = make_delivery(grouping=Grouping(repeat=4 * HOUR))

        hand(delivery, event(BELOW))
        for _ in range(9):
            clock.pass_by(hours=1)
            wake(delivery)
        world.store.insert("audit_log", [{"subject": "incident-1", "actor": "ana", "at": clock(), "detail": ""}])
        for _ in range(9):
            clock.pass_by(hours=1)
            wake(delivery)

        assert receiver.transitions == ["firing", "updated", "updated"]
        assert receiver.taken[1].message.subject.startswith("STILL OPEN")
        assert len({each.id for each in receiver.taken}) == 3


class TestEscalation:
    """Who hears of what nobody took."""

    STEPS = ({"after": "30m", "route": ["lead", "oncall"]}, {"after": "2h", "route": ["lead", "head"]})

    @pytest.fixture
    def rooms(self, receiver: Any) -> dict[str, Any]:
        """A receiver for each channel."""
        return {name: type(receiver)() for name in ("oncall", "lead", "head")}

    @pytest.fixture
    def delivery(self, make_delivery: Any, rooms: Any) -> Any:
        """A delivery in which pages go to one channel, and two more are for escalation alone."""
        channels = [(WebhookChannel(name=name, url="http://h", severities=()), room) for name, room in rooms.items()]
        return make_delivery(*channels, plans=plan_of(routes={"page": ["oncall"]}, escalation=list(self.STEPS)))

    def test_each_step_is_taken_once_and_all_who_heard_hear_the_end(
        self, delivery: Any, event: Any, rooms: Any, clock: Any
    ) -> None:
        """A page that rings in an empty room has to reach another."""
        hand(delivery, event(BELOW))
        for _ in range(30):
            clock.pass_by(minutes=10)
            wake(delivery)
        hand(delivery, event(BELOW, "resolved", slot=event().slot + HOUR))

        assert {name: room.transitions for name, room in rooms.items()} == {
            "oncall": ["firing", "updated", "resolved"],
            "lead": ["firing", "updated", "resolved"],
            "head": ["firing", "resolved"],
        }
        assert rooms["lead"].taken[0].message.subject.startswith("ESCALATED, nobody has acknowledged it: ")
        assert rooms["oncall"].taken[1].message.text.startswith("ESCALATED")
        assert "ESCALATED" not in rooms["head"].taken[1].message.subject

    def test_nothing_is_escalated_that_somebody_took(
        self, delivery: Any, event: Any, rooms: Any, clock: Any, world: Any
    ) -> None:
        """Whoever took it in time answers for it."""
        hand(delivery, event(BELOW))
        clock.pass_by(minutes=31)
        wake(delivery)
        world.store.insert("audit_log", [{"subject": "incident-1", "actor": "ana", "at": clock(), "detail": ""}])
        clock.pass_by(hours=9)
        wake(delivery)

        assert rooms["lead"].transitions == ["firing"]
        assert rooms["head"].transitions == []

    def test_pagerduty_hears_that_somebody_has_it_once(
        self, make_delivery: Any, event: Any, receiver: Any, clock: Any, world: Any
    ) -> None:
        """Taken on the command line or in Slack, it would go on calling people there."""
        channel = PagerDutyChannel(name="pd", routing_key="env:K")
        delivery = make_delivery((channel, receiver))
        hand(delivery, event(BELOW))
        clock.pass_by(seconds=31)
        wake(delivery)
        world.store.insert("audit_log", [{"subject": "incident-1", "actor": "ana", "at": clock(), "detail": ""}])
        for _ in range(3):
            clock.pass_by(seconds=31)
            wake(delivery)

        assert receiver.transitions == ["firing", "updated"]
        assert event_action(receiver.taken[1]) == {
            "event_action": "acknowledge",
            "dedup_key": "incident-1",
            "client": "tocsin",
        }

    def test_a_ticket_is_not_escalated(self, delivery: Any, event: Any, rooms: Any, clock: Any) -> None:
        """It waits for working hours by its nature."""
        hand(delivery, event("volume", severity="ticket", incident="ticket-1"))
        clock.pass_by(hours=9)
        wake(delivery)

        assert [room.transitions for room in rooms.values()] == [[], [], []]

    def test_a_restart_takes_no_step_twice(
        self, make_delivery: Any, event: Any, receiver: Any, clock: Any, database: Any
    ) -> None:
        """Ids follow from the step."""
        fired = event(BELOW)
        database.insert("alert_events", [{**asdict(fired), "epoch": 1, "at": clock()}])
        steps = [{"after": "30m", "route": ["oncall"]}]
        delivery = make_delivery(query=database, plans=plan_of(escalation=steps))
        hand(delivery, fired)

        for minutes in (29, 1, 9):
            clock.pass_by(minutes=minutes)
            delivery = make_delivery(query=database, plans=plan_of(escalation=steps))
            wake(delivery)

        assert receiver.transitions == ["firing", "updated"]


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
        assert "about 60 wrong answers until then, 100 are worth waking for" in held["detail"]
        assert receiver.transitions == ["firing"]
        assert world.store.held() == []
        assert "night" not in receiver.taken[0].message.data

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
        }

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


def test_a_route_to_nowhere_is_named(rules: Any) -> None:
    """A slip in a name is a page that nobody gets."""
    plan = Plan.model_validate(
        {"use_case": "x", "routes": {"page": ["oncall", "typo"]}, "escalation": [{"after": "1h", "route": ["laed"]}]}
    )

    assert lost_routes([plan], rules, {"oncall", "lead"}) == [
        "the escalation of x names the channel 'laed'",
        "the plan of x names the channel 'typo'",
    ]


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
        night = nights.of(incident.id)
        assert night is not None
        assert night.until == until
        found[name] = night.calls

    assert found == {"digit-reader": 7.0, "young": None, "unknown": None}
