"""A silence keeps messages, not alerts: what still fires when it ends is told then, and nothing is told twice."""

import functools
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.alerts.delivery.conftest import MemoryStore
from tests.alerts.delivery.deciding import hand, wake

from tocsin_alerts.channels import EVERYTHING, LogChannel, SmtpChannel
from tocsin_alerts.errors import SilenceRefused
from tocsin_alerts.matchers import Matcher, matchable
from tocsin_alerts.plan import Plan
from tocsin_alerts.silences import Silence, Silences, covering
from tocsin_alerts.windows import Window, declared
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
        if "silences" in parameters:
            return [{"silence": name} for name in last if name in parameters["silences"]]
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


def test_a_rules_silence_covers_that_it_cannot_be_evaluated(
    make_delivery: Any, event: Any, receiver: Any, silences: Silences
) -> None:
    """Who has silenced a rule while they mend it would otherwise be told that it is broken."""
    quiet(silences, rule=BELOW)
    delivery = make_delivery()
    blind = {"labels": {"overlay": "error"}, "severity": "ticket"}

    hand(delivery, event(BELOW, **blind))
    hand(delivery, event(FALLING, incident="ticket-2", **blind))

    assert [each.incident for each in receiver.taken] == ["ticket-2"]


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
        pytest.param(
            HOUR, {"matchers": [Matcher.parse("use_case=~.*")]}, "x", "nobody may", id="everything by a pattern"
        ),
        pytest.param(HOUR, {"matchers": [Matcher.parse("rule!=a")]}, "x", "nobody may", id="everything but one"),
        pytest.param(HOUR, {"matchers": [Matcher.parse("project=default")]}, "x", "nobody may", id="a project"),
        pytest.param(
            HOUR, {"use_case": "a", "since": datetime(2026, 4, 17, 10, tzinfo=UTC)}, "x", "is not over", id="over"
        ),
        pytest.param(HOUR, {"use_case": "a"}, " ", "expected a reason", id="no reason"),
        pytest.param(31 * DAY, {"rule": "a"}, "x", "at most 30 days", id="for ever"),
        pytest.param(-HOUR, {"rule": "a"}, "x", "at most 30 days", id="in the past"),
    ],
)
def test_a_silence_has_a_subject_a_reason_and_an_end(
    silences: Silences, lasts: timedelta, subject: dict[str, Any], because: str, said: str
) -> None:
    """What lacks one of them is found by nobody and ends never."""
    with pytest.raises(SilenceRefused, match=said):
        silences.add(lasts, project="default", by="ana", because=because, **subject)


def test_the_longest_that_covers_an_alert_is_named(silences: Silences, world: Any) -> None:
    """People ask when they will hear of it again."""
    quiet(silences, 1)
    longest = quiet(silences, 3, use_case="", rule=BELOW)
    quiet(silences, 9, use_case="another")
    alert = matchable(project="default", use_case="digit-reader", rule=BELOW, severity="page", labels={})

    found = covering(silences.in_force(), alert, at=world.clock())

    assert found is not None
    assert found.silence == longest
    assert covering(silences.in_force(), {**alert, "project": "other"}, at=world.clock()) is None


def test_matchers_say_which_alerts(make_delivery: Any, event: Any, receiver: Any, silences: Silences) -> None:
    """A retired model version is silenced, its successor is not."""
    matchers = [Matcher.parse("model_version=~6\\..*"), Matcher.parse("severity!=log")]
    silences.add(HOUR, project="default", matchers=matchers, by="ana", because="it is being retired")
    delivery = make_delivery()

    hand(delivery, event(BELOW, labels={"model_version": "6.2"}, fingerprint="old"))
    hand(delivery, event(BELOW, labels={"model_version": "7"}, fingerprint="new", incident="incident-2"))

    assert [each.incident for each in receiver.taken] == ["incident-2"]


def test_a_silence_that_is_announced_begins_when_it_says(
    make_delivery: Any, event: Any, receiver: Any, world: Any, silences: Silences
) -> None:
    """Tonight's migration is announced at noon."""
    silences.add(
        HOUR, project="default", use_case="digit-reader", since=world.clock() + HOUR, by="ana", because="migration"
    )
    delivery = make_delivery()

    hand(delivery, event(BELOW))
    world.clock.pass_by(hours=1)
    hand(delivery, event(BELOW, incident="incident-2", fingerprint="another"))
    assert [each.incident for each in receiver.taken] == ["incident-1"]
    world.clock.pass_by(hours=1)
    wake(delivery)

    assert [each.incident for each in receiver.taken] == ["incident-1", "incident-2"]


WINDOWS = (
    {"name": "nightly", "matchers": ["use_case=digit-reader"], "weekly": {"from": "22:00", "until": "06:00"}},
    {"name": "move", "matchers": ["use_case=x"], "from": "2026-04-17T18:00", "until": "2026-04-19T08:00"},
)


@pytest.fixture
def windows() -> list[Window]:
    """Maintenance windows as tocsin.yaml has them: one every night, one once."""
    said = {"author": "ops", "reason": "backups", "zone": "Europe/Berlin"}
    return [Window.model_validate(said | each) for each in WINDOWS]


def test_maintenance_windows_come_round_and_a_person_may_end_one(world: Any, windows: list[Window]) -> None:
    """Each time it is a silence as any other; the next night it holds again."""
    plan = Plan.model_validate({"use_case": "digit-reader", "zone": "Asia/Tokyo", "mute": [{"days": ["sat"]}]})
    silences = Silences(world.store, now=world.clock, declared=functools.partial(declared, windows, [plan]))

    assert silences.in_force() == []
    world.clock.at = datetime(2026, 4, 17, 21, tzinfo=UTC)  # Friday, eleven in the evening; Saturday in Tokyo
    found = {each.silence: each for each in silences.in_force()}
    assert {name: (each.since.hour, each.until.hour) for name, each in found.items()} == {
        "nightly.2026-04-17T20:00": (20, 4),
        "move.2026-04-17T16:00": (16, 6),
        "digit-reader.0.2026-04-17T15:00": (15, 15),
    }
    kept = {severity: covering(found.values(), labels(severity), at=world.clock()) for severity in ("page", "ticket")}
    assert {severity: each and each.silence.split(".")[0] for severity, each in kept.items()} == {
        "page": "nightly",
        "ticket": "digit-reader",
    }
    ended = silences.expire("nightly", by="bo")
    assert ended.until == world.clock()
    assert "nightly" not in {each.silence.split(".")[0] for each in silences.in_force()}
    world.clock.pass_by(days=1)

    assert "nightly.2026-04-18T20:00" in {each.silence for each in silences.in_force()}


def labels(severity: str) -> dict[str, str]:
    """What an alert is matched by."""
    return matchable(project="default", use_case="digit-reader", rule=BELOW, severity=severity, labels={})


def test_matchers_survive_the_store(database: Database, world: Any) -> None:
    """A restart must not widen a silence."""
    kept = Silences(database, now=world.clock)
    matchers = [Matcher.parse('segment!="device=a"'), Matcher.parse("use_case=~a|b")]
    made = kept.add(HOUR, project="default", matchers=matchers, by="ana", because="x")

    assert Silences(database, now=world.clock).in_force() == [made]
    assert isinstance(made, Silence)
    assert made.subject == "segment!=device=a, use_case=~a|b"
