"""A silence keeps messages, not alerts: what still fires when it ends is told then, and nothing is told twice."""

from dataclasses import asdict
from datetime import timedelta
from typing import Any

import pytest
from tests.alerts.delivery.conftest import MemoryStore

from tocsin_alerts.channels import EVERYTHING, LogChannel, SmtpChannel
from tocsin_alerts.errors import SilenceRefused
from tocsin_alerts.silences import Silences, covering
from tocsin_collector.store.database import Database

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
FALLING, BELOW = "estimated-accuracy-drop", "accuracy-below-floor"


class Remembering(MemoryStore):
    """A store that knows its silences."""

    def rows(self, sql: str, parameters: Any = None, /) -> list[dict[str, Any]]:
        """Answer what is asked of silences; the last word on each."""
        if "FROM silences" not in sql:
            return []
        last = {each["silence"]: each for each in self.inserted.get("silences", ())}
        after = parameters["after"]
        return [{k: v for k, v in each.items() if k != "at"} for each in last.values() if each["until"] > after]


@pytest.fixture
def store() -> MemoryStore:
    """A store that knows its silences."""
    return Remembering()


@pytest.fixture
def silences(world: Any) -> Silences:
    """The silences of the store that delivery reads."""
    return Silences(world.store, now=world.clock)


def quiet(silences: Silences, hours: float = 6, **subject: str) -> str:
    """Silence the use case, or what is said."""
    said = {"project": "default", "use_case": "digit-reader"} | subject
    return silences.add(timedelta(hours=hours), by="ana", because="we know", **said).silence


def hand(delivery: Any, *events: Any) -> None:
    """Hand in transitions of one slot, and send."""
    delivery.handle(events, events[0].slot, live=True)
    delivery.pump()


def wake(delivery: Any) -> None:
    """Let time be noticed, twice: the second time nothing is new."""
    for _ in range(2):
        delivery.wake()
        delivery.pump()


def test_what_still_fires_at_the_end_is_told_then(
    make_delivery: Any, event: Any, receiver: Any, world: Any, silences: Silences
) -> None:
    """A silence that swallowed its page for good would be a missed page."""
    quiet(silences)
    delivery = make_delivery()

    hand(delivery, event(BELOW))
    wake(delivery)
    assert receiver.transitions == []
    world.clock.pass_by(hours=6)
    wake(delivery)
    hand(delivery, event(BELOW, "resolved", slot=event(BELOW).slot + DAY))

    assert receiver.transitions == ["firing", "resolved"]


def test_what_ended_in_silence_is_not_told(
    make_delivery: Any, event: Any, receiver: Any, world: Any, silences: Silences
) -> None:
    """The end of what nobody was told of is a riddle."""
    quiet(silences)
    delivery = make_delivery()

    hand(delivery, event(BELOW))
    hand(delivery, event(BELOW, "resolved", slot=event(BELOW).slot + HOUR))
    world.clock.pass_by(hours=7)
    wake(delivery)

    assert receiver.transitions == []


def test_ended_by_hand_it_ends_at_once(make_delivery: Any, event: Any, receiver: Any, silences: Silences) -> None:
    """Whoever ends it wants to know now."""
    made = quiet(silences)
    delivery = make_delivery()

    hand(delivery, event(BELOW))
    silences.expire(made[:5], by="bo")
    wake(delivery)

    assert receiver.transitions == ["firing"]


def test_a_silenced_rule_says_nothing_beside_one_that_is_told(
    make_delivery: Any, event: Any, receiver: Any, silences: Silences
) -> None:
    """The message speaks of what is news; the other one comes when its silence ends."""
    made = quiet(silences, rule=FALLING)
    delivery = make_delivery()

    hand(delivery, event(FALLING), event(BELOW))
    [told] = receiver.taken
    assert BELOW in told.message.text
    assert FALLING not in told.message.text
    silences.expire(made, by="ana")
    wake(delivery)

    assert receiver.transitions == ["firing", "updated"]
    assert FALLING in receiver.taken[1].message.text


def test_an_incident_is_not_over_while_a_silenced_alert_fires_in_it(
    make_delivery: Any, event: Any, receiver: Any, world: Any, silences: Silences
) -> None:
    """Told that it is over, a channel would never hear of the one that goes on."""
    delivery = make_delivery()
    slot = event(BELOW).slot

    hand(delivery, event(BELOW))
    quiet(silences, rule=FALLING)
    hand(delivery, event(FALLING, slot=slot + HOUR))
    hand(delivery, event(BELOW, "resolved", slot=slot + 2 * HOUR))
    assert receiver.transitions == ["firing"]
    world.clock.pass_by(hours=6)
    wake(delivery)
    hand(delivery, event(FALLING, "resolved", slot=slot + DAY))

    assert receiver.transitions == ["firing", "updated", "resolved"]


def test_a_silence_takes_back_nothing(make_delivery: Any, event: Any, receiver: Any, silences: Silences) -> None:
    """Who was told that it began is told that it is over."""
    delivery = make_delivery((SmtpChannel(name="m", host="h", sender="a@x.org", recipients=("b@x.org",)), receiver))

    hand(delivery, event(BELOW))
    quiet(silences)
    wake(delivery)
    hand(delivery, event(BELOW, "resolved", slot=event(BELOW).slot + HOUR))

    assert receiver.transitions == ["firing", "resolved"]


def test_one_that_ended_while_nobody_was_there_is_told_after_the_start(
    make_delivery: Any, event: Any, receiver: Any, world: Any, database: Database
) -> None:
    """A restart must not turn a silence into one for ever."""
    kept = Silences(database, now=world.clock)
    quiet(kept)
    fired = event(BELOW)
    database.insert("alert_events", [{**asdict(fired), "epoch": 1, "at": world.clock()}])
    channel = (LogChannel(name="oncall", severities=EVERYTHING), receiver)

    before = make_delivery(channel, query=database)
    wake(before)
    assert receiver.transitions == []
    world.clock.pass_by(hours=6)
    after = make_delivery(channel, query=database)
    wake(after)
    wake(make_delivery(channel, query=database))

    assert receiver.transitions == ["firing"]


@pytest.mark.parametrize(
    ("lasts", "subject", "because", "said"),
    [
        pytest.param(HOUR, {"use_case": ""}, "x", "nobody may silence everything", id="everything"),
        pytest.param(HOUR, {"use_case": "a"}, " ", "expected a reason", id="no reason"),
        pytest.param(31 * DAY, {"rule": "a"}, "x", "at most 30 days", id="for ever"),
        pytest.param(-HOUR, {"rule": "a"}, "x", "at most 30 days", id="in the past"),
    ],
)
def test_a_silence_has_a_subject_a_reason_and_an_end(
    silences: Silences, lasts: timedelta, subject: dict[str, str], because: str, said: str
) -> None:
    """What lacks one of them is found by nobody and ends never."""
    with pytest.raises(SilenceRefused, match=said):
        silences.add(lasts, project="default", by="ana", because=because, **subject)


def test_the_longest_that_covers_an_alert_is_named(silences: Silences, world: Any) -> None:
    """People ask when they will hear of it again."""
    quiet(silences, 1)
    longest = quiet(silences, 3, use_case="", rule=BELOW)
    quiet(silences, 9, use_case="another")
    alert = {"project": "default", "use_case": "digit-reader", "rule": BELOW}

    found = covering(silences.in_force(), alert, at=world.clock())

    assert found is not None
    assert found.silence == longest
    assert covering(silences.in_force(), {**alert, "project": "other"}, at=world.clock()) is None
