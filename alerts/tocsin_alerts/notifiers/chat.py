"""Slack and Microsoft Teams: the message as text that neither reads as markup, so that no answer of a model mentions anybody.

Source: Slack's reference of Block Kit ("Header", "Rich text") and of incoming webhooks; Microsoft's of Adaptive Cards
("RichTextBlock", "TextRun") and of posting to a Teams workflow.
"""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

import urllib3

from tocsin_alerts.channels import ChatChannel
from tocsin_alerts.charts.quality import chart_of
from tocsin_alerts.errors import DeliveryFailed
from tocsin_alerts.notifiers.posting import Post
from tocsin_alerts.outbox import Notification
from tocsin_alerts.web_links import link_in

_SLACK_HEADER_CHARS: Final = 150
_SLACK_BLOCK_CHARS: Final = 3_000
_SLACK_BLOCKS: Final = 10
_TEAMS_BYTES: Final = 24_000  # Teams takes 28 KB
_REFUSED: Final = frozenset({400, 422})  # for what the message holds
ACKNOWLEDGE: Final = "tocsin-acknowledge"  # of the button, as Slack says it when it is pressed
CUT: Final = "… (cut: 'tocsin alerts show' prints all of it)"


class ChatNotifier:
    """Posts messages to one incoming webhook of either; its address is the secret."""

    def __init__(
        self,
        channel: ChatChannel,
        url: Callable[[], str],
        *,
        now: Callable[[], datetime],
        pool: urllib3.PoolManager | None = None,
        has_charts: bool = False,
    ) -> None:
        self._has_charts = has_charts
        self._channel = channel
        self._url = url
        self._post = Post(f"{channel.app} channel {channel.name!r}", timeout_s=channel.timeout_s, now=now, pool=pool)

    def send(self, notification: Notification) -> None:
        """Post one message.

        Raises:
            DeliveryFailed: it was not taken.
            ChannelError: the secret is no address.
        """
        image = image_of(notification) if self._has_charts else None
        try:
            self._send(notification, image)
        except DeliveryFailed as failure:
            if image is None or failure.status not in _REFUSED:
                raise
            self._send(notification, None)  # the app could not fetch the picture: it takes the message without it

    def _send(self, notification: Notification, image: Mapping[str, str] | None) -> None:
        if self._channel.app == "slack":
            body = slack(notification, image=image, acknowledge=bool(self._channel.signing_secret))
        else:
            body = teams(notification, image=image)
        self._post.send(self._url(), json.dumps(body, ensure_ascii=False).encode())


def page_of(notification: Notification) -> str:
    """Give the address of the incident's page, where people acknowledge and silence; empty where they do not reach it."""
    return link_in(notification.message.data, "page")


def image_of(notification: Notification) -> dict[str, str] | None:
    """Say where the chart of a message is served, and what it shows; None where people do not reach the console."""
    page = page_of(notification)
    chart = chart_of(notification.message.data) if page else None
    return chart and {"url": f"{page}/chart.png", "alt": str(chart["alt"])}


def slack(
    notification: Notification, *, image: Mapping[str, str] | None = None, acknowledge: bool = False
) -> dict[str, Any]:
    """Write a message of blocks: the subject as plain text, the rest preformatted, which Slack does not parse.

    Args:
        notification: What to say.
        image: The chart's address and what it shows.
        acknowledge: Whether a button is to be pressed by whoever takes the incident.
    """
    message, links = notification.message, _links(notification)
    parts = _parts(message.text.strip("\n"), _SLACK_BLOCK_CHARS)
    if len(parts) > _SLACK_BLOCKS:
        parts = [*parts[: _SLACK_BLOCKS - 1], CUT]
    header = {"type": "plain_text", "text": message.subject[:_SLACK_HEADER_CHARS] or "tocsin", "emoji": False}
    return {
        "mrkdwn": False,
        "text": _escaped(message.subject),  # what a notification on a phone shows
        "unfurl_links": False,
        "unfurl_media": False,
        "blocks": [
            {"type": "header", "text": header},
            *(
                {
                    "type": "rich_text",
                    "elements": [{"type": "rich_text_preformatted", "elements": [{"type": "text", "text": part}]}],
                }
                for part in parts
            ),
            *([_section(" · ".join(f"<{_escaped(url)}|{text}>" for text, url in links))] if links else ()),
            *([{"type": "image", "image_url": image["url"], "alt_text": image["alt"]}] if image else ()),
            *(_buttons(notification) if acknowledge else ()),
        ],
    }


def _buttons(notification: Notification) -> list[dict[str, Any]]:
    """Let an incident that is open be taken; its name comes back with who pressed."""
    if not notification.incident or notification.transition == "resolved":
        return []
    button = {
        "type": "button",
        "text": {"type": "plain_text", "text": "I take it"},
        "action_id": ACKNOWLEDGE,
        "value": notification.incident,
    }
    return [{"type": "actions", "elements": [button]}]


def teams(notification: Notification, *, image: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Write an Adaptive Card: a line a block, of runs, in which Teams reads no Markdown."""
    message, links = notification.message, _links(notification)
    body = [_line(message.subject, weight="Bolder", size="Medium")]
    size = 0
    for line in message.text.strip("\n").split("\n"):
        made = _line(line or " ", fontType="Monospace")
        size += len(json.dumps(made, ensure_ascii=False).encode())
        if size > _TEAMS_BYTES:
            body.append(_line(CUT))
            break
        body.append(made)
    if image:
        body.append({"type": "Image", "url": image["url"], "altText": image["alt"], "size": "Stretch"})
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "msteams": {"width": "Full"},
        "body": body,
        **(
            {"actions": [{"type": "Action.OpenUrl", "title": text, "url": url} for text, url in links]} if links else {}
        ),
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attachment]}


def _links(notification: Notification) -> list[tuple[str, str]]:
    """List what can be opened: where it is acknowledged and silenced, and its figures."""
    own = "The incident" if notification.transition == "resolved" else "Acknowledge or silence"
    said = ((own, page_of(notification)), ("Dashboard", link_in(notification.message.data, "dashboard")))
    return [(text, url) for text, url in said if url]


def _section(markdown: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": markdown}}


def _line(text: str, **style: str) -> dict[str, Any]:
    return {"type": "RichTextBlock", "spacing": "None", "inlines": [{"type": "TextRun", "text": text, **style}]}


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _parts(text: str, most: int) -> list[str]:
    """Cut a text into parts of at most so many characters, at ends of lines where there are any."""
    parts = []
    while len(text) > most:
        end = text.rfind("\n", 0, most + 1)
        end = end if end > 0 else most
        parts.append(text[:end])
        text = text[end:].removeprefix("\n")
    return [*parts, text] if text else parts or [" "]
