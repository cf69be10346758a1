"""Channels from tocsin.yaml, each with its way out."""

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

from tocsin_alerts.channels import (
    AlertmanagerChannel,
    Channel,
    ChatChannel,
    LogChannel,
    PagerDutyChannel,
    SmtpChannel,
    WebhookChannel,
    needs_secret,
)
from tocsin_alerts.charts.drawer import Draw, no_chart
from tocsin_alerts.courier import Notifier
from tocsin_alerts.notifiers import (
    AlertmanagerNotifier,
    ChatNotifier,
    LogNotifier,
    PagerDutyNotifier,
    SmtpNotifier,
    WebhookNotifier,
)
from tocsin_alerts.notifiers.posting import require_http
from tocsin_console.config import Config, secret
from tocsin_console.config_file import Channel as Said


def channels_of(config: Config) -> list[Channel]:
    """Give the configured channels, or the log alone where there are none."""
    return [_channel(each) for each in config.channels] or [LogChannel()]


def with_notifiers(
    config: Config,
    *,
    environment: Mapping[str, str],
    now: Callable[[], datetime],
    draw: Draw = no_chart,
) -> list[tuple[Channel, Notifier]]:
    """Give each channel its way out; secrets are followed now, and again at each use, so that they can be changed.

    Raises:
        UsageProblem: a secret is missing.
        ChannelError: an address cannot be used.
    """
    base = config.file.parent if config.file else Path.cwd()
    made: list[tuple[Channel, Notifier]] = []
    for channel in channels_of(config):
        reference, what = needs_secret(channel), f"the secret of channel {channel.name!r}"

        def read(reference: str = reference, what: str = what) -> str:
            return secret(reference, environment=environment, base=base, what=what)

        read()
        match channel:
            case WebhookChannel():
                made.append((channel, WebhookNotifier(channel, read, now=now)))
            case PagerDutyChannel():
                made.append((channel, PagerDutyNotifier(channel, read, now=now)))
            case ChatChannel():
                require_http(f"channel {channel.name!r}", read())
                made.append((channel, ChatNotifier(channel, read, now=now, has_charts=draw is not no_chart)))
            case AlertmanagerChannel():
                made.append((channel, AlertmanagerNotifier(channel, read, now=now)))
            case SmtpChannel():
                made.append((channel, SmtpNotifier(channel, read, draw=draw)))
            case LogChannel():
                made.append((channel, LogNotifier()))
    return made


def _channel(said: Said) -> Channel:
    fields = said.said()
    match said.type:
        case "webhook":
            return WebhookChannel(**fields)
        case "pagerduty":
            return PagerDutyChannel(**fields)
        case "slack" | "teams":
            return ChatChannel(app=said.type, **fields)
        case "alertmanager":
            return AlertmanagerChannel(**fields)
        case "smtp":
            return SmtpChannel(**fields)
        case "log":
            return LogChannel(**fields)
