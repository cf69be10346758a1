"""One incident is one message, whatever fires in it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from tocsin_alerts.channels import LogChannel, SmtpChannel, WebhookChannel
from tocsin_alerts.delivery import Delivery
from tocsin_alerts.errors import DeliveryFailed
from tocsin_alerts.outbox import notification_id
from tocsin_alerts.plan import Plan, Plans
from tocsin_alerts.render import Templates

DAY = timedelta(days=1)
SMTP = SmtpChannel(name="mail", host="h", sender="a@example.com", recipients=("b@example.com",))


def _hand(delivery: Delivery, *events: Any, live: bool = True) -> None:
    delivery.handle(events, events[0].slot, live=live)
    delivery.pump()


def test_one_incident_pages_once_and_resolves_once(make_delivery: Any, event: Any, receiver: Any) -> None:
    """Two rules of one trouble that called twice would teach people to ignore the second."""
    delivery = make_delivery()
    first = event("estimated-accuracy-drop")
    second = event("accuracy-below-floor", slot=first.slot + DAY)

    _hand(delivery, first)
    _hand(delivery, second)
    _hand(delivery, event("estimated-accuracy-drop", "resolved", slot=first.slot + 2 * DAY))
    _hand(delivery, event("accuracy-below-floor", "resolved", slot=first.slot + 3 * DAY))

    assert receiver.transitions == ["firing", "updated", "resolved"]
    assert delivery.stats().pages == 1
    assert len({each.incident for each in receiver.taken}) == 1


def test_a_mailbox_is_not_told_of_updates_but_a_webhook_is(make_delivery: Any, event: Any, receiver: Any) -> None:
    """A mailbox is read once; a pager merges updates under one dedup key."""
    mail, hook = type(receiver)(), type(receiver)()
    delivery = make_delivery((SMTP, mail), (WebhookChannel(name="hook", url="http://h"), hook))

    _hand(delivery, event("estimated-accuracy-drop"))
    _hand(delivery, event("accuracy-below-floor"))

    assert mail.transitions == ["firing"]
    assert hook.transitions == ["firing", "updated"]


def test_alerts_of_one_slot_are_one_message(make_delivery: Any, event: Any, receiver: Any) -> None:
    """What fires together is told together."""
    delivery = make_delivery()

    _hand(delivery, event("estimated-accuracy-drop"), event("accuracy-below-floor"))

    assert receiver.transitions == ["firing"]
    assert "accuracy-below-floor" in receiver.taken[0].message.text


def test_the_same_events_again_say_nothing_again(make_delivery: Any, event: Any, receiver: Any) -> None:
    """The engine hands events in again after a crash."""
    delivery = make_delivery()

    for _ in range(3):
        _hand(delivery, event())

    assert receiver.transitions == ["firing"]


def test_catching_up_says_nothing_until_the_notice(make_delivery: Any, event: Any, receiver: Any) -> None:
    """After downtime people hear where things stand, not a replay of the night."""
    delivery = make_delivery()

    _hand(delivery, event(), live=False)
    assert receiver.taken == []
    _hand(delivery, event())

    assert receiver.transitions == ["firing"]


def test_an_incident_that_began_and_ended_while_down_is_not_told(make_delivery: Any, event: Any, receiver: Any) -> None:
    """Nobody can act on it, and its end alone would confuse."""
    delivery = make_delivery()

    _hand(delivery, event(), live=False)
    _hand(delivery, event(to="resolved", slot=event().slot + DAY))

    assert receiver.taken == []


def test_severity_decides_who_hears(make_delivery: Any, event: Any, receiver: Any) -> None:
    """A ticket must not wake anybody."""
    pager, log = type(receiver)(), type(receiver)()
    delivery = make_delivery((WebhookChannel(name="pager", url="http://h"), pager), (LogChannel(), log))

    _hand(delivery, event("input-drift", severity="ticket", incident="ticket-1"))

    assert pager.taken == []
    assert log.transitions == ["firing"]


def test_a_plans_route_overrides_the_severities(make_delivery: Any, event: Any, receiver: Any) -> None:
    """The team says who is told."""
    theirs, ours = type(receiver)(), type(receiver)()
    plan = Plan.model_validate({"use_case": "digit-reader", "routes": {"page": ["theirs"]}})
    delivery = make_delivery(
        (WebhookChannel(name="theirs", url="http://h"), theirs),
        (WebhookChannel(name="ours", url="http://h"), ours),
        plans=Plans.of(plan),
    )

    _hand(delivery, event())

    assert theirs.transitions == ["firing"]
    assert ours.taken == []


def test_resolve_waits_for_a_firing_that_is_still_on_its_way(
    make_delivery: Any, event: Any, receiver: Any, clock: Any
) -> None:
    """An end without a beginning would be noise, and out of order worse."""
    delivery = make_delivery()
    receiver.failures = [DeliveryFailed("down")]

    _hand(delivery, event())
    _hand(delivery, event(to="resolved", slot=event().slot + DAY))
    assert receiver.taken == []
    clock.pass_by(minutes=1)
    delivery.pump()

    assert receiver.transitions == ["firing", "resolved"]


def test_nobody_hears_the_end_of_what_never_reached_them(
    make_delivery: Any, event: Any, receiver: Any, clock: Any
) -> None:
    """A dead firing message is counted and visible; its resolve is not sent."""
    delivery = make_delivery()
    receiver.is_down = DeliveryFailed("gone", is_permanent=True)

    _hand(delivery, event())
    receiver.is_down = None
    clock.pass_by(hours=1)
    _hand(delivery, event(to="resolved", slot=event().slot + DAY))

    assert receiver.taken == []
    (channel,) = delivery.stats().channels
    assert (channel.dead, channel.sent, channel.waiting) == (2, 0, 0)


def test_ids_follow_from_the_incident(make_delivery: Any, event: Any, receiver: Any) -> None:
    """A receiver removes duplicates by it, across any crash."""
    delivery = make_delivery()

    _hand(delivery, event())

    assert receiver.taken[0].id == notification_id("incident-1", "firing", "oncall")


def test_a_broken_template_still_tells(make_delivery: Any, event: Any, receiver: Any, tmp_path: Any) -> None:
    """A template error never suppresses an alert."""
    (tmp_path / "firing.txt.j2").write_text("{{ nobody_defined_this }}")
    delivery = make_delivery(templates=Templates(tmp_path))

    _hand(delivery, event())

    text = receiver.taken[0].message.text
    assert "digit-reader" in text
    assert "accuracy-below-floor" in text
    assert "nobody_defined_this" in text
    assert delivery.stats().template_errors == 1


def test_html_is_written_for_mail_alone(make_delivery: Any, event: Any, receiver: Any, tmp_path: Any) -> None:
    """Nobody sees it elsewhere: a page does not wait for it, nor become the short form because it is broken."""
    (tmp_path / "firing.html.j2").write_text("{{ nobody_defined_this }}")
    mailbox = type(receiver)()
    made = [
        make_delivery((SMTP, mailbox), (WebhookChannel(name="oncall", url="http://h"), receiver), templates=each)
        for each in (Templates(), Templates(tmp_path))
    ]

    for delivery in made:
        _hand(delivery, event())

    assert [bool(each.message.html) for each in mailbox.taken] == [True, False]
    assert [each.message.html for each in receiver.taken] == ["", ""]
    assert ["short form" in each.message.text for each in (*mailbox.taken, *receiver.taken)] == [
        False,
        True,
        False,
        False,
    ]


def test_missing_evidence_still_tells(make_delivery: Any, event: Any, receiver: Any, detective: Any) -> None:
    """An alert without evidence is better than none."""
    detective.error = RuntimeError("the query failed")
    delivery = make_delivery()

    _hand(delivery, event())

    assert receiver.transitions == ["firing"]
    assert delivery.stats().evidence_errors == 1


def test_evidence_is_looked_up_once_for_all_channels(
    make_delivery: Any, event: Any, receiver: Any, detective: Any
) -> None:
    """It costs several queries, while the engine waits."""
    asked: list[object] = []

    def look(**said: object) -> Any:
        asked.append(said)
        return detective(**said)

    delivery = make_delivery((SMTP, receiver), (LogChannel(), receiver), investigator=look)

    _hand(delivery, event())
    _hand(delivery, event("estimated-accuracy-drop", slot=event().slot + DAY))

    assert receiver.transitions == ["firing", "firing", "updated"]
    assert len(asked) == 2


def test_a_store_that_is_away_loses_nothing(make_delivery: Any, event: Any, receiver: Any, store: Any) -> None:
    """Nothing is sent that is not on record; the same events come again."""
    delivery = make_delivery()
    store.is_away = True

    with pytest.raises(ConnectionError):
        delivery.handle([event()], event().slot, live=True)
    delivery.pump()
    assert receiver.taken == []
    store.is_away = False
    _hand(delivery, event())

    assert receiver.transitions == ["firing"]


def test_onset_is_the_first_sign(make_delivery: Any, event: Any, receiver: Any) -> None:
    """Since when is asked of when it began, not of when it was certain."""
    delivery = make_delivery()
    pending = event(to="pending")
    fired = event(slot=pending.slot + 2 * DAY)

    _hand(delivery, pending)
    _hand(delivery, fired)

    assert "2 days before this message" in receiver.taken[0].message.text


def test_a_restart_goes_on_where_it_was(
    make_delivery: Callable[..., Delivery], event: Any, receiver: Any, database: Any, clock: Any
) -> None:
    """What waits is sent once, what was sent is not sent again, and the end still finds its beginning."""
    before = make_delivery(query=database)
    receiver.failures = [DeliveryFailed("down")]
    row = {**_row(event()), "epoch": 1, "at": clock()}
    database.insert("alert_events", [row])
    _hand(before, event())
    assert receiver.taken == []

    clock.pass_by(minutes=1)
    after = make_delivery(query=database)
    _hand(after, event())
    assert receiver.transitions == ["firing"]
    third = make_delivery(query=database)
    _hand(third, event())
    _hand(third, event(to="resolved", slot=event().slot + DAY))

    assert receiver.transitions == ["firing", "resolved"]
    sent = database.rows("SELECT transition, state, attempts FROM notifications FINAL ORDER BY transition")
    assert [(r["transition"], r["state"], r["attempts"]) for r in sent] == [
        ("firing", "sent", 2),
        ("resolved", "sent", 1),
    ]


def test_an_end_that_was_stored_and_not_told_is_told_after_a_restart(
    make_delivery: Callable[..., Delivery], event: Any, receiver: Any, database: Any, clock: Any
) -> None:
    """The power was cut between the journal and the outbox: a pager's incident would have stayed open for ever."""
    fired, over = event(), event(to="resolved", slot=event().slot + DAY)
    before = make_delivery(query=database)
    database.insert("alert_events", [{**_row(fired), "epoch": 1, "at": clock()}])
    _hand(before, fired)
    database.insert("alert_events", [{**_row(over), "epoch": 1, "at": clock()}])

    after = make_delivery(query=database)
    _hand(after, over)
    after.wake()
    after.pump()
    third = make_delivery(query=database)
    third.wake()
    third.pump()

    assert receiver.transitions == ["firing", "resolved"]


def test_a_letter_outside_any_incident_is_sent_once_whoever_restarts(
    make_delivery: Callable[..., Delivery], notification: Any, receiver: Any, database: Any, clock: Any
) -> None:
    """The week's report is handed in at every start on its day; one that could not be sent goes out after the restart."""
    letter = notification(incident="weekly-report k", severity="log")
    before = make_delivery(query=database)
    receiver.failures = [DeliveryFailed("down")]
    assert before.post([letter]) == [letter.id]
    before.pump()
    assert receiver.taken == []

    clock.pass_by(minutes=1)
    after = make_delivery(query=database)
    assert after.post([letter]) == []
    after.pump()
    third = make_delivery(query=database)
    assert third.post([letter]) == []
    third.pump()

    assert [each.id for each in receiver.taken] == [letter.id]


def _row(event: Any) -> dict[str, Any]:
    return {name: getattr(event, name) for name in event.__slots__}
