"""How answers are written as JSON: times as ISO 8601 in UTC, what JSON lacks as null."""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from datetime import UTC, datetime, timedelta
from typing import Any


def plain(value: Any) -> Any:
    """Turn a value into what JSON has."""
    match value:
        case float():
            known: Any = value if math.isfinite(value) else None
        case None | bool() | int() | str():
            known = value
        case datetime():
            known = (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC).isoformat()
        case timedelta():
            known = value.total_seconds()
        case Mapping():
            known = {str(key): plain(inner) for key, inner in value.items()}
        case list() | tuple() | set() | frozenset():
            known = [plain(inner) for inner in value]
        case _ if is_dataclass(value) and not isinstance(value, type):
            known = plain(asdict(value))
        case _:  # paths, decimals, dates
            known = str(value)
    return known


def document(value: Any) -> str:
    """Write one JSON document for people and programs."""
    return json.dumps(plain(value), indent=2, ensure_ascii=False, allow_nan=False)
