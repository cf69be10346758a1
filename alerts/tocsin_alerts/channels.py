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
    updates: bool | None = None  # also told when an open incident gains evidence; None: yes

    @property
    def wants_updates(self) -> bool:
        """Whether it is told when an open incident gains evidence."""
        return self.updates is not False


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookChannel:
    """Posts JSON, signed as Standard Webhooks where a secret is given."""

    name: str
    url: str
    secret: str = ""  # reference to a whsec_… secret; empty: unsigned
    severities: tuple[Severity, ...] = PAGES
    updates: bool | None = None  # None: yes, under the same dedup key
    timeout_s: float = 10.0

    @property
    def wants_updates(self) -> bool:
        """Whether it is told when an open incident gains evidence."""
        return self.updates is not False


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
    updates: bool | None = None  # None: no, a mailbox is read once
    timeout_s: float = 10.0

    @property
    def wants_updates(self) -> bool:
        """Whether it is told when an open incident gains evidence."""
        return self.updates is True


Channel: TypeAlias = LogChannel | WebhookChannel | SmtpChannel


def needs_secret(channel: Channel) -> str:
    """Give the reference of the secret that a channel needs; empty when it needs none."""
    match channel:
        case WebhookChannel():
            return channel.secret
        case SmtpChannel():
            return channel.password if channel.user else ""
    return ""
