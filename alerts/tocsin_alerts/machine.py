"""The state of one alert, stepped from slot to slot. Pure: no clock, no store, no ids.

    inactive -> pending -> firing -> recovering -> resolved

An observation that cannot be judged changes nothing but the overlay, and the slot it took does not count towards
``for`` or ``keep_firing_for``: silence is neither evidence of trouble nor of health.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from tocsin_alerts.records import AlertState, Overlay


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """How long a condition must hold before it counts."""

    every: timedelta
    hold: timedelta = timedelta(0)  # the rule's "for"
    keep: timedelta = timedelta(0)  # the rule's "keep_firing_for"


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What one slot says of one alert."""

    holds: bool | None  # the condition; None: cannot be known
    clears: bool | None  # the clearing condition
    overlay: Overlay = ""
    value: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """Where one alert stands."""

    state: AlertState = "inactive"
    since: datetime  # slot at which the state was entered, later by each slot that could not be judged
    slot: datetime  # last slot taken in
    overlay: Overlay = ""
    value: float | None = None

    @property
    def is_active(self) -> bool:
        """Whether somebody may have been told and not yet been told that it is over."""
        return self.state in ("firing", "recovering")


def step(status: Status | None, seen: Observation, timing: Timing, slot: datetime) -> Status:
    """Take one slot in and say where the alert stands after it.

    Args:
        status: Where it stood; None for an alert never seen before.
        seen: What the slot says.
        timing: The rule's.
        slot: A slot not after the last one taken in changes nothing, so a replay is harmless.
    """
    if status is None:
        status = Status(since=slot, slot=slot - timing.every)
    if slot <= status.slot:
        return status
    state = _next_state(status, seen, timing, slot)
    since = status.since if state == status.state else slot
    if state == status.state and state in ("pending", "recovering") and seen.holds is None:
        since = min(status.since + timing.every, slot)
    value = status.value if seen.value is None else seen.value
    return replace(status, state=state, since=since, slot=slot, overlay=seen.overlay, value=value)


def _next_state(  # noqa: PLR0911 - one return per arc of the drawing
    status: Status, seen: Observation, timing: Timing, slot: datetime
) -> AlertState:
    held = slot - status.since
    match status.state, seen.holds:
        case "inactive" | "resolved", True:
            return "pending" if timing.hold else "firing"
        case "pending", True:
            return "firing" if held >= timing.hold else "pending"
        case "pending", False:
            return "inactive"
        case "recovering", True:
            return "firing"
        case "firing", False if seen.clears:
            return "recovering" if timing.keep else "resolved"
        case "recovering", False if seen.clears:
            return "resolved" if held >= timing.keep else "recovering"
        case "recovering", False if seen.clears is False:
            return "firing"
    return status.state
