"""Slack by a bot's token, over real HTTP, by the format that Slack publishes; Slack itself is not called."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.alerts.delivery.conftest import Hook

from tocsin_alerts.channels import SlackBotChannel
from tocsin_alerts.chat_threads import Place
from tocsin_alerts.errors import DeliveryFailed
from tocsin_alerts.notifiers import SlackBotNotifier
from tocsin_alerts.render import Templates
from tocsin_alerts.sample_views import FIRING

NOW = datetime(2026, 4, 17, 12, tzinfo=UTC)


class Threads:
    """What is kept of messages, in memory."""

    def __init__(self) -> None:
        self.places: dict[tuple[str, str], Place] = {}

    def find(self, channel: str, incident: str) -> Place | None:
        """Give what is kept."""
        return self.places.get((channel, incident))

    def keep(self, channel: str, incident: str, place: Place) -> None:
        """Keep one."""
        self.places[channel, incident] = place


def bot(hook: Hook, threads: Threads, *, has_charts: bool = False, **more: Any) -> SlackBotNotifier:
    """A notifier whose Slack is the receiver."""
    channel = SlackBotChannel(
        name="room", token="env:T", room="C7", url=f"http://127.0.0.1:{hook.port}/api", signing_secret="env:S", **more
    )
    return SlackBotNotifier(channel, lambda: "xoxb-1", threads, now=lambda: NOW, has_charts=has_charts)  # type: ignore[arg-type]


def calls(hook: Hook) -> list[tuple[str, dict[str, Any]]]:
    """Which methods were called, and with what."""
    return [(path.rpartition("/")[2], json.loads(body)) for path, _, body in hook.requests]


def test_an_incident_is_one_message_changed_in_place_with_its_story_in_the_thread(
    hook: Hook, notification: Any
) -> None:
    """A room with a message for each change of each alert is a room that nobody reads."""
    threads = Threads()
    hook.answers = [{"ok": True, "channel": "C7", "ts": "17.1"}] + [{"ok": True, "channel": "C7", "ts": "17.2"}] * 4
    for transition in ("firing", "updated", "resolved"):
        bot(hook, threads).send(notification(incident="i", transition=transition))

    made = calls(hook)
    assert [method for method, _ in made] == [
        "chat.postMessage",
        "chat.update",
        "chat.postMessage",
        "chat.update",
        "chat.postMessage",
    ]
    first, update, reply, end, _ = [body for _, body in made]
    assert (first["channel"], "thread_ts" in first) == ("C7", False)
    assert (update["channel"], update["ts"]) == ("C7", "17.1")
    assert (reply["thread_ts"], end["ts"]) == ("17.1", "17.1")
    assert all(headers["authorization"] == "Bearer xoxb-1" for _, headers, _ in hook.requests)


def test_an_open_incident_has_a_button_and_one_that_is_over_has_none(hook: Hook, notification: Any) -> None:
    """The name of the incident comes back with who pressed it; a story in a thread needs no second button."""
    threads = Threads()
    hook.answers = [{"ok": True, "channel": "C7", "ts": "17.1"}] * 5
    for transition in ("firing", "updated", "resolved"):
        bot(hook, threads).send(notification(incident="incident-7", transition=transition))

    buttons = [
        [element["value"] for block in body["blocks"] if block["type"] == "actions" for element in block["elements"]]
        for _, body in calls(hook)
    ]
    assert buttons == [["incident-7"], ["incident-7"], [], [], []]


def test_a_message_that_somebody_deleted_is_begun_again(hook: Hook, notification: Any) -> None:
    """Who tidies a room must not silence the incident."""
    threads = Threads()
    threads.keep("room", "i", Place(room="C7", ts="17.1"))
    hook.answers = [{"ok": False, "error": "message_not_found"}, {"ok": True, "channel": "C7", "ts": "18.1"}]

    bot(hook, threads).send(notification(incident="i", transition="updated"))

    assert [method for method, _ in calls(hook)] == ["chat.update", "chat.postMessage"]
    assert threads.find("room", "i") == Place(room="C7", ts="18.1")


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ({"ok": False, "error": "not_in_channel"}, "invite the bot"),
        ({"ok": False, "error": "ratelimited"}, "ratelimited"),
        ({"hello": 1}, "no reason"),
        ("<html>", "expected JSON"),
    ],
)
def test_a_200_that_is_a_refusal_is_not_sent(hook: Hook, notification: Any, answer: Any, says: str) -> None:
    """Slack says 200 to what it did not do: taken for sent, a page would be lost without a trace."""
    hook.answers = [answer]

    with pytest.raises(DeliveryFailed, match=says) as failure:
        bot(hook, Threads()).send(notification(incident="i"))

    assert "xoxb" not in str(failure.value)


def test_a_picture_that_slack_cannot_fetch_takes_no_message_with_it(hook: Hook, notification: Any) -> None:
    """Slack refuses all blocks for a picture behind a sign-in; the page is worth more."""
    sent = notification(message=Templates(public_url="https://t.example.com").compose(FIRING, chat=True))
    hook.answers = [{"ok": False, "error": "invalid_blocks"}, {"ok": True, "channel": "C7", "ts": "17.1"}]

    bot(hook, Threads(), has_charts=True).send(sent)

    kinds = [[block["type"] for block in body["blocks"]] for _, body in calls(hook)]
    assert ["image" in each for each in kinds] == [True, False]
