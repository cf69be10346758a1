"""What is told of an incident, and when: inhibited, grouped, repeated. Each once."""

from typing import Any

import pytest
from tests.alerts.delivery.conftest import make_event
from tests.alerts.delivery.deciding import BELOW, FALLING, HOUR, MINUTE, Remembering, hand, wake

from tocsin_alerts.briefing import GuardNews
from tocsin_alerts.grouping import Grouping
from tocsin_alerts.inhibitions import SHIPPED, Inhibition
from tocsin_alerts.plan import Plan
from tocsin_alerts.routes import lost_routes


@pytest.fixture
def store() -> Remembering:
    """A store that knows more."""
    return Remembering()


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

    def test_that_nothing_can_be_evaluated_is_said_once(self, make_delivery: Any, receiver: Any, world: Any) -> None:
        """Thirty rules of a hundred use cases fail with the store; each would be a ticket."""
        blind = make_event(
            "latency", use_case="mail-sorter", labels={"overlay": "error"}, severity="ticket", incident="ticket-1"
        )
        stuck = make_event("tocsin-evaluation-stuck", use_case="tocsin", incident="incident-2")
        delivery = make_delivery()

        hand(delivery, stuck, blind)

        assert [each.incident for each in receiver.taken] == ["incident-2"]
        assert world.store.held() == [("print-latency", "inhibited")]

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


def test_a_route_to_nowhere_is_named(rules: Any) -> None:
    """A slip in a name is a page that nobody gets."""
    plan = Plan.model_validate(
        {"use_case": "x", "routes": {"page": ["oncall", "typo"]}, "escalation": [{"after": "1h", "route": ["laed"]}]}
    )

    assert lost_routes([plan], rules, {"oncall", "lead"}) == [
        "the escalation of x names the channel 'laed'",
        "the plan of x names the channel 'typo'",
    ]
