"""Apprise itself, speaking to a receiver over HTTP: ntfy's protocol is the plainest of those that are allowed."""

from typing import Any

import pytest
from tests.alerts.delivery.conftest import Hook

from tocsin_alerts.channels import AppriseChannel
from tocsin_alerts.errors import ChannelError, DeliveryFailed
from tocsin_alerts.notifiers import AppriseNotifier

pytest.importorskip("apprise", reason="needs tocsin[apprise]")
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")  # a plugin of Apprise's


def notifier(url: str) -> AppriseNotifier:
    """A channel of this address."""
    return AppriseNotifier(AppriseChannel(name="phone", url="env:U"), lambda: url)


def test_a_message_arrives_as_the_text_that_it_is(hook: Hook, notification: Any) -> None:
    """No service gets markup of ours, and what a model said is none of theirs."""
    notifier(f"ntfy://127.0.0.1:{hook.port}/oncall").send(notification())

    [(_, _, body)] = hook.requests
    assert b"Subject" in body
    assert b"Text" in body


@pytest.mark.parametrize("status", [302, 400, 500])
def test_what_the_service_did_not_take_is_not_sent(hook: Hook, notification: Any, status: int) -> None:
    """A redirect is refused too: who answers for an address may not send pages elsewhere."""
    hook.status, hook.headers = status, {"location": f"http://127.0.0.1:{hook.port}/elsewhere"}

    with pytest.raises(DeliveryFailed, match="phone"):
        notifier(f"ntfy://127.0.0.1:{hook.port}/oncall").send(notification())

    assert len(hook.requests) == 1


@pytest.mark.parametrize(
    "url",
    [
        "json://127.0.0.1/x",
        "jsons://example.com",
        "form://example.com",
        "xml://example.com",
        "syslog://",
        "dbus://",
        "windows://",
        "macosx://",
        "file:///etc/passwd",
        "http://example.com",
        "mailto://a:b@example.com",
        "ntfy://127.0.0.1/x?redirect=yes",
        "oncall",
        "",
    ],
)
def test_only_services_that_carry_messages_to_people_are_allowed(url: str) -> None:
    """Addresses of one's choosing are the signed webhook's matter, and this machine is nobody's to write to."""
    with pytest.raises(ChannelError) as refusal:
        notifier(url)

    assert "a:b" not in str(refusal.value)
