"""Channels from tocsin.yaml as the alert side knows them."""

from tocsin_alerts import channels as known
from tocsin_console.config import Config
from tocsin_console.config_file import Channel


def channels_of(config: Config) -> list[known.Channel]:
    """Give the configured channels, or the log alone where there are none."""
    return [_channel(each) for each in config.channels] or [known.LogChannel()]


def _channel(said: Channel) -> known.Channel:
    fields = said.said()
    match said.type:
        case "webhook":
            return known.WebhookChannel(**fields)
        case "smtp":
            return known.SmtpChannel(**fields)
        case "log":
            return known.LogChannel(**fields)
