"""Channels from tocsin.yaml, each with its way out."""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Final

from tocsin_alerts.channels import (
    AlertmanagerChannel,
    AppriseChannel,
    Channel,
    ChatChannel,
    LogChannel,
    PagerDutyChannel,
    SlackBotChannel,
    SmtpChannel,
    WebhookChannel,
    hears_by,
    needs_secret,
)
from tocsin_alerts.charts.drawer import Draw, no_chart
from tocsin_alerts.chat_threads import ChatThreads
from tocsin_alerts.courier import Notifier
from tocsin_alerts.notifiers import (
    AlertmanagerNotifier,
    AppriseNotifier,
    ChatNotifier,
    LogNotifier,
    PagerDutyNotifier,
    SlackBotNotifier,
    SmtpNotifier,
    WebhookNotifier,
)
from tocsin_alerts.notifiers.posting import require_http
from tocsin_console.config import Config, secret
from tocsin_console.sections.channel import Channel as Said


def channels_of(config: Config) -> list[Channel]:
    """Give the configured channels, or the log alone where there are none."""
    return [_channel(each) for each in config.channels] or [LogChannel()]


def with_notifiers(
    config: Config,
    *,
    environment: Mapping[str, str],
    now: Callable[[], datetime],
    draw: Draw = no_chart,
    threads: ChatThreads | None = None,
) -> list[tuple[Channel, Notifier]]:
    """Give each channel its way out; secrets are followed now, and again at each use, so that they can be changed.

    Raises:
        UsageProblem: a secret is missing.
        ChannelError: an address cannot be used.
    """
    base = config.folder
    kept = threads or ChatThreads(now=now)
    made: list[tuple[Channel, Notifier]] = []
    for channel in channels_of(config):
        reference, what = needs_secret(channel), f"the secret of channel {channel.name!r}"

        def read(reference: str = reference, what: str = what) -> str:
            return secret(reference, environment=environment, base=base, what=what)

        read()
        if said := hears_by(channel):
            secret(said, environment=environment, base=base, what=what)
        made.append((channel, _way_out(channel, read, now=now, draw=draw, threads=kept)))
    return made


def _way_out(
    channel: Channel, read: Callable[[], str], *, now: Callable[[], datetime], draw: Draw, threads: ChatThreads
) -> Notifier:
    has_charts = draw is not no_chart
    match channel:
        case WebhookChannel():
            made: Notifier = WebhookNotifier(channel, read, now=now)
        case PagerDutyChannel():
            made = PagerDutyNotifier(channel, read, now=now)
        case ChatChannel():
            require_http(f"channel {channel.name!r}", read())
            made = ChatNotifier(channel, read, now=now, has_charts=has_charts)
        case SlackBotChannel():
            made = SlackBotNotifier(channel, read, threads, now=now, has_charts=has_charts)
        case AppriseChannel():
            made = AppriseNotifier(channel, read)
        case AlertmanagerChannel():
            made = AlertmanagerNotifier(channel, read, now=now)
        case SmtpChannel():
            made = SmtpNotifier(channel, read, draw=draw)
        case LogChannel():
            made = LogNotifier()
    return made


_CHANNELS: Final[Mapping[str, Callable[..., Channel]]] = {
    "webhook": WebhookChannel,
    "pagerduty": PagerDutyChannel,
    "slack": partial(ChatChannel, app="slack"),
    "teams": partial(ChatChannel, app="teams"),
    "slack_bot": SlackBotChannel,
    "apprise": AppriseChannel,
    "alertmanager": AlertmanagerChannel,
    "smtp": SmtpChannel,
    "log": LogChannel,
}


def _channel(said: Said) -> Channel:
    return _CHANNELS[said.type](**said.said())
