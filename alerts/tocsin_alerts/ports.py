"""What the alert side needs of others, declared beside its callers."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol


class Query(Protocol):
    """The store as evaluators and the journal see it: one SELECT, one INSERT."""

    def rows(self, sql: str, parameters: Mapping[str, Any] | None = None, /) -> list[dict[str, Any]]:
        """Run one SELECT with bound parameters; times come back as aware UTC datetimes."""
        ...

    def insert(self, table: str, rows: Sequence[Mapping[str, Any]], /, *, token: str | None = None) -> None:
        """Insert rows that share their keys; the same token twice stores once. None is a no-op."""
        ...
