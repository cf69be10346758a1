"""A file of training or test rows as what a day-one reference is made of."""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tocsin_alerts.reference_rows import RowCounts, TrainingRow
from tocsin_console.errors import UsageProblem
from tocsin_console.labels.files import LabelFile

ROLES: Final = ("output", "label", "confidence", "correct")
_EVERY: Final = 5_000  # rows between two reports of progress
# What columns are called, most telling first; compared without case, spaces, dashes and dots.
_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "output": ("output", "prediction", "predicted", "predicted_label", "y_pred", "answer"),
    "label": ("label", "true_label", "ground_truth", "truth", "y_true", "target", "expected"),
    "confidence": ("confidence", "probability", "proba"),
    "correct": ("correct", "is_correct"),
}
_TRUE: Final = frozenset({"true", "1", "1.0", "yes"})
_FALSE: Final = frozenset({"false", "0", "0.0", "no"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Which column plays which role; the others are inputs."""

    roles: Mapping[str, int]
    inputs: Mapping[str, int]


def match(names: Sequence[str], said: Mapping[str, str], ignored: Sequence[str]) -> Columns:
    """Find the columns of a file.

    Args:
        names: Its columns, in order.
        said: Role to column, where somebody said so.
        ignored: Columns that are no input: ids, times.

    Raises:
        UsageProblem: a role or a column does not exist, or nothing is left to compare with.
    """
    places = {name: at for at, name in enumerate(names)}
    plain = {_plain(name): at for name, at in places.items()}
    for role, column in said.items():
        if role not in ROLES:
            raise UsageProblem(f"expected --map ROLE=COLUMN with a role of {', '.join(ROLES)}, got {role!r}")
        if column not in places:
            raise UsageProblem(f"expected a column {column!r} for {role}, but the file has {', '.join(names)}")
    unknown = [name for name in ignored if name not in places]
    if unknown:
        raise UsageProblem(f"expected a column {unknown[0]!r} to ignore, but the file has {', '.join(names)}")
    roles = {role: places[column] for role, column in said.items()}
    for role, known in _NAMES.items():
        at = next((plain[name] for name in known if name in plain), None)
        if role not in roles and at is not None and at not in roles.values():
            roles[role] = at
    used = {*roles.values(), *(places[name] for name in ignored)}
    inputs = {name: at for name, at in places.items() if at not in used}
    if not inputs and "confidence" not in roles:
        raise UsageProblem("expected columns of inputs or a column 'confidence', got neither: say which with --map")
    return Columns(roles=roles, inputs=inputs)


def count(file: LabelFile, columns: Columns, *, progress: Callable[[], object]) -> RowCounts:
    """Read a file into counts; a row that cannot be read is counted, with its line and the reason."""
    counts = RowCounts()
    for at, row in enumerate(file.rows()):
        try:
            if row.problem:
                raise ValueError(row.problem)  # noqa: TRY301 - one way out for every bad row
            counts.add(read(row.cells, columns))
        except ValueError as error:
            counts.refuse(f"line {row.line}: {error}")
        if at % _EVERY == 0:
            progress()
    progress()
    return counts


def read(cells: Sequence[Any], columns: Columns) -> TrainingRow:
    """Read one row.

    Raises:
        ValueError: a confidence is no share, or a verdict none.
    """
    said = {role: _value(cells[at]) for role, at in columns.roles.items()}
    output, label = (_text(said.get(role)) for role in ("output", "label"))
    verdict = _verdict(said.get("correct"))
    if verdict is None and output and label:
        verdict = output == label
    return TrainingRow(
        inputs={name: _value(cells[at]) for name, at in columns.inputs.items()},
        confidence=_share(said.get("confidence")),
        is_right=verdict,
        output=output,
    )


def _value(cell: Any) -> Any:
    """Give a number, a text or a truth; None where nothing is said."""
    if cell is None or isinstance(cell, bool):
        return cell
    if isinstance(cell, int | float):
        return cell if math.isfinite(cell) else None
    text = str(cell).strip()
    if not text or text.lower() in ("nan", "null", "none"):
        return None
    try:
        number = float(text)
    except ValueError:
        return text
    return number if math.isfinite(number) else text


def _text(value: Any) -> str:
    """Write a class as calls write it: 3.0 is "3"."""
    if value is None:
        return ""
    return str(int(value)) if isinstance(value, float) and value.is_integer() and abs(value) < 2**53 else str(value)


def _share(value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise ValueError(f"expected a confidence from 0 to 1, got {value!r}")
    return float(value)


def _verdict(value: Any) -> bool | None:
    if value is None or isinstance(value, bool):
        return value
    word = str(value).lower()
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    raise ValueError(f"expected true or false in 'correct', got {str(value)[:40]!r}")


def _plain(name: str) -> str:
    return re.sub(r"[\s.\-]+", "_", name.strip().lower())
