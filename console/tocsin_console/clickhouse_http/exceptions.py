"""Errors as ClickHouse prints them, and the HTTP status that goes with each."""

import re
from typing import Final

from tocsin_console.errors import ConsoleError

UNKNOWN_TYPE_OF_QUERY: Final = (78, "UNKNOWN_TYPE_OF_QUERY")
BAD_ARGUMENTS: Final = (36, "BAD_ARGUMENTS")
SYNTAX_ERROR: Final = (62, "SYNTAX_ERROR")
UNKNOWN_FORMAT: Final = (73, "UNKNOWN_FORMAT")
UNKNOWN_DATABASE: Final = (81, "UNKNOWN_DATABASE")
TIMEOUT_EXCEEDED: Final = (159, "TIMEOUT_EXCEEDED")
READONLY: Final = (164, "READONLY")
QUERY_IS_TOO_LARGE: Final = (298, "QUERY_IS_TOO_LARGE")
TOO_MANY_SIMULTANEOUS_QUERIES: Final = (202, "TOO_MANY_SIMULTANEOUS_QUERIES")
QUERY_WAS_CANCELLED: Final = (394, "QUERY_WAS_CANCELLED")
TOO_MANY_ROWS_OR_BYTES: Final = (396, "TOO_MANY_ROWS_OR_BYTES")
AUTHENTICATION_FAILED: Final = (516, "AUTHENTICATION_FAILED")
NOT_IMPLEMENTED: Final = (48, "NOT_IMPLEMENTED")

_BAD_REQUEST: Final = frozenset({6, 26, 27, 36, 38, 41, 53, 62, 69, 72, 117, 386, 427, 456, 457, 458})
_NOT_FOUND: Final = frozenset({16, 46, 47, 50, 56, 60, 73, 78, 81, 115, 511})
_STATUSES: Final = {48: 501, 159: 408, 202: 503, 298: 413, 516: 403}
_PRINTED = re.compile(
    r"^(?:Code: (\d+)\. DB::Exception: )+(.*?)(?: \((?:version [^()]*)\))?(?: \(([A-Z][A-Z0-9_]+)\))?\s*$", re.DOTALL
)


class QueryFailed(ConsoleError):  # noqa: N818 - says what is so
    """A query that ends as ClickHouse would end it: with a number, a name and a sentence."""

    def __init__(self, kind: tuple[int, str], said: str) -> None:
        self.code, self.name = kind
        self.said = said
        super().__init__(f"Code: {self.code}. DB::Exception: {said.rstrip('.')}. ({self.name})")

    @property
    def status(self) -> int:
        """The HTTP status that ClickHouse gives this code; 503 where trying again later helps."""
        if self.code in _BAD_REQUEST:
            return 400
        if self.code in _NOT_FOUND:
            return 404
        return _STATUSES.get(self.code, 500)


def from_engine(text: str) -> QueryFailed:
    """Read what the engine printed; a text without a code is an unknown exception (1002)."""
    match = _PRINTED.match(text.strip())
    if match is None:
        return QueryFailed((1002, "UNKNOWN_EXCEPTION"), text.strip() or "the engine gave no reason")
    return QueryFailed((int(match.group(1)), match.group(3) or "UNKNOWN_EXCEPTION"), match.group(2).strip())
