"""A table as CSV that no spreadsheet runs. Pure."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any, Final

from tocsin_console.wire import document, plain

_FORMULAS: Final = ("=", "+", "-", "@", "\t", "\r", "\n")


def sheet(rows: Sequence[Mapping[str, Any]]) -> str:
    """Write rows with a header of every name in them; empty without rows.

    A text that a spreadsheet would take for a formula begins with an apostrophe; numbers stay numbers.

    Source: OWASP, *CSV Injection*; RFC 4180 for the form.
    """
    names = list(dict.fromkeys(name for row in rows for name in row))
    written = io.StringIO()
    writer = csv.writer(written)
    if names:
        writer.writerow([_cell(name) for name in names])
    writer.writerows([_cell(row.get(name)) for name in names] for row in rows)
    return written.getvalue()


def _cell(value: Any) -> Any:
    known = plain(value)
    if known is None:
        return ""
    if isinstance(known, dict | list):
        known = document(known)
    if not isinstance(known, str):
        return known
    return f"'{known}" if known.lstrip(" ").startswith(_FORMULAS) else known
