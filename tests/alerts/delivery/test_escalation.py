"""Who hears of what nobody took, and that it is told once, restarts or not."""

from dataclasses import asdict
from typing import Any

import pytest
from tests.alerts.delivery.deciding import BELOW, HOUR, Remembering, hand, plan_of, wake

from tocsin_alerts.channels import PagerDutyChannel, WebhookChannel
from tocsin_alerts.notifiers.pagerduty import event as event_action


@pytest.fixture
def store() -> Remembering:
    """A store that knows more."""
    return Remembering()


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
