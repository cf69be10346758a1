"""A batch of inputs as rows of plain values: arrays, frames, sparse matrices, lists. Reads only what is recorded."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tocsin._calls import values
from tocsin._calls.values import Flags, add_flag


@dataclass(slots=True)
class Table:
    """Input rows, in the order of the batch."""

    names: list[str] = field(default_factory=list)
    rows: list[Sequence[Any]] = field(default_factory=list)  # a value per name; None where there was nothing
    holed: frozenset[int] = frozenset()  # rows that hold a None
    flags: Flags = field(default_factory=dict)


def read_table(
    inputs: Any, chosen: Sequence[int] | None, wanted: Sequence[str] | None, known_names: Sequence[str] | None
) -> Table:
    """Read the recorded fields of the recorded rows.

    Args:
        inputs: What the estimator was given.
        chosen: Indices of the rows to read, ascending; None for all.
        wanted: Names of the fields to read; None for all, up to 128.
        known_names: The estimator's own names of its inputs, where the inputs bring none.
    """
    if hasattr(inputs, "iloc") and hasattr(inputs, "columns"):
        return _read_frame(inputs, chosen, wanted)
    if hasattr(inputs, "to_pandas") and hasattr(inputs, "columns"):  # polars, pyarrow, cudf
        return _read_frame(inputs.to_pandas(), chosen, wanted)
    if hasattr(inputs, "tocsr"):
        return _read_array(inputs.tocsr(), chosen, wanted, known_names)
    import numpy as np

    if isinstance(inputs, (list, tuple)) and inputs and isinstance(inputs[0], (str, bytes, Mapping)):
        return _read_documents(inputs, chosen, wanted)
    array = np.asarray(inputs)
    if array.ndim == 1 and array.size and isinstance(array[0], (str, bytes)):
        return _read_documents(array.tolist(), chosen, wanted)
    return _read_array(array, chosen, wanted, known_names)


def _read_array(
    array: Any, chosen: Sequence[int] | None, wanted: Sequence[str] | None, known_names: Sequence[str] | None
) -> Table:
    import numpy as np

    if array.ndim != 2:  # images and the like: nothing that a field could be
        table = Table(rows=[()] * (len(array) if chosen is None else len(chosen)))
        add_flag(table.flags, f"inputs_unread:{array.ndim}d")
        return table
    width = array.shape[1]
    every = known_names if known_names is not None and len(known_names) == width else None
    places, table = _choose(width, (lambda at: every[at]) if every is not None else (lambda at: f"f{at}"), wanted)
    if chosen is not None:
        array = array[np.asarray(chosen)]
    if len(places) < width:
        array = array[:, np.asarray(places, dtype=np.intp)]
    dense = array.toarray() if hasattr(array, "toarray") else np.asarray(array)
    _fill(table, dense)
    return table


def _fill(table: Table, dense: Any) -> None:
    import numpy as np

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
        _coerce(table)


def _coerce(table: Table) -> None:
    """Bring cells of any type to values, column by column, so that a flag names its field."""
    columns = [
        [_safe(value, table.flags, name) for value in column]
        for name, column in zip(table.names, zip(*table.rows, strict=True), strict=False)
    ]
    _from_columns(table, columns, len(table.rows))


def _from_columns(table: Table, columns: list[list[Any]], count: int) -> None:
    table.rows = list(zip(*columns, strict=True)) if columns else [()] * count
    if any(None in column for column in columns):
        table.holed = frozenset(at for at, row in enumerate(table.rows) if None in row)


def _read_frame(frame: Any, chosen: Sequence[int] | None, wanted: Sequence[str] | None) -> Table:
    labels = frame.columns
    places, table = _choose(len(labels), lambda at: labels[at], wanted)
    if chosen is not None:
        frame = frame.iloc[list(chosen)]
    if len(places) < len(labels):
        frame = frame.iloc[:, places]
    kinds = {str(kind) for kind in frame.dtypes}
    if kinds and kinds <= {"float64", "float32"}:
        _fill(table, frame.to_numpy())
        return table
    columns: list[list[Any]] = []
    for name, (_, series) in zip(table.names, frame.items(), strict=True):
        kind = getattr(series.dtype, "kind", "O")
        cells = series.tolist()
        if kind in "iub" and series.dtype.__class__.__module__.startswith("numpy"):
            columns.append(cells)
        else:
            columns.append([_safe(value, table.flags, name) for value in cells])
    _from_columns(table, columns, len(frame))
    return table


def _read_documents(documents: Sequence[Any], chosen: Sequence[int] | None, wanted: Sequence[str] | None) -> Table:
    """Read rows that are mappings by their keys; of texts only the length, since content is not ours to send."""
    rows = documents if chosen is None else [documents[at] for at in chosen]
    if not isinstance(documents[0], Mapping):
        if wanted is not None and "text_length" not in wanted:
            return Table(rows=[()] * len(rows))
        return Table(names=["text_length"], rows=[(len(row),) for row in rows])
    every = list(dict.fromkeys(key for row in rows for key in row))
    places, table = _choose(len(every), lambda at: every[at], wanted)
    columns = [
        [_safe(row.get(every[at]), table.flags, name) for row in rows]
        for at, name in zip(places, table.names, strict=True)
    ]
    _from_columns(table, columns, len(rows))
    return table


def _choose(width: int, named: Any, wanted: Sequence[str] | None) -> tuple[list[int], Table]:
    """Pick the columns to read, and name them."""
    table = Table()
    if wanted is None:
        places = list(range(min(width, values.FIELD_LIMIT)))
        if width > len(places):
            add_flag(table.flags, f"fields_dropped:{width - len(places)}")
        table.names = [values.name(named(at), table.flags) for at in places]
        return places, table
    asked = set(wanted)
    found = [(at, name) for at in range(width) if (name := values.name(named(at), table.flags)) in asked]
    if len(found) > values.FIELD_LIMIT:
        add_flag(table.flags, f"fields_dropped:{len(found) - values.FIELD_LIMIT}")
        found = found[: values.FIELD_LIMIT]
    table.names = [name for _, name in found]
    return [at for at, _ in found], table


def _safe(value: Any, flags: Flags, name: str) -> Any:
    try:
        return values.scalar(value, flags, name)
    except Exception:
        add_flag(flags, f"unreadable:{name}")
        return None
