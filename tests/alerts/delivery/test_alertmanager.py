"""Alertmanager, API v2: a real one, and a pair of them, where there is one; else what is posted.

The real ones cost about 1.5 s of the processor each.
"""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from bench._alertmanager import Alertmanagers, alertmanager_binary
from tests.alerts.delivery.conftest import Hook

from tocsin_alerts.channels import AlertmanagerChannel
from tocsin_alerts.errors import DeliveryFailed
from tocsin_alerts.notifiers import AlertmanagerNotifier
from tocsin_alerts.notifiers.alertmanager import HOLDS
from tocsin_alerts.standing import Standing

HOUR = timedelta(hours=1)
BELOW, FALLING = "accuracy-below-floor", "estimated-accuracy-drop"


def standing(rule: str = BELOW, **changes: Any) -> Standing:
    """One alert that fires."""
    made = Standing(
        event=f"{rule}/1",
        rule=rule,
        labels={"model_version": "7", "field": ""},
        severity="page",
        summary="Accuracy is below the floor.",
        reason="upper 0.896 < floor 0.9",
        since=datetime(2026, 4, 17, tzinfo=UTC),
        until=None,
    )
    return replace(made, **changes)


@pytest.fixture
def notifier(hook: Hook, clock: Any) -> AlertmanagerNotifier:
    """A notifier of one replica, which is the receiver."""
    channel = AlertmanagerChannel(name="am", urls=(f"http://127.0.0.1:{hook.port}/am/",), user="u", password="env:P")
    return AlertmanagerNotifier(channel, lambda: "secret", now=clock)


def posted(hook: Hook) -> list[dict[str, Any]]:
    """The alerts of the last post."""
    return list(json.loads(hook.requests[-1][2]))


def test_an_alert_is_posted_as_prometheus_posts_one(
    hook: Hook, notifier: AlertmanagerNotifier, notification: Any, clock: Any
) -> None:
    """Labels say which, annotations what; it ends by itself after missed posts; what is empty is left out."""
    notifier.send(notification(alerts=(standing(),)))

    [alert] = posted(hook)
    path, headers, _ = hook.requests[0]
    assert path == "/am/api/v2/alerts"
    assert headers["authorization"] == "Basic dTpzZWNyZXQ="
    assert alert["labels"] == {
        "alertname": BELOW,
        "project": "default",
        "use_case": "digit-reader",
        "severity": "page",
        "model_version": "7",
    }
    assert alert["annotations"] == {
        "summary": "Subject",
        "description": "upper 0.896 < floor 0.9",
        "rule": "Accuracy is below the floor.",
        "message": "Text\n",
        "incident": "incident-1",
    }
    assert alert["startsAt"] == "2026-04-17T00:00:00.000Z"
    assert datetime.fromisoformat(alert["endsAt"]) == clock() + timedelta(seconds=60 * HOLDS)


def test_an_end_is_neither_before_the_beginning_nor_in_the_future(
    hook: Hook, notifier: AlertmanagerNotifier, notification: Any, clock: Any
) -> None:
    """Alertmanager refuses the one and takes the other for an alert that fires."""
    began = standing().since
    ends = {"a": began, "b": clock() + HOUR, "c": began + HOUR}

    alerts = tuple(standing(rule, until=until) for rule, until in ends.items())
    notifier.send(notification(transition="resolved", alerts=(*alerts, standing("d", since=clock() + HOUR))))

    said = {each["labels"]["alertname"]: each for each in posted(hook)}
    times = {name: [datetime.fromisoformat(each[at]) for at in ("startsAt", "endsAt")] for name, each in said.items()}
    assert all(start < end for start, end in times.values())
    assert [times[name][1] <= clock() for name in "abc"] == [True, True, True]
    assert times["c"][1] == began + HOUR
    assert times["d"][0] <= clock()


@pytest.mark.parametrize("name", ["segment-name", "1st", "été", "severity", "alertname", ""])
def test_a_label_is_what_alertmanager_takes_for_one(
    hook: Hook, notifier: AlertmanagerNotifier, notification: Any, name: str
) -> None:
    """One label that it refuses is one page that nobody gets; and no label of ours is replaced by an evaluator's."""
    notifier.send(notification(alerts=(standing(labels={name: "\ud800x"}),)))

    labels = posted(hook)[0]["labels"]
    assert len(labels) == 5
    assert all(part.isascii() and part.isidentifier() for part in labels)
    assert (labels["alertname"], labels["severity"]) == (BELOW, "page")
    assert "?x" in labels.values()


def test_one_replica_of_two_is_enough_and_none_is_not(hook: Hook, notification: Any, clock: Any) -> None:
    """Whoever took it notifies; the other gets it with the next post."""
    channel = AlertmanagerChannel(name="am", urls=("http://127.0.0.1:9", f"http://127.0.0.1:{hook.port}"))
    pair = AlertmanagerNotifier(channel, str, now=clock)

    pair.send(notification(alerts=(standing(),)))
    hook.status = 503

    with pytest.raises(DeliveryFailed, match="Alertmanager channel 'am'"):
        pair.send(notification(alerts=(standing(),)))
    assert len(hook.requests) == 2


def channel_of(hook: Hook, clock: Any) -> tuple[AlertmanagerChannel, AlertmanagerNotifier]:
    """A channel whose one replica is the receiver."""
    channel = AlertmanagerChannel(name="am", urls=(f"http://127.0.0.1:{hook.port}",))
    return channel, AlertmanagerNotifier(channel, str, now=clock)


def names(hook: Hook) -> dict[str, bool]:
    """The rules of the last post, and whether each fires."""
    return {each["labels"]["alertname"]: each["endsAt"] > "2026-04-17T12" for each in posted(hook)}


def test_what_fires_is_posted_again_and_what_ended_for_a_while(
    make_delivery: Any, event: Any, hook: Hook, clock: Any
) -> None:
    """It keeps alerts in memory and ends what is not posted; one that missed the end hears it again."""
    delivery = make_delivery(channel_of(hook, clock))
    slot = event(BELOW).slot

    for each in (event(BELOW), event(FALLING, slot=slot + HOUR), event(BELOW, "resolved", slot=slot + 2 * HOUR)):
        delivery.handle([each], each.slot, live=True)
        delivery.pump()
    assert names(hook) == {BELOW: False, FALLING: True}
    posts = len(hook.requests)
    clock.pass_by(seconds=59)
    delivery.pump()
    assert len(hook.requests) == posts == 3
    clock.pass_by(seconds=1)
    delivery.pump()
    assert len(hook.requests) == posts + 1
    assert names(hook) == {BELOW: False, FALLING: True}
    delivery.handle([event(FALLING, "resolved", slot=slot + 3 * HOUR)], slot + 3 * HOUR, live=True)
    for _ in range(2 * HOLDS):
        delivery.pump()
        clock.pass_by(minutes=1)

    assert names(hook) == {BELOW: False, FALLING: False}
    assert len(hook.requests) == posts + 1 + HOLDS


def test_a_restart_of_ours_posts_at_once_what_stands(
    make_delivery: Any, event: Any, hook: Hook, clock: Any, database: Any
) -> None:
    """Whoever was away too long is thought healthy."""
    fired = event(BELOW)
    database.insert("alert_events", [{name: getattr(fired, name) for name in fired.__slots__} | {"at": clock()}])
    before = make_delivery(channel_of(hook, clock), query=database)
    before.handle([fired], fired.slot, live=True)
    before.pump()

    after = make_delivery(channel_of(hook, clock), query=database)
    after.pump()
    after.handle([event(BELOW, "recovering", slot=fired.slot + HOUR)], fired.slot + HOUR, live=True)
    after.pump()
    over = event(BELOW, "resolved", slot=fired.slot + 2 * HOUR)
    after.handle([over], over.slot, live=True)
    after.pump()
    make_delivery(channel_of(hook, clock), query=database).pump()

    assert [json.loads(body)[0]["annotations"]["description"] for _, _, body in hook.requests] == [fired.reason] * 4
    assert names(hook) == {BELOW: False}  # over for good: nothing stands after the third start
    sent = database.rows("SELECT transition, state FROM notifications FINAL ORDER BY slot")
    assert [(each["transition"], each["state"]) for each in sent] == [
        ("firing", "sent"),
        ("updated", "sent"),
        ("resolved", "sent"),
    ]


class Room:
    """Where the real Alertmanagers' own notifications arrive."""

    def __init__(self) -> None:
        self.said: list[tuple[str, tuple[str, ...]]] = []
        room = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                told = json.loads(self.rfile.read(int(self.headers["content-length"])))
                rules = {each["labels"]["alertname"] for each in told["alerts"]}
                room.said.append((told["status"], tuple(sorted(rules))))
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *args: Any) -> None:
                del args

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05})
        self.thread.start()

    def close(self) -> None:
        """End."""
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


def eventually(claim: Callable[[], Any]) -> None:
    """Wait until a claim holds."""
    end = time.monotonic() + 60
    while not claim():
        assert time.monotonic() < end, "it did not become true"
        time.sleep(0.05)


@pytest.fixture
def room() -> Iterator[Room]:
    """A receiver of what Alertmanager sends."""
    made = Room()
    yield made
    made.close()


@pytest.fixture
def pair(tmp_path: Any, room: Room) -> Iterator[Alertmanagers]:
    """Two real replicas that know each other; of two drops in one use case they tell the page alone."""
    binary = alertmanager_binary()
    if binary is None:
        pytest.skip("needs a real Alertmanager: set TOCSIN_ALERTMANAGER to its binary, or install Debian's package")
    hooks = [{"url": f"http://127.0.0.1:{room.server.server_address[1]}/", "send_resolved": True}]
    config = {
        "route": {
            "receiver": "room",
            "group_by": ["alertname"],
            "group_wait": "0s",
            "group_interval": "1s",
            "repeat_interval": "1h",
        },
        "receivers": [{"name": "room", "webhook_configs": hooks}],
        "inhibit_rules": [
            {"source_matchers": ['severity="page"'], "target_matchers": ['severity="ticket"'], "equal": ["use_case"]}
        ],
    }
    with Alertmanagers(binary, tmp_path / "am", config, replicas=2) as made:
        yield made


def test_a_real_pair_fires_inhibits_silences_restarts_and_resolves(
    pair: Alertmanagers, room: Room, make_delivery: Any, event: Any
) -> None:
    """What it groups, silences and inhibits is ours by its labels, and a replica that comes back knows what fires."""
    wall = lambda: datetime.now(UTC)  # noqa: E731 - Alertmanager's clock is the machine's
    channel = AlertmanagerChannel(name="am", urls=pair.urls, resend_s=1)
    delivery = make_delivery((channel, AlertmanagerNotifier(channel, str, now=wall)), now=wall)
    slot = event().slot
    tell = lambda *events: delivery.handle(events, events[0].slot, live=True)  # noqa: E731

    def knows(number: int, rule: str, state: str) -> Callable[[], bool]:
        def look() -> bool:
            delivery.pump()  # posts again what stands, once a second
            found = pair.alerts(number).get(rule)
            return found is not None and found["status"]["state"] == state

        return look

    silence = {
        "matchers": [{"name": "alertname", "value": "latency", "isRegex": False}],
        "startsAt": wall().isoformat(),
        "endsAt": (wall() + HOUR).isoformat(),
        "createdBy": "ana",
        "comment": "we know",
    }
    pair.ask("/api/v2/silences", silence)
    eventually(lambda: pair.ask("/api/v2/silences", number=1))  # replicas tell each other of silences, not of alerts

    tell(event(BELOW, slot=slot))
    tell(event("input-drift", slot=slot, severity="ticket", incident="ticket-1"))
    tell(event("latency", slot=slot, incident="incident-2", use_case="another"))
    for number in (0, 1):
        eventually(knows(number, BELOW, "active"))
        eventually(knows(number, "input-drift", "suppressed"))
        eventually(knows(number, "latency", "suppressed"))
    eventually(lambda: ("firing", (BELOW,)) in room.said)

    pair.kill(0)
    tell(event(FALLING, slot=slot + HOUR))
    eventually(knows(1, FALLING, "active"))
    pair.start(0)
    eventually(knows(0, FALLING, "active"))

    tell(event(BELOW, "resolved", slot=slot + 2 * HOUR), event(FALLING, "resolved", slot=slot + 2 * HOUR))
    delivery.pump()
    eventually(lambda: {BELOW, FALLING}.isdisjoint({**pair.alerts(0), **pair.alerts(1)}))
    eventually(lambda: ("resolved", (FALLING,)) in room.said)

    assert delivery.stats().channels[0].dead == 0
