"""One row of a file as an outcome's fields, or the reason why it is none. Pure."""

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, Final

from tocsin_console.labels.columns import REFERENCES, Columns

_RIGHT: Final = frozenset({"true", "1", "1.0", "yes", "y", "right", "correct", "pass", "passed"})
_WRONG: Final = frozenset({"false", "0", "0.0", "no", "n", "wrong", "incorrect", "fail", "failed"})
_UP: Final = frozenset({"up", "1", "1.0", "true", "yes", "+1", "like", "liked", "\U0001f44d"})
_DOWN: Final = frozenset({"down", "0", "0.0", "-1", "-1.0", "false", "no", "dislike", "disliked", "\U0001f44e"})
_LATEST_S: Final = 4_294_967_295  # as the collector's tables


def outcome_fields(cells: Sequence[Any], columns: Columns, given: Mapping[str, str]) -> dict[str, Any]:
    """Read a row.

    Args:
        cells: Its cells: texts of CSV, values of Parquet; empty and None say nothing.
        columns: Where each field stands.
        given: What holds for rows that do not say: kind, source, use_case.

    Returns:
        An outcome as `/api/outcomes` takes it.

    Raises:
        ValueError: a cell is not what its column is for.
    """
    said: dict[str, Any] = {}
    for field, at in columns.of.items():
        cell = cells[at]
        if not _is_empty(cell):
            read: _Reader = _READ.get(field, _text)
            said[field] = read(cell, columns.names[at])
    named = {name: said.pop(name) for name in (*REFERENCES[1:], "use_case") if name in said}
    if "handle" not in said:
        if not named.keys() & set(REFERENCES):
            raise ValueError(f"expected a call in {_columns(columns)}, got none")
        named.setdefault("use_case", given.get("use_case", ""))
        said["call"] = named
    if "observed_at" in said:
        said["observed_unix_nano"] = said.pop("observed_at")
    thumb = said.pop("thumb", None)
    if thumb is not None:
        said.setdefault("score", thumb)
    said.setdefault("kind", given.get("kind") or ("feedback" if thumb is not None else "ground_truth"))
    said.setdefault("source", given.get("source") or ("thumbs" if thumb is not None else "labels"))
    if "label" in said:
        said.pop("value", None)  # an outcome has one truth, and a class comes first
    return said


def _columns(columns: Columns) -> str:
    return " or ".join(repr(name) for field, name in columns.used.items() if field in REFERENCES)


def _is_empty(cell: Any) -> bool:
    return (
        cell is None or (isinstance(cell, str) and not cell.strip()) or (isinstance(cell, float) and math.isnan(cell))
    )


def _text(cell: Any, column: str) -> str:
    """Write a class or an id as calls write them: 3.0 of a number column is "3"."""
    if isinstance(cell, str):
        if not cell.isascii():
            try:
                cell.encode()
            except UnicodeEncodeError as error:
                raise ValueError(f"expected UTF-8 in {column!r}, got other bytes: save the file as UTF-8") from error
        return cell.strip()
    if isinstance(cell, bytes):
        try:
            return cell.decode()
        except UnicodeDecodeError as error:
            raise ValueError(f"expected text in {column!r}, got {len(cell)} bytes that are no UTF-8") from error
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 2**53:
        return str(int(cell))
    if isinstance(cell, (datetime, date)):
        return cell.isoformat()
    if not isinstance(cell, (bool, int, float)):
        raise ValueError(f"expected one value in {column!r}, got {type(cell).__name__}")  # noqa: TRY004 - of a file
    return str(cell)


def _number(cell: Any, column: str) -> float:
    try:
        number = float(cell)
    except (TypeError, ValueError) as error:
        raise ValueError(f"expected a number in {column!r}, got {str(cell)[:40]!r}") from error
    if not math.isfinite(number):
        raise ValueError(f"expected a finite number in {column!r}, got {cell}")
    return number


def _either(cell: Any, column: str, yes: frozenset[str], no: frozenset[str], words: str) -> bool:
    said = str(cell).strip().lower()
    if said in yes:
        return True
    if said in no:
        return False
    raise ValueError(f"expected {words} in {column!r}, got {str(cell)[:40]!r}")


def _correct(cell: Any, column: str) -> bool:
    return _either(cell, column, _RIGHT, _WRONG, "true or false")


def _thumb(cell: Any, column: str) -> float:
    return float(_either(cell, column, _UP, _DOWN, "up or down"))


def _instant(cell: Any, column: str) -> int:
    """Read ISO 8601, a date, or seconds since 1970; without a zone it is UTC."""
    if isinstance(cell, str):
        try:
            cell = float(cell) if cell.replace(".", "", 1).isdecimal() else datetime.fromisoformat(cell.strip())
        except ValueError as error:
            raise ValueError(f"expected a time as 2026-03-02T12:00:00Z in {column!r}, got {cell[:40]!r}") from error
    if isinstance(cell, date) and not isinstance(cell, datetime):
        cell = datetime(cell.year, cell.month, cell.day, tzinfo=UTC)
    if isinstance(cell, datetime):
        aware = cell if cell.tzinfo else cell.replace(tzinfo=UTC)
        since = aware - datetime(1970, 1, 1, tzinfo=UTC)
        whole, micros = since.days * 86_400 + since.seconds, since.microseconds
    elif isinstance(cell, (int, float)) and not isinstance(cell, bool) and math.isfinite(cell):
        whole, micros = int(cell), round((cell - int(cell)) * 1_000_000)
    else:
        raise ValueError(f"expected a time in {column!r}, got {type(cell).__name__}")
    if not 0 < whole <= _LATEST_S:
        raise ValueError(
            f"expected a time from 1970 to 2106, in seconds where it is a number, in {column!r}, got {cell}"
        )
    return whole * 1_000_000_000 + micros * 1_000


_Reader = Callable[[Any, str], Any]
_READ: Final[Mapping[str, _Reader]] = {
    "value": _number,
    "score": _number,
    "minutes": _number,
    "correct": _correct,
    "thumb": _thumb,
    "observed_at": _instant,
}
