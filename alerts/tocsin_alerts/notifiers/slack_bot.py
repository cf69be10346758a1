"""Slack by a bot's token: one message an incident, changed in place as it stands, with what happened in its thread.

Source: Slack's reference of the Web API, "chat.postMessage", "chat.update", and of its errors and rate limits.
"""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

import urllib3

from tocsin_alerts.channels import SlackBotChannel
from tocsin_alerts.chat_threads import ChatThreads, Place
from tocsin_alerts.errors import DeliveryFailed
from tocsin_alerts.notifiers.chat import image_of, slack
from tocsin_alerts.notifiers.posting import Post, require_http
from tocsin_alerts.outbox import Notification

_UNSHOWN: Final = frozenset({"invalid_blocks", "invalid_attachments", "invalid_blocks_format"})
_GONE: Final = frozenset({"message_not_found", "thread_not_found"})  # a person deleted it: a new one is begun


class SlackBotNotifier:
    """Speaks for one channel in one room."""

    def __init__(
        self,
        channel: SlackBotChannel,
        token: Callable[[], str],
        threads: ChatThreads,
        *,
        now: Callable[[], datetime],
        pool: urllib3.PoolManager | None = None,
        has_charts: bool = False,
    ) -> None:
        self._what = f"slack channel {channel.name!r}"
        require_http(self._what, channel.url)
        self._channel = channel
        self._token = token
        self._threads = threads
        self._has_charts = has_charts
        self._post = Post(self._what, timeout_s=channel.timeout_s, now=now, pool=pool)

    def send(self, notification: Notification) -> None:
        """Begin an incident's message, or change it and say in its thread what is new.

        The change comes first, since it may be repeated; a process that ends before the answer to what is not is kept says it twice.

        Raises:
            DeliveryFailed: Slack did not take it.
        """
        image = image_of(notification) if self._has_charts else None
        try:
            self._tell(notification, image)
        except _Refused as refused:
            if image is None or refused.reason not in _UNSHOWN:
                raise
            self._tell(notification, None)  # Slack could not fetch the picture: it takes the message without it

    def _tell(self, notification: Notification, image: Mapping[str, str] | None) -> None:
        place = self._threads.find(self._channel.name, notification.incident) if notification.incident else None
        told = slack(notification, image=image, acknowledge=bool(self._channel.signing_secret))
        if place is not None and self._change(place, told):
            if notification.transition != "firing":
                story = slack(notification, image=image)  # one button is enough
                self._call("chat.postMessage", {"channel": place.room, "thread_ts": place.ts, **story})
            return
        said = self._call("chat.postMessage", {"channel": self._channel.room, **told})
        if notification.incident:
            at = Place(room=str(said.get("channel") or self._channel.room), ts=str(said["ts"]))
            self._threads.keep(self._channel.name, notification.incident, at)

    def _change(self, place: Place, told: Mapping[str, Any]) -> bool:
        """Say so in place; False where the message is no longer there."""
        try:
            self._call("chat.update", {"channel": place.room, "ts": place.ts, **told})
        except _Refused as refused:
            if refused.reason in _GONE:
                return False
            raise
        return True

    def _call(self, method: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        answer = self._post.ask(
            f"{self._channel.url.rstrip('/')}/{method}",
            json.dumps(body, ensure_ascii=False).encode(),
            {"content-type": "application/json; charset=utf-8", "authorization": f"Bearer {self._token()}"},
        )
        try:
            said = json.loads(answer)
        except ValueError as error:
            raise DeliveryFailed(f"{self._what}: expected JSON of {method}, got {answer[:80]!r}") from error
        if not isinstance(said, dict) or said.get("ok") is not True:
            reason = str(said.get("error", "no reason") if isinstance(said, dict) else said)[:100]
            raise _Refused(f"{self._what}: Slack refused {method}: {reason}{_HINTS.get(reason, '')}", reason)
        return said


class _Refused(DeliveryFailed):
    """Slack answered that it did not do it."""

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


_HINTS: Final = {
    "not_in_channel": ": invite the bot to the room",
    "channel_not_found": ": expected 'room' as the id of a channel that the bot is in (C…)",
    "missing_scope": ": the bot needs the scope chat:write",
    "invalid_auth": ": the token is not one of this workspace",
    "not_authed": ": the token is empty",
    "account_inactive": ": the token was revoked",
}
