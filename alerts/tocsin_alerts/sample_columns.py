"""What columns an evaluator's answer must have, and of which types. Pure."""

import re
from collections.abc import Mapping
from typing import Final

REQUIRED: Final = ("project", "use_case", "slot", "value", "n")

_TEXT: Final = (r"(String|FixedString\(\d+\))", "String")
_NUMBER: Final = (r"Nullable\((Float|U?Int|Decimal)[^)]*\)?\)|(Float|U?Int|Decimal).*", "Nullable(Float64)")
_TYPES: Final[Mapping[str, tuple[str, str]]] = {
    "project": _TEXT,
    "use_case": _TEXT,
    "slot": (r"DateTime(64)?(\(.*\))?", "DateTime64(3, 'UTC')"),
    "value": _NUMBER,
    "lower": _NUMBER,
    "upper": _NUMBER,
    "baseline": _NUMBER,
    "effect": _NUMBER,
    "n": (r"U?Int\d+", "UInt64, never NULL"),
}


def wrong_columns(columns: Mapping[str, str]) -> str | None:
    """Say what is wrong with an answer's columns; None when nothing is.

    Args:
        columns: Name to ClickHouse type, as ``DESCRIBE`` says.
    """
    missing = [name for name in REQUIRED if name not in columns]
    if missing:
        return f"expected the columns {', '.join(REQUIRED)}, got no {missing[0]!r} among {', '.join(columns)}"
    for name, (pattern, wanted) in _TYPES.items():
        if name in columns and not re.fullmatch(pattern, _plain(columns[name])):
            return f"expected {name!r} to be {wanted}, got {columns[name]}"
    return None


def _plain(kind: str) -> str:
    found = re.fullmatch(r"LowCardinality\((.*)\)", kind)
    return found[1] if found else kind
