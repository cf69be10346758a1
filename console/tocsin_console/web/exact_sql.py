"""The statement that gave a value, with its parameters written into it: to be read, and run again. Pure."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

_PLACEHOLDER: Final = re.compile(r"\{(\w+):([^{}]+)\}")
_SETTINGS: Final = re.compile(r"\s+SETTINGS\s[^()]*\Z")  # at the very end; people's SQL may not set any
_KINDS: Final = {"DateTime64(3)": "DateTime64(3, 'UTC')", "DateTime": "DateTime('UTC')"}


def runnable(sql: str, parameters: Mapping[str, Any], where: Mapping[str, Any]) -> str:
    """Write a statement that people may run as it is.

    Args:
        sql: With placeholders, ``{since:DateTime64(3)}``.
        parameters: Their values; one that is not there stays a placeholder.
        where: Columns of the result and their values: of these rows alone. Texts are compared as texts.
    """

    def given(found: re.Match[str]) -> str:
        name, kind = found[1], found[2].strip()
        return f"{literal(parameters[name])}::{_KINDS.get(kind, kind)}" if name in parameters else found[0]

    inner = _PLACEHOLDER.sub(given, _SETTINGS.sub("", sql.strip()))
    if not where:
        return inner
    rows = " AND ".join(
        f"slot = {literal(value)}::DateTime64(3, 'UTC')" if name == "slot" else f"toString({name}) = {literal(value)}"
        for name, value in where.items()
    )
    return f"SELECT *\nFROM\n(\n{inner}\n)\nWHERE {rows}"


def literal(value: Any) -> str:
    """Write a value as a literal in quotes, from which the engine makes what is wanted."""
    if isinstance(value, datetime):
        utc = (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC)
        said = f"{utc:%Y-%m-%d %H:%M:%S}"
    else:
        said = str(value)
    escaped = said.replace("\\", "\\\\").replace("'", "\\'").replace(";", "\\x3B")  # of several statements none is run
    return f"'{escaped}'"
