"""Durations as people write them: ``30s``, ``90m``, ``6h``, ``5d``, ``2w``."""

import re
from datetime import timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

_UNITS_S = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_SPELLED = re.compile(r"(\d+(?:\.\d+)?)\s*([smhdw])")


def parse_duration(text: Any) -> timedelta:
    """Read a duration.

    Raises:
        ValueError: it is none.
    """
    if isinstance(text, timedelta):
        return text
    match = _SPELLED.fullmatch(text.strip()) if isinstance(text, str) else None
    if match is None:
        raise ValueError(f"expected a duration such as 30s, 90m, 6h, 5d or 2w, got {text!r}")
    return timedelta(seconds=float(match[1]) * _UNITS_S[match[2]])


def format_duration(duration: timedelta) -> str:
    """Write a duration in the largest unit that holds it whole: 24 hours are ``1d``."""
    seconds = duration.total_seconds()
    for unit in ("w", "d", "h", "m"):
        if seconds and seconds % _UNITS_S[unit] == 0:
            return f"{int(seconds // _UNITS_S[unit])}{unit}"
    return f"{seconds:g}s"


Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration),
    PlainSerializer(format_duration, return_type=str),
    WithJsonSchema({"type": "string", "pattern": f"^{_SPELLED.pattern}$", "examples": ["90m", "6h", "1d", "2w"]}),
]
