"""Webhooks, signed as Standard Webhooks. Source: the Standard Webhooks specification, "Signature scheme"."""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import datetime
from typing import Final

import urllib3

from tocsin_alerts.channels import WebhookChannel
from tocsin_alerts.errors import ChannelError
from tocsin_alerts.notifiers.envelope import envelope
from tocsin_alerts.notifiers.posting import Post, require_http
from tocsin_alerts.outbox import Notification

_PREFIX: Final = "whsec_"


class WebhookNotifier:
    """Posts JSON to one address."""

    def __init__(
        self,
        channel: WebhookChannel,
        secret: Callable[[], str],
        *,
        now: Callable[[], datetime],
        pool: urllib3.PoolManager | None = None,
    ) -> None:
        what = f"webhook {channel.name!r}"
        require_http(what, channel.url)
        self._url = channel.url
        self._secret = secret
        self._now = now
        self._post = Post(what, timeout_s=channel.timeout_s, now=now, pool=pool)

    def send(self, notification: Notification) -> None:
        """Post one message.

        Raises:
            DeliveryFailed: no 2xx came back.
            ChannelError: the secret cannot be used.
        """
        self.post(notification.id, json.dumps(envelope(notification), ensure_ascii=False).encode())

    def post(self, message_id: str, body: bytes) -> None:
        """Post one JSON document under an id by which the receiver knows it again; errors as for :meth:`send`."""
        stamp = str(int(self._now().timestamp()))
        headers = {
            "webhook-id": message_id,
            "webhook-timestamp": stamp,
        }
        if secret := self._secret():
            headers["webhook-signature"] = sign(secret, message_id, stamp, body)
        self._post.send(self._url, body, headers)


def sign(secret: str, message_id: str, stamp: str, body: bytes) -> str:
    """Sign one message: ``v1,`` and the base64 of HMAC-SHA256 over id, timestamp and body.

    Args:
        secret: ``whsec_`` and the key in base64; the prefix may be missing.
        message_id: The ``webhook-id`` header.
        stamp: The ``webhook-timestamp`` header, seconds since 1970.
        body: The bytes as sent.

    Raises:
        ChannelError: the secret is no base64.
    """
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except binascii.Error:
        raise ChannelError("expected a webhook secret of whsec_ and base64; generate a new one") from None
    digest = hmac.new(key, b".".join((message_id.encode(), stamp.encode(), body)), hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()
