"""Webhooks, signed as Standard Webhooks. Source: the Standard Webhooks specification, "Signature scheme"."""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

import urllib3
from urllib3.exceptions import HTTPError

from tocsin_alerts.channels import WebhookChannel
from tocsin_alerts.errors import ChannelError, DeliveryFailed
from tocsin_alerts.notifiers.envelope import envelope
from tocsin_alerts.outbox import Notification

_PREFIX: Final = "whsec_"
_GONE: Final = 410  # the specification: stop sending to this address
_READ_BYTES: Final = 2_048  # of an answer: enough for a reason


class WebhookNotifier:
    """Posts JSON to one address; OK is any 2xx, and a redirect is not."""

    def __init__(
        self,
        channel: WebhookChannel,
        secret: Callable[[], str],
        *,
        now: Callable[[], datetime],
        pool: urllib3.PoolManager | None = None,
    ) -> None:
        if not channel.url.startswith(("https://", "http://")):
            raise ChannelError(f"channel {channel.name!r}: expected an http(s) url, got {channel.url!r}")
        self._url = channel.url
        self._name = channel.name
        self._secret = secret
        self._now = now
        self._timeout = urllib3.Timeout(connect=min(5.0, channel.timeout_s), read=channel.timeout_s)
        self._pool = pool or urllib3.PoolManager(retries=False, maxsize=1)

    def send(self, notification: Notification) -> None:
        """Post one message.

        Raises:
            DeliveryFailed: no 2xx came back.
            ChannelError: the secret cannot be used.
        """
        body = json.dumps(envelope(notification), ensure_ascii=False).encode()
        stamp = str(int(self._now().timestamp()))
        headers = {
            "content-type": "application/json",
            "user-agent": "tocsin",
            "webhook-id": notification.id,
            "webhook-timestamp": stamp,
        }
        if secret := self._secret():
            headers["webhook-signature"] = sign(secret, notification.id, stamp, body)
        try:
            answer = self._pool.request(
                "POST",
                self._url,
                body=body,
                headers=headers,
                timeout=self._timeout,
                redirect=False,
                retries=False,
                preload_content=False,
            )
        except HTTPError as error:
            raise DeliveryFailed(f"webhook {self._name!r} could not be reached: {_brief(error)}") from error
        try:
            said = answer.read(_READ_BYTES, decode_content=False)
        except HTTPError:
            said = b""
        finally:
            answer.close()  # not kept open: the rest of a long answer is not read
        if 200 <= answer.status < 300:
            return
        raise DeliveryFailed(
            f"webhook {self._name!r} answered {answer.status}{_reason(answer, said)}",
            retry_after_s=retry_after_s(answer.headers.get("Retry-After"), now=self._now()),
            is_permanent=answer.status == _GONE,
        )


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


def retry_after_s(header: str | None, *, now: datetime) -> float | None:
    """Read ``Retry-After``: seconds, or a date; None when it is neither."""
    if not header:
        return None
    if header.strip().isdigit():
        return float(header)
    try:
        when = parsedate_to_datetime(header)
    except ValueError:
        return None
    return max(0.0, (when.replace(tzinfo=when.tzinfo or UTC) - now).total_seconds())


def _reason(answer: urllib3.BaseHTTPResponse, said: bytes) -> str:
    if 300 <= answer.status < 400:
        return f", a redirect to {answer.headers.get('Location', 'nowhere')}: set the channel's url to it"
    text = " ".join(said.decode("utf-8", "replace").split())[:200]
    return f": {text}" if text else ""


def _brief(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:300]
