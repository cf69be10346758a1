"""Whatever Apprise knows and is allowed: plain text to one service. Apprise itself is an extra.

Source: Apprise's documentation, "Development API" (AppriseAsset, notify) and its list of services.
"""

from collections.abc import Callable
from importlib import import_module
from typing import Any, Final

from tocsin_alerts.channels import AppriseChannel
from tocsin_alerts.errors import ChannelError, DeliveryFailed
from tocsin_alerts.outbox import Notification

# Services that carry a message to people. None that writes files, starts programs, speaks to this machine's desktop or posts
# to an address of one's choosing: webhooks have a channel of their own, which is signed.
SCHEMES: Final = frozenset(
    [
        "discord",
        "gchat",
        "gotify",
        "gotifys",
        "guilded",
        "matrix",
        "matrixs",
        "mmost",
        "mmosts",
        "ntfy",
        "ntfys",
        "opsgenie",
        "pbul",
        "pover",
        "rocket",
        "rockets",
        "signal",
        "signals",
        "splunk",
        "tgram",
        "threema",
        "twilio",
        "twist",
        "webex",
        "wxteams",
        "zulip",
    ]
)


class AppriseNotifier:
    """Sends to one service."""

    def __init__(self, channel: AppriseChannel, url: Callable[[], str]) -> None:
        self._what = f"apprise channel {channel.name!r}"
        self._url = url
        try:
            self._apprise: Any = import_module("apprise")
        except ImportError as error:
            raise ChannelError(f"{self._what} needs Apprise: pip install 'tocsin[apprise]'") from error
        self._check(url())

    def send(self, notification: Notification) -> None:
        """Send one message as text.

        Raises:
            DeliveryFailed: the service did not take it; Apprise says no more than that.
            ChannelError: the secret is no address of a service that is allowed.
        """
        url = self._url()
        self._check(url)
        asset = self._apprise.AppriseAsset(app_id="tocsin", http_redirects=False, async_mode=False)
        service = self._apprise.Apprise(asset=asset)
        if not service.add(url):
            raise ChannelError(f"{self._what}: Apprise cannot read its address, which is not shown: it holds a secret")
        taken = service.notify(
            title=notification.message.subject,
            body=notification.message.text,
            body_format=self._apprise.NotifyFormat.TEXT,
            interpret_escapes=False,
        )
        if not taken:
            raise DeliveryFailed(f"{self._what}: the service did not take the message (Apprise says no more)")

    def _check(self, url: str) -> None:
        scheme, found, rest = url.partition("://")
        if not found or scheme.lower() not in SCHEMES:
            raise ChannelError(
                f"{self._what}: expected an address of one of {', '.join(sorted(SCHEMES))}, got {scheme[:20] if found else 'none'!r}"
            )
        if "redirect=" in rest.lower():
            raise ChannelError(f"{self._what}: expected an address without redirect=: none is followed")
