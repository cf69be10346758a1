"""Who hears of a page that nobody took: the plan's steps, each once. Pure."""

from collections.abc import Mapping
from datetime import datetime

from tocsin_alerts.plan import Plan


def reached(plan: Plan, paged: datetime, now: datetime) -> Mapping[str, tuple[int, ...]]:
    """Say which steps each channel hears of a page by, by now; in order.

    Args:
        plan: With its steps.
        paged: When people were told.
        now: The time of day.
    """
    found: dict[str, tuple[int, ...]] = {}
    for number, step in sorted(enumerate(plan.escalation, 1), key=lambda each: each[1].after):
        for channel in step.route:
            if paged + step.after <= now:
                found[channel] = (*found.get(channel, ()), number)
    return found


def next_step(plan: Plan, paged: datetime, now: datetime) -> datetime | None:
    """Say when the next step is reached; None: there is none."""
    return min((at for step in plan.escalation if (at := paged + step.after) > now), default=None)
