"""Where messages go: one record per configured channel. Secrets are references, resolved when they are needed."""

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from tocsin_alerts.records import Severity

PAGES: Final[tuple[Severity, ...]] = ("page",)
EVERYTHING: Final[tuple[Severity, ...]] = ("page", "ticket", "log")


@dataclass(frozen=True, slots=True, kw_only=True)
class LogChannel:
    """Writes each message as one JSON line to the log."""

    name: str = "log"
    severities: tuple[Severity, ...] = EVERYTHING
    updates: bool = True  # also told when an open incident gains evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookChannel:
    """Posts JSON, signed as Standard Webhooks where a secret is given."""

    name: str
    url: str
    secret: str = ""  # reference to a whsec_… secret; empty: unsigned
    severities: tuple[Severity, ...] = PAGES
    updates: bool = True  # under the same dedup key
    timeout_s: float = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpChannel:
    """Sends mail."""

    name: str
    host: str
    sender: str
    recipients: tuple[str, ...]
    port: int = 25
    user: str = ""
    password: str = ""  # reference
    tls: Literal["none", "starttls", "tls"] = "starttls"
    severities: tuple[Severity, ...] = PAGES
    updates: bool = False  # a mailbox is read once
    timeout_s: float = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PagerDutyChannel:
    """Triggers and resolves alerts of one PagerDuty integration, by the Events API v2."""

    name: str
    routing_key: str  # reference to the integration's key
    webhook_secret: str = ""  # reference: where given, what PagerDuty says of incidents is heard
    url: str = "https://events.pagerduty.com/v2/enqueue"
    severities: tuple[Severity, ...] = PAGES
    updates: bool = True  # under the same dedup key
    timeout_s: float = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatChannel:
    """Posts to a Slack incoming webhook, or to a Microsoft Teams workflow, "When a Teams webhook request is received"."""

    name: str
    app: Literal["slack", "teams"]
    url: str  # reference: whoever has the address can post
    signing_secret: str = ""  # reference, of a Slack app: where given, messages have a button to take the incident
    severities: tuple[Severity, ...] = PAGES
    updates: bool = True
    timeout_s: float = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackBotChannel:
    """Speaks in a room of Slack by a bot's token: one message an incident, changed in place, and its thread."""

    name: str
    token: str  # reference: xoxb-…
    room: str  # its id, C…
    signing_secret: str = ""  # reference: where given, messages have a button to take the incident
    url: str = "https://slack.com/api"
    severities: tuple[Severity, ...] = PAGES
    updates: bool = True
    timeout_s: float = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class AppriseChannel:
    """Any service that Apprise knows, of those that are allowed: plain text, no redirects."""

    name: str
    url: str  # reference: SERVICE://…, which holds its secret
    severities: tuple[Severity, ...] = PAGES
    updates: bool = False
    timeout_s: float = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertmanagerChannel:
    """Posts every alert to each replica of an Alertmanager, which groups, routes and silences by itself."""

    name: str
    urls: tuple[
        str, ...
    ]  # of all replicas, as Prometheus has them: http://host:9093, with a route prefix where there is one
    user: str = ""
    password: str = ""  # reference
    resend_s: float = 60.0  # what fires is posted again this often
    severities: tuple[Severity, ...] = EVERYTHING  # its routes decide
    updates: bool = True
    timeout_s: float = 10.0


Channel: TypeAlias = (
    LogChannel
    | WebhookChannel
    | SmtpChannel
    | PagerDutyChannel
    | ChatChannel
    | SlackBotChannel
    | AppriseChannel
    | AlertmanagerChannel
)


def acts_on_mentions(channel: Channel) -> bool:
    """Whether what is sent may end in a chat."""
    return not isinstance(channel, LogChannel | SmtpChannel)


def shows_html(channel: Channel) -> bool:
    """Whether whoever reads it sees HTML: elsewhere none is written."""
    return isinstance(channel, SmtpChannel)


def follows_each_alert(channel: Channel) -> bool:
    """Whether it is told of every change of every alert of an incident, not only of what is new."""
    return isinstance(channel, AlertmanagerChannel)


def knows_who_has_it(channel: Channel) -> bool:
    """Whether its service keeps who has an incident, and calls further people while nobody has: it is told that somebody has."""
    return isinstance(channel, PagerDutyChannel)


def needs_secret(channel: Channel) -> str:
    """Give the reference of the secret that a channel needs; empty when it needs none."""
    match channel:
        case WebhookChannel():
            return channel.secret
        case PagerDutyChannel():
            return channel.routing_key
        case ChatChannel() | AppriseChannel():
            return channel.url
        case SlackBotChannel():
            return channel.token
        case SmtpChannel() | AlertmanagerChannel():
            return channel.password if channel.user else ""
    return ""


def hears_by(channel: Channel) -> str:
    """Give the reference of the secret by which a channel's service proves what it says; empty where nothing is heard of it."""
    match channel:
        case PagerDutyChannel():
            return channel.webhook_secret
        case ChatChannel() | SlackBotChannel():
            return channel.signing_secret
    return ""
