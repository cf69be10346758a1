"""What a model was given, kept as it was at that moment: arrays, frames, sparse and DMatrix, Arrow, lists.

The caller's thread copies the rows that are recorded, which takes microseconds; they are read on the exporting thread.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from tocsin._calls import values
from tocsin._models.columns import (
    Columns,
    Read,
    Table,
    choose,
    read_cells,
    read_dense,
    read_records,
    read_texts,
    unread,
)

_WIDE: Final = values.FIELD_LIMIT  # sparse rows wider than this are bags of words: no column of them is a feature


def keep_inputs(  # noqa: PLR0911 - a line per kind
    inputs: Any, chosen: Sequence[int] | None, wanted: tuple[str, ...] | None, known_names: tuple[str, ...] | None
) -> Read:
    """Keep the recorded fields of the recorded rows.

    Args:
        inputs: What the model was given.
        chosen: Indices of the rows to keep, ascending; None for all.
        wanted: Names of the fields to keep; None for all, up to 128.
        known_names: The model's own names of its inputs, where the inputs bring none.

    Returns:
        What reads them, in whatever thread.
    """
    if type(inputs).__name__ == "ndarray" and type(inputs).__module__ == "numpy":
        return _keep_array(inputs, chosen, wanted, known_names)
    if hasattr(inputs, "iloc"):
        return _keep_frame(inputs, chosen, wanted, known_names)
    if hasattr(inputs, "tocsr"):
        return _keep_sparse(inputs, chosen, wanted, known_names)
    if type(inputs).__name__ in {"DMatrix", "QuantileDMatrix", "ExtMemQuantileDMatrix"}:
        return _keep_dmatrix(inputs, chosen, wanted, known_names)
    if isinstance(inputs, (list, tuple)):
        return _keep_list(inputs, chosen, wanted, known_names)
    if hasattr(inputs, "columns") or hasattr(inputs, "column_names"):
        return _keep_arrow(inputs, chosen, wanted)
    if isinstance(inputs, (str, bytes)) or hasattr(inputs, "__fspath__"):
        return unread("file")  # LightGBM reads rows from one
    return _keep_array(plain_array(inputs), chosen, wanted, known_names)


def plain_array(given: Any) -> Any:
    """Make a NumPy array of anything like one; tensors leave their graph and device first."""
    import numpy as np

    if isinstance(given, np.ndarray):
        return given
    if hasattr(given, "detach"):  # torch
        given = given.detach().cpu()
        if "bfloat16" in str(given.dtype):
            given = given.float()
    elif hasattr(given, "__cuda_array_interface__") and hasattr(given, "get"):  # cupy
        given = given.get()
    return np.asarray(given)


def _keep_array(
    array: Any, chosen: Sequence[int] | None, wanted: tuple[str, ...] | None, known_names: tuple[str, ...] | None
) -> Read:
    if array.ndim == 2 and chosen is None and wanted is None and array.shape[1] <= values.FIELD_LIMIT:
        whole = array.copy()  # all of it, as it mostly is: what the columns are called is read later
        return lambda: read_dense(_columns(whole.shape[1], None, known_names), whole)
    import numpy as np

    if array.ndim == 1 and array.size and isinstance(array[0], (str, bytes)):
        texts = (array if chosen is None else array[np.asarray(chosen)]).tolist()
        return lambda: read_texts(texts, wanted)
    if array.ndim == 1 and known_names is not None and array.size == len(known_names):
        array = array.reshape(1, -1)  # one row, as xgboost's inplace_predict takes it
    if array.ndim != 2:  # images and the like: nothing that a field could be
        return unread(f"{array.ndim}d")
    columns = _columns(array.shape[1], wanted, known_names)
    kept = _cut(array, chosen, columns)
    if kept is array or kept.base is not None:  # slices by position are views
        kept = kept.copy()
    return lambda: read_dense(columns, kept)


def _columns(width: int, wanted: tuple[str, ...] | None, known_names: tuple[str, ...] | None) -> Columns:
    if known_names is not None and len(known_names) == width:
        return choose(known_names, wanted)
    return choose(_positions(width), wanted)


@lru_cache(maxsize=16)
def _positions(width: int) -> tuple[str, ...]:
    return tuple(f"f{at}" for at in range(width))


def _cut(array: Any, chosen: Sequence[int] | None, columns: Columns) -> Any:
    import numpy as np

    if chosen is not None:
        array = array[np.asarray(chosen)]
    return array if columns.are_all else array[:, np.asarray(columns.places, dtype=np.intp)]


def _keep_sparse(
    matrix: Any, chosen: Sequence[int] | None, wanted: tuple[str, ...] | None, known_names: tuple[str, ...] | None
) -> Read:
    rows = matrix.tocsr()
    if matrix.shape[1] > _WIDE and wanted is None:
        filled = _row_sizes(rows, chosen)
        return lambda: Table(names=["nonzero"], rows=[(size,) for size in filled])
    columns = _columns(matrix.shape[1], wanted, known_names)
    kept = _cut(rows, chosen, columns)
    if kept is matrix:
        kept = kept.copy()
    return lambda: read_dense(columns, kept.toarray())


def _row_sizes(rows: Any, chosen: Sequence[int] | None) -> list[int]:
    import numpy as np

    sizes = np.diff(rows.indptr)
    return list((sizes if chosen is None else sizes[np.asarray(chosen)]).tolist())


def _keep_dmatrix(
    matrix: Any, chosen: Sequence[int] | None, wanted: tuple[str, ...] | None, known_names: tuple[str, ...] | None
) -> Read:
    """Read a DMatrix, in which what is absent is missing, not zero. A quantised one has no values any more."""
    import numpy as np

    if type(matrix).__name__ != "DMatrix" or not hasattr(matrix, "get_data"):
        return unread(type(matrix).__name__)
    columns = _columns(matrix.num_col(), wanted, tuple(matrix.feature_names or ()) or known_names)
    rows = (matrix if chosen is None else matrix.slice(list(chosen))).get_data()
    dense = np.full(rows.shape, np.nan, dtype=np.float32)
    dense[np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr)), rows.indices] = rows.data
    kept = dense if columns.are_all else dense[:, list(columns.places)]
    return lambda: read_dense(columns, kept)


def _keep_frame(
    frame: Any, chosen: Sequence[int] | None, wanted: tuple[str, ...] | None, known_names: tuple[str, ...] | None
) -> Read:
    labels = getattr(frame, "columns", None)
    if labels is None:  # a series: a column of texts or numbers, or one row
        return _keep_array(frame.to_numpy(), chosen, wanted, known_names)
    if chosen is None and wanted is None and len(labels) <= values.FIELD_LIMIT:
        # All of it, as it mostly is: what the columns are called is read later, for labels do not change.
        if _is_one_block(frame):
            numbers = frame.to_numpy(copy=True)  # a fifth of what a frame's own copy takes
            return lambda: read_dense(choose(tuple(labels), None), numbers)
        whole = frame.copy()
        return lambda: _read_frame(choose(tuple(labels), None), whole)
    columns = choose(tuple(labels), wanted)
    rows = slice(None) if chosen is None else list(chosen)
    kept = frame.copy() if chosen is None and columns.are_all else frame.iloc[rows, list(columns.places)].copy()
    return lambda: _read_frame(columns, kept)


def _is_one_block(frame: Any) -> bool:
    """Tell whether pandas holds a frame as one array of numbers. Asked of its inside, since asking for dtypes takes 20 µs."""
    blocks: Any = getattr(getattr(frame, "_mgr", None), "blocks", ())
    kind = getattr(getattr(blocks[0], "values", None), "dtype", None) if len(blocks) == 1 else None
    return getattr(kind, "kind", "O") in "fiub" and _is_numpy(kind)


def _read_frame(columns: Columns, frame: Any) -> Table:
    if hasattr(frame, "to_pandas"):  # cudf
        frame = frame.to_pandas()
    kinds = frame.dtypes.tolist()
    if kinds and all(getattr(kind, "kind", "O") == "f" and _is_numpy(kind) for kind in kinds):
        return read_dense(columns, frame.to_numpy())
    plain = [at for at, kind in enumerate(kinds) if getattr(kind, "kind", "O") in "iub" and _is_numpy(kind)]
    # One pass over all cells: column by column takes pandas 25 µs each.
    cells = [list(column) for column in zip(*frame.to_numpy(dtype=object).tolist(), strict=True)]
    return read_cells(columns, cells or [[] for _ in columns.names], len(frame), plain)


def _is_numpy(kind: Any) -> bool:
    return bool(type(kind).__module__.startswith("numpy"))


def _keep_arrow(table: Any, chosen: Sequence[int] | None, wanted: tuple[str, ...] | None) -> Read:
    """Keep a polars frame or an Arrow table: they do not change, so only the rows are cut out."""
    is_arrow = hasattr(table, "column_names")
    labels = list(table.column_names if is_arrow else table.columns)
    columns = choose(tuple(labels), wanted)
    names = [labels[at] for at in columns.places]
    kept = table.select(list(columns.places) if is_arrow else names)
    if chosen is not None:
        kept = kept.take(list(chosen)) if is_arrow else kept[list(chosen)]
    count = len(kept)

    def read() -> Table:
        if is_arrow:
            cells = [kept.column(at).to_pylist() for at in range(len(names))]
        else:
            cells = [kept.get_column(name).to_list() for name in names]
        return read_cells(columns, cells, count)

    return read


def _keep_list(
    rows: Sequence[Any],
    chosen: Sequence[int] | None,
    wanted: tuple[str, ...] | None,
    known_names: tuple[str, ...] | None,
) -> Read:
    kept = list(rows) if chosen is None else [rows[at] for at in chosen]
    if kept and isinstance(kept[0], (str, bytes)):
        return lambda: read_texts(kept, wanted)
    if kept and isinstance(kept[0], Mapping):
        copies = [dict(row) for row in kept]
        return lambda: read_records(copies, wanted)
    return _keep_array(plain_array(kept), None, wanted, known_names)
