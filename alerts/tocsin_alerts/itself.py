"""The use case under which tocsin watches itself. Its rules are ordinary ones: a plan of this name says who hears of them."""

from typing import Final

from tocsin_alerts.records import AlertEvent

SELF: Final = "tocsin"
STUCK: Final = "tocsin-evaluation-stuck"  # while it fires, nothing outside is told that evaluation advances


def failing_channel(event: AlertEvent) -> str | None:
    """Name the channel that an alert of tocsin itself says does not take messages; None: it says so of none."""
    return event.labels.get("channel") if event.use_case == SELF else None
