"""A person's questions to the store: read-only, limited in time, rows and memory."""

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from tocsin_console import sql_gate

MAX_ROWS = 10_000
MAX_TIME_S = 20
_SETTINGS = {
    "max_execution_time": MAX_TIME_S,
    "max_memory_usage": 2 << 30,
    "max_result_rows": MAX_ROWS,
    "max_result_bytes": 64 << 20,
    "result_overflow_mode": "throw",
    "max_threads": 2,
    "output_format_json_quote_64bit_integers": 0,
}


class Store(Protocol):
    """One client of the store, as a reader uses it."""

    def raw(self, sql: str, *, fmt: str, settings: Mapping[str, Any] | None = None) -> bytes:
        """Run one SELECT and return its bytes in a format."""
        ...

    def command(self, sql: str, /) -> None:
        """Run one statement that returns nothing."""
        ...

    def close(self) -> None:
        """Close this client."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a statement returned."""

    columns: tuple[str, ...]
    types: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


class Reader:
    """Runs what people ask, one statement at a time, each in a client of its own.

    A client of the embedded engine that was once refused half a result puts the rest of it before its next answer, and
    its ``readonly`` cannot be taken back: so none is used twice.
    """

    def __init__(self, open_store: Callable[[], Store], *, database: str, embedded: bool) -> None:
        self._open_store = open_store
        self._database = database
        self._embedded = embedded
        self._one_at_a_time = threading.Lock()

    def ask(self, sql: str) -> Answer:
        """Run one statement that reads.

        Raises:
            SqlRefused: it does more than read tables, or asks for too much.
            StoreRejected: the engine refuses it.
            StoreUnavailable: it took too long, or the store does not answer.
        """
        statement = sql_gate.first_check(sql)
        with self._one_at_a_time:
            store = self._open_store()
            try:
                return self._ask(store, statement)
            finally:
                store.close()

    def _ask(self, store: Store, statement: str) -> Answer:
        # A format goes to the inner query on some versions, whose explanation then comes in the default one: this.
        tree = _lines(store.raw(f"EXPLAIN AST {statement}", fmt="TabSeparated"))
        sql_gate.second_check(tree, database=self._database)
        settings: dict[str, Any] = {**_SETTINGS, "readonly": 1}
        if self._embedded:
            for name, value in settings.items():
                store.command(f"SET {name} = {value!r}")
            settings = {}
        if tree[0].startswith("Explain"):
            lines = _lines(store.raw(statement, fmt="TabSeparated", settings=settings))
            return Answer(columns=("explain",), types=("String",), rows=tuple((line,) for line in lines))
        answer = json.loads(store.raw(statement, fmt="JSONCompact", settings=settings))
        return Answer(
            columns=tuple(column["name"] for column in answer["meta"]),
            types=tuple(column["type"] for column in answer["meta"]),
            rows=tuple(tuple(row) for row in answer["data"]),
        )


def _lines(body: bytes) -> list[str]:
    return body.decode(errors="replace").rstrip("\n").split("\n")
