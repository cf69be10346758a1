"""Webhooks over real HTTP."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.alerts.delivery.conftest import Hook

from tocsin_alerts.channels import WebhookChannel
from tocsin_alerts.errors import ChannelError, DeliveryFailed
from tocsin_alerts.notifiers import WebhookNotifier
from tocsin_alerts.notifiers.posting import retry_after_s
from tocsin_alerts.notifiers.webhook import sign

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NOW = datetime(2026, 4, 17, 12, tzinfo=UTC)


def _notifier(hook: Hook, secret: str = SECRET) -> WebhookNotifier:
    channel = WebhookChannel(name="oncall", url=f"http://127.0.0.1:{hook.port}/hook", timeout_s=5)
    return WebhookNotifier(channel, lambda: secret, now=lambda: NOW)


def test_the_signature_is_that_of_standard_webhooks(hook: Hook, notification: Any) -> None:
    """Any Standard Webhooks library can check who sent it, that it is whole, and when."""
    sent = notification()

    _notifier(hook).send(sent)

    path, headers, body = hook.requests[0]
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    digest = hmac.new(base64.b64decode(SECRET.removeprefix("whsec_")), signed, hashlib.sha256).digest()
    assert path == "/hook"
    assert headers["webhook-id"] == sent.id
    assert headers["webhook-timestamp"] == str(int(NOW.timestamp()))
    assert headers["webhook-signature"] == "v1," + base64.b64encode(digest).decode()


def test_the_published_example_verifies() -> None:
    """The specification's own vector: id, timestamp, body and secret as in its reference libraries' tests."""
    signature = sign(SECRET, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", b'{"test": 2432232314}')

    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_body_says_what_happened(hook: Hook, notification: Any) -> None:
    """Type, time and data, and one key under which a pager merges."""
    _notifier(hook).send(notification(incident="incident-7"))

    body = json.loads(hook.requests[0][2])
    assert body["type"] == "alert.firing"
    assert body["timestamp"] == "2026-04-17T12:00:00.000Z"
    assert body["data"]["dedup_key"] == "incident-7"
    assert body["data"]["text"] == "Text\n"


def test_without_a_secret_nothing_is_signed(hook: Hook, notification: Any) -> None:
    """An unsigned channel is a choice that shows."""
    _notifier(hook, secret="").send(notification())

    assert "webhook-signature" not in hook.requests[0][1]


@pytest.mark.parametrize("status", [201, 202, 204])
def test_any_2xx_is_taken(hook: Hook, notification: Any, status: int) -> None:
    """The specification asks for no particular one."""
    hook.status = status

    _notifier(hook).send(notification())


@pytest.mark.parametrize("status", [400, 401, 404, 429, 500, 503])
def test_anything_else_is_tried_again(hook: Hook, notification: Any, status: int) -> None:
    """A mistake in the receiver's configuration can be mended within the day that it is retried."""
    hook.status, hook.body = status, b"not now\x1b[31m"

    with pytest.raises(DeliveryFailed, match=f"answered {status}: not now") as failure:
        _notifier(hook).send(notification())

    assert not failure.value.is_permanent


def test_gone_means_gone(hook: Hook, notification: Any) -> None:
    """410 is the specification's way to say: stop."""
    hook.status = 410

    with pytest.raises(DeliveryFailed) as failure:
        _notifier(hook).send(notification())

    assert failure.value.is_permanent


def test_redirects_are_not_followed(hook: Hook, notification: Any) -> None:
    """A redirect could carry the message, and its signature, anywhere."""
    hook.status, hook.headers = 302, {"Location": f"http://127.0.0.1:{hook.port}/elsewhere"}

    with pytest.raises(DeliveryFailed, match="set the channel's url to it"):
        _notifier(hook).send(notification())

    assert [path for path, _, _ in hook.requests] == ["/hook"]


def test_retry_after_is_read(hook: Hook, notification: Any) -> None:
    """Seconds or a date, as RFC 9110 has it."""
    hook.status, hook.headers = 503, {"Retry-After": "90"}

    with pytest.raises(DeliveryFailed) as failure:
        _notifier(hook).send(notification())

    assert failure.value.retry_after_s == 90
    assert retry_after_s("Fri, 17 Apr 2026 12:02:00 GMT", now=NOW) == 120
    assert retry_after_s("soon", now=NOW) is None
    assert retry_after_s(None, now=NOW) is None


def test_a_receiver_that_is_not_there_is_a_failure_not_a_crash(notification: Any) -> None:
    """It may be restarting."""
    channel = WebhookChannel(name="oncall", url="http://127.0.0.1:1/hook", timeout_s=2)

    with pytest.raises(DeliveryFailed, match="could not be reached"):
        WebhookNotifier(channel, lambda: "", now=lambda: NOW).send(notification())


def test_a_secret_that_is_no_base64_is_refused_without_being_shown(hook: Hook, notification: Any) -> None:
    """Error messages end up in logs."""
    with pytest.raises(ChannelError) as refusal:
        _notifier(hook, secret="whsec_hunter2!").send(notification())

    assert "hunter2" not in str(refusal.value)


def test_only_http_addresses_are_addresses() -> None:
    """A file or gopher url in a configuration is a mistake."""
    with pytest.raises(ChannelError, match="http"):
        WebhookNotifier(WebhookChannel(name="x", url="file:///etc/passwd"), lambda: "", now=lambda: NOW)
