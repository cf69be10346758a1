"""Messages go out again and again until taken or dead."""

from itertools import pairwise
from typing import Any

import pytest

from tocsin_alerts.courier import Courier
from tocsin_alerts.errors import DeliveryFailed
from tocsin_alerts.outbox import Outbox


@pytest.fixture
def courier(receiver: Any, store: Any, clock: Any) -> Courier:
    """One channel's courier, not started."""
    return Courier("oncall", receiver, Outbox(store), now=clock, jitter=lambda: 0.5, undelivered=set())


def _states(store: Any) -> list[tuple[str, int]]:
    return [(row["state"], row["attempts"]) for row in store.inserted.get("notifications", [])]


def test_sent_is_written_after_the_receiver_took_it(
    courier: Courier, receiver: Any, store: Any, notification: Any
) -> None:
    """Sent means taken, not tried."""
    courier.post(notification())

    courier.pump()

    assert len(receiver.taken) == 1
    assert _states(store) == [("sent", 1)]


def test_pauses_double_and_are_bounded(courier: Courier, receiver: Any, clock: Any, notification: Any) -> None:
    """A receiver that is down is asked ever less often, but within a minute of its return."""
    receiver.is_down = DeliveryFailed("down")
    courier.post(notification())
    tried_at = []

    for _ in range(3600):
        if courier.pump():
            tried_at.append((clock() - notification().created_at).total_seconds())
        clock.pass_by(seconds=1)

    pauses = [later - earlier for earlier, later in pairwise(tried_at)]
    assert pauses[:5] == [5, 10, 20, 40, 60]
    assert max(pauses) == 60


def test_retry_after_is_honoured(courier: Courier, receiver: Any, clock: Any, notification: Any) -> None:
    """A receiver that names a time is not asked before it."""
    receiver.failures = [DeliveryFailed("busy", retry_after_s=120)]
    courier.post(notification())
    courier.pump()

    clock.pass_by(seconds=119)
    assert courier.pump() == 0
    clock.pass_by(seconds=2)
    assert courier.pump() == 1

    assert len(receiver.taken) == 1


def test_a_day_of_failures_is_the_end(
    courier: Courier, receiver: Any, store: Any, clock: Any, notification: Any
) -> None:
    """A page from yesterday helps nobody; that it was lost is on record."""
    receiver.is_down = DeliveryFailed("connection refused")
    courier.post(notification())

    for _ in range(24 * 60 + 1):
        courier.pump()
        clock.pass_by(minutes=1)

    assert _states(store)[-1][0] == "dead"
    stats = courier.stats()
    assert (stats.dead, stats.waiting) == (1, 0)
    assert "connection refused" in stats.last_error
    assert stats.failed_attempts > 90


def test_whatever_a_notifier_raises_the_message_is_kept(courier: Courier, receiver: Any, notification: Any) -> None:
    """A bug in one way out must not lose a page."""
    receiver.failures = [RuntimeError("surprise")]
    courier.post(notification())

    courier.pump()

    assert courier.stats().waiting == 1
    assert "RuntimeError: surprise" in courier.stats().last_error


def test_an_outcome_that_could_not_be_written_is_not_sent_again(
    courier: Courier, receiver: Any, store: Any, clock: Any, notification: Any
) -> None:
    """The receiver has it; only the record is late."""
    courier.post(notification())
    store.is_away = True
    courier.pump()
    store.is_away = False
    clock.pass_by(minutes=1)

    courier.pump()

    assert len(receiver.taken) == 1
    assert _states(store) == [("sent", 1)]


def test_one_that_fails_does_not_hold_the_others_for_long(
    courier: Courier, receiver: Any, clock: Any, notification: Any
) -> None:
    """A message that a receiver will not have must not block the next incident's page."""
    refused = DeliveryFailed("413 too large")

    class Picky(type(receiver)):  # type: ignore[misc]
        def send(self, message: Any) -> None:
            if message.incident == "one":
                raise refused
            super().send(message)

    courier._notifier = receiver = Picky()
    courier.post(notification(incident="one"))
    for _ in range(200):
        courier.pump()
        clock.pass_by(seconds=1)
    courier.post(notification(incident="two"))

    for _ in range(40):
        courier.pump()
        clock.pass_by(seconds=1)

    assert [each.incident for each in receiver.taken] == ["two"]


def test_the_thread_sends_by_itself(courier: Courier, receiver: Any, notification: Any) -> None:
    """Evaluation hands over and goes on."""
    courier.start()
    courier.post(notification())

    assert courier.wait_idle(10)
    courier.close()

    assert len(receiver.taken) == 1


def test_when_the_receiver_is_back_everything_leaves_at_once(
    courier: Courier, receiver: Any, clock: Any, notification: Any
) -> None:
    """Two hundred pages that each waited out a pause of their own would arrive for a quarter of an hour."""
    receiver.is_down = DeliveryFailed("down")
    for number in range(200):
        courier.post(notification(incident=f"incident-{number}"))
    for _ in range(3_600):
        courier.pump()
        clock.pass_by(seconds=1)
    receiver.is_down = None

    for _ in range(76):
        courier.pump()
        clock.pass_by(seconds=1)

    assert len({each.incident for each in receiver.taken}) == len(receiver.taken) == 200


def test_a_receiver_that_asks_for_a_pause_gets_it_from_every_message(
    courier: Courier, receiver: Any, clock: Any, notification: Any
) -> None:
    """It speaks of itself, not of the message that it happened to refuse."""
    receiver.failures = [DeliveryFailed("busy", retry_after_s=120)]
    courier.post(notification(incident="one"))
    courier.pump()
    courier.post(notification(incident="two"))

    clock.pass_by(seconds=119)
    assert courier.pump() == 0
    clock.pass_by(seconds=1)
    courier.pump()

    assert [each.incident for each in receiver.taken] == ["two", "one"]


def test_the_messages_of_an_incident_leave_in_order(
    courier: Courier, receiver: Any, clock: Any, notification: Any
) -> None:
    """An update after the end would open it again at whoever merges by its key."""
    courier.post(notification())
    courier.pump()
    receiver.failures = [DeliveryFailed("down")] * 3
    for transition in ("updated", "resolved"):
        courier.post(notification(transition=transition))

    for _ in range(100):
        courier.pump()
        clock.pass_by(seconds=1)

    assert receiver.transitions == ["firing", "updated", "resolved"]
