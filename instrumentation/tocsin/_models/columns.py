"""Input rows as plain values. Reads only what is recorded, from copies that the host cannot change any more."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from tocsin._calls import values
from tocsin._calls.values import Flags, add_flag


@dataclass(slots=True)
class Table:
    """Input rows, in the order of the batch."""

    names: Sequence[str] = ()
    rows: list[Sequence[Any]] = field(default_factory=list)  # a value per name; None where there was nothing
    holed: frozenset[int] = frozenset()  # rows that hold a None
    flags: Flags = field(default_factory=dict)
    prompts: Sequence[Any] = ()  # a text or conversation per row; measured, and kept only where the policy says so


Read = Callable[[], Table]


@lru_cache(maxsize=128)  # a service asks with the same few columns, every call
def choose(names: tuple[Any, ...], wanted: tuple[str, ...] | None) -> "Columns":
    """Pick the columns to read: those wanted, up to 128, or the first 128."""
    flags: Flags = {}
    if wanted is None:
        kept = min(len(names), values.FIELD_LIMIT)
        if len(names) > kept:
            add_flag(flags, f"fields_dropped:{len(names) - kept}")
        return _columns([(at, values.name(names[at], flags)) for at in range(kept)], len(names), flags)
    asked = set(wanted)
    found = [(at, name) for at, given in enumerate(names) if (name := values.name(given, flags)) in asked]
    if len(found) > values.FIELD_LIMIT:
        add_flag(flags, f"fields_dropped:{len(found) - values.FIELD_LIMIT}")
        found = found[: values.FIELD_LIMIT]
    return _columns(found, len(names), flags)


def _columns(found: Sequence[tuple[int, str]], width: int, flags: Flags) -> "Columns":
    names = tuple(name for _, name in found)
    if len(set(names)) < len(names):
        add_flag(flags, "fields_duplicated")
    return Columns(names=names, places=tuple(at for at, _ in found), width=width, flags=tuple(flags))


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """The columns to read of inputs of some width."""

    names: tuple[str, ...]
    places: tuple[int, ...]
    width: int
    flags: tuple[str, ...]

    def table(self) -> Table:
        """Make a table of them, without rows yet."""
        return Table(names=self.names, flags=dict.fromkeys(self.flags))

    @property
    def are_all(self) -> bool:
        """Tell whether nothing is left out."""
        return len(self.places) == self.width


def read_dense(columns: Columns, dense: Any) -> Table:
    """Read a two-dimensional array that has these columns alone."""
    import numpy as np

    table = columns.table()
    kind = dense.dtype.kind
    table.rows = dense.tolist()
    if kind == "f":
        holes = ~np.isfinite(dense)
        if holes.any():
            if np.isinf(dense).any():
                add_flag(table.flags, "not_finite:inputs")
            holed = np.flatnonzero(holes.any(axis=1)).tolist()
            for at in holed:
                table.rows[at] = [
                    None if hole else value for value, hole in zip(table.rows[at], holes[at], strict=True)
                ]
            table.holed = frozenset(holed)
    elif kind not in "biu" or dense.dtype == np.uint64:
        fill(table, [list(column) for column in zip(*table.rows, strict=True)], len(table.rows), plain=())
    return table


def read_cells(columns: Columns, cells: list[list[Any]], count: int, plain: Sequence[int] = ()) -> Table:
    """Read columns of cells of any type; those at `plain` hold nothing but Python's integers and booleans."""
    table = columns.table()
    fill(table, cells, count, plain)
    return table


def fill(table: Table, cells: list[list[Any]], count: int, plain: Sequence[int]) -> None:
    """Bring cells to values, column by column, so that a flag names its field."""
    known = [
        column if at in plain else [safe(value, table.flags, table.names[at]) for value in column]
        for at, column in enumerate(cells)
    ]
    table.rows = list(zip(*known, strict=True)) if known else [()] * count
    if any(None in column for at, column in enumerate(known) if at not in plain):
        table.holed = frozenset(at for at, row in enumerate(table.rows) if None in row)


def unread(why: str) -> Read:
    """Read nothing, and say why."""
    return lambda: Table(flags={f"inputs_unread:{why}": None})


def safe(value: Any, flags: Flags, name: str) -> Any:
    """Coerce one cell; what cannot be read is missing, and flagged."""
    try:
        return values.scalar(value, flags, name)
    except Exception:
        add_flag(flags, f"unreadable:{name}")
        return None


def read_texts(texts: Sequence[Any], wanted: tuple[str, ...] | None) -> Table:
    """Read of texts only how long they are, since content is not ours to send."""
    if wanted is not None and "text_length" not in wanted:
        return Table(rows=[()] * len(texts))
    return Table(names=["text_length"], rows=[(len(text),) for text in texts])


def read_records(rows: Sequence[Mapping[Any, Any]], wanted: tuple[str, ...] | None) -> Table:
    """Read rows that are mappings, by their keys."""
    every = list(dict.fromkeys(key for row in rows for key in row))
    columns = choose(tuple(every), wanted)
    keys = [every[at] for at in columns.places]
    return read_cells(columns, [[row.get(key) for row in rows] for key in keys], len(rows))
