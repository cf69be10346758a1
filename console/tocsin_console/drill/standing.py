"""What the latest drill of a use case showed, in a few words. Pure."""

from collections.abc import Mapping
from typing import Any


def time_to_notice(drill: Mapping[str, Any] | None) -> str:
    """Say on which day it was noticed; without a drill nobody knows."""
    if drill is None:
        return "unknown: tocsin drill"
    day = drill["noticed_after_days"]
    injected = f"{100 * drill['fall']:g} points over {drill['over_days']}d"
    return f"{'never' if day is None else f'day {day}'} ({injected}, {drill['kind']})"
