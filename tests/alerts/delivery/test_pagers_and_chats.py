"""PagerDuty, Slack and Teams over real HTTP, by the formats that they publish; the services themselves are not called."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.alerts.delivery.conftest import Hook

from tocsin_alerts.channels import ChatChannel, PagerDutyChannel
from tocsin_alerts.errors import ChannelError, DeliveryFailed
from tocsin_alerts.message import Message
from tocsin_alerts.notifiers import ChatNotifier, PagerDutyNotifier
from tocsin_alerts.notifiers.chat import slack, teams
from tocsin_alerts.render import Templates
from tocsin_alerts.sample_views import FIRING

NOW = datetime(2026, 4, 17, 12, tzinfo=UTC)
SECRET_PATH = "/services/T000/B000/hunter2"


@pytest.fixture
def pagerduty(hook: Hook) -> PagerDutyNotifier:
    """A notifier whose service is the receiver."""
    channel = PagerDutyChannel(name="oncall", routing_key="env:K", url=f"http://127.0.0.1:{hook.port}/v2/enqueue")
    return PagerDutyNotifier(channel, lambda: "k" * 32, now=lambda: NOW)


def chat(channel: ChatChannel, port: int) -> ChatNotifier:
    """A notifier whose chat is the receiver."""
    return ChatNotifier(channel, lambda: f"http://127.0.0.1:{port}{SECRET_PATH}", now=lambda: NOW)


def sent(hook: Hook) -> list[dict[str, Any]]:
    """What came."""
    return [json.loads(body) for _, _, body in hook.requests]


def words(document: Any) -> str:
    """Every text of a document that people read, line by line."""
    if isinstance(document, dict):
        return "\n".join(
            value if key == "text" and isinstance(value, str) else words(value) for key, value in document.items()
        )
    return "\n".join(map(words, document)) if isinstance(document, list) else ""


def test_an_incident_is_one_alert_of_pagerduty(hook: Hook, pagerduty: Any, notification: Any) -> None:
    """What it triggers it has to resolve: the key is the incident's, whatever the message says."""
    message = replace(
        notification().message, data={"lead": {"rule": "accuracy-drop"}, "runbook": {"link": "https://w/r"}}
    )
    for transition in ("firing", "updated", "resolved"):
        pagerduty.send(notification(incident="incident-7", transition=transition, message=message))

    firing, updated, resolved = sent(hook)
    assert [each["event_action"] for each in (firing, updated, resolved)] == ["trigger", "trigger", "resolve"]
    assert {each["dedup_key"] for each in sent(hook)} == {"incident-7"}
    assert {each["routing_key"] for each in sent(hook)} == {"k" * 32}
    assert firing["payload"] == {
        "summary": "Subject",
        "source": "default/digit-reader",
        "severity": "critical",
        "timestamp": "2026-04-17T00:00:00+00:00",
        "component": "digit-reader",
        "group": "default",
        "class": "accuracy-drop",
        "custom_details": {"message": "Text\n", "notification": firing["payload"]["custom_details"]["notification"]},
    }
    assert firing["links"] == [{"href": "https://w/r", "text": "Runbook"}]
    assert "payload" not in resolved


@pytest.mark.parametrize(("severity", "theirs"), [("page", "critical"), ("ticket", "warning"), ("log", "info")])
def test_severities_are_pagerdutys(hook: Hook, pagerduty: Any, notification: Any, severity: str, theirs: str) -> None:
    """It refuses any other word."""
    pagerduty.send(notification(severity=severity))

    assert sent(hook)[0]["payload"]["severity"] == theirs


def test_what_pagerduty_has_no_room_for_is_cut(hook: Hook, pagerduty: Any, notification: Any) -> None:
    """An event that is too long is refused whole: a page less."""
    long = Message(subject="s" * 5_000, text="t" * 900_000, html="", data={"runbook": {"link": "javascript:x"}})

    pagerduty.send(notification(message=long))

    assert len(hook.requests[0][2]) < 512_000
    assert len(sent(hook)[0]["payload"]["summary"]) == 1_024
    assert sent(hook)[0]["links"] == []


@pytest.mark.parametrize("channel", [ChatChannel(name="team", app=app, url="env:U") for app in ("slack", "teams")])
def test_a_chat_reads_the_message_whole_and_as_it_is(hook: Hook, notification: Any, channel: Any) -> None:
    """The columns of the text hold, and nothing of it is left out."""
    message = Templates().compose(FIRING, chat=True)

    chat(channel, hook.port).send(notification(message=message))

    [document] = sent(hook)
    assert hook.requests[0][0] == SECRET_PATH
    for line in (message.subject, *message.text.splitlines()):
        assert line.strip() in words(document)


@pytest.mark.parametrize(
    "evil", ["<!channel> <@U123> <https://evil|click>", "**bold** [click](https://evil)", "@here &lt;", "```x```"]
)
def test_what_a_model_said_is_no_markup(notification: Any, evil: str) -> None:
    """Text goes only where neither chat parses it; Slack's one parsed line is escaped."""
    message = Message(subject=evil, text=evil, html="", data={})

    there, here = slack(notification(message=message)), teams(notification(message=message))

    kinds = {block["type"] for block in there["blocks"]}
    runs = [run for block in here["attachments"][0]["content"]["body"] for run in block["inlines"]]
    assert kinds == {"header", "rich_text"}
    assert there["blocks"][0]["text"]["type"] == "plain_text"
    assert not {"<", ">"} & set(there["text"])
    assert {run["type"] for run in runs} == {"TextRun"}
    assert [run["text"] for run in runs] == [evil, evil]


def test_a_message_that_is_too_long_says_where_the_rest_is(notification: Any) -> None:
    """Both refuse what is too large: then nobody would be told."""
    message = Message(subject="s" * 400, text="a line of the message\n" * 4_000, html="", data={})

    there, here = slack(notification(message=message)), teams(notification(message=message))

    texts = [block["elements"][0]["elements"][0]["text"] for block in there["blocks"][1:]]
    assert len(there["blocks"][0]["text"]["text"]) == 150
    assert max(map(len, texts)) <= 3_000
    assert all(text.endswith("message") for text in texts[:-1])
    assert "tocsin alerts show" in texts[-1]
    assert len(json.dumps(here).encode()) < 28_000
    assert "tocsin alerts show" in words(here)


def test_the_address_of_a_chat_is_not_shown(notification: Any) -> None:
    """Whoever has it can post; errors end up in logs and in the store."""
    channel = ChatChannel(name="team", app="slack", url="env:U", timeout_s=2)

    with pytest.raises(DeliveryFailed, match="slack channel 'team' could not be reached") as failure:
        chat(channel, 1).send(notification())
    with pytest.raises(ChannelError) as refusal:
        ChatNotifier(channel, lambda: "hunter2-is-no-address", now=lambda: NOW).send(notification())

    assert "hunter2" not in str(failure.value)
    assert "hunter2" not in str(refusal.value)


@pytest.mark.parametrize("status", [400, 429, 500])
def test_what_is_not_taken_is_tried_again(hook: Hook, pagerduty: Any, notification: Any, status: int) -> None:
    """With what the service said, and the pause that it asked for."""
    hook.status, hook.body, hook.headers = status, b'{"message": "slow down"}', {"Retry-After": "7"}

    with pytest.raises(DeliveryFailed, match=f"'oncall' answered {status}.*slow down") as failure:
        pagerduty.send(notification())

    assert failure.value.retry_after_s == 7
    assert not failure.value.is_permanent
