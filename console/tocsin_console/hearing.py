"""Whom PagerDuty and Slack say to have an incident, taken down here as if they had said so themselves."""

from collections.abc import Callable, Mapping
from datetime import datetime

from tocsin_alerts.acknowledging import Acknowledgements
from tocsin_alerts.channels import Channel, PagerDutyChannel, hears_by
from tocsin_alerts.errors import IncidentRefused
from tocsin_alerts.hearing import Taken, heard_of_pagerduty, heard_of_slack
from tocsin_console.config import Config, secret
from tocsin_console.notifiers import channels_of


class Hearing:
    """Hears the services of the channels that have a secret for it.

    Args:
        config: Says which channels there are.
        acknowledgements: Of incidents.
        environment: Where secrets may be; they are followed at each use.
        now: The time of day.
    """

    def __init__(
        self,
        config: Config,
        acknowledgements: Acknowledgements,
        *,
        environment: Mapping[str, str],
        now: Callable[[], datetime],
    ) -> None:
        self._channels = {each.name: each for each in channels_of(config) if hears_by(each)}
        self._base = config.folder
        self._acknowledgements = acknowledgements
        self._environment = environment
        self._now = now

    def hears(self, name: str) -> bool:
        """Whether anything is heard of a channel."""
        return name in self._channels

    def hear(self, name: str, body: bytes, headers: Mapping[str, str]) -> str:
        """Take down who has an incident, and say so in a sentence for the service.

        Args:
            name: Of a channel that is heard.
            body: As it came, byte for byte: it is signed.
            headers: By their names in small letters.

        Raises:
            HearingRefused: it is not signed by the channel's secret, too old, or cannot be read.
        """
        taken = self._read(self._channels[name], body, headers)
        if taken is None:
            return "nothing that tocsin listens for"
        try:
            found = self._acknowledgements.acknowledge(taken.incident, by=taken.by, note=f"heard of {name}")
        except IncidentRefused as refusal:  # an answer of failure would be sent again and again
            return str(refusal)
        return f"{found.by} has incident {found.incident[:12]} of {found.use_case}"

    def _read(self, channel: Channel, body: bytes, headers: Mapping[str, str]) -> Taken | None:
        what = f"the secret by which channel {channel.name!r} is heard"
        key = secret(hears_by(channel), environment=self._environment, base=self._base, what=what)
        if isinstance(channel, PagerDutyChannel):
            return heard_of_pagerduty(body, headers, secret=key)
        return heard_of_slack(body, headers, secret=key, now=self._now())
