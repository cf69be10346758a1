"""Which column of a file says what of an outcome: by its name, or as somebody says."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tocsin_console.errors import UsageProblem

REFERENCES: Final = ("handle", "key", "response_id", "call_id")
TRUTHS: Final = ("label", "value", "score", "correct", "thumb", "minutes", "comment")

# What columns are called, most telling first; compared without case, spaces, dashes and dots.
_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "handle": ("handle", "call_handle", "tocsin_call_handle", "tocsin_handle"),
    "key": ("key", "business_key", "call_key", "tocsin_call_key"),
    "response_id": ("response_id", "gen_ai_response_id", "completion_id"),
    "call_id": ("call_id", "tocsin_call_id"),
    "use_case": ("use_case", "usecase", "tocsin_use_case"),
    "label": (
        "label",
        "true_label",
        "correct_label",
        "ground_truth",
        "truth",
        "y_true",
        "expected",
        "tocsin_outcome_label",
    ),
    "value": ("value", "true_value", "actual", "tocsin_outcome_value"),
    "score": ("score", "tocsin_outcome_score"),
    "correct": ("correct", "is_correct", "tocsin_outcome_correct"),
    "thumb": ("thumb", "thumbs", "feedback"),
    "kind": ("kind", "outcome_kind", "tocsin_outcome_kind"),
    "source": ("source", "tocsin_outcome_source"),
    "minutes": ("minutes", "tocsin_outcome_minutes"),
    "observed_at": ("observed_at", "labelled_at", "labeled_at", "reviewed_at", "timestamp", "date", "time"),
    "outcome_id": ("outcome_id",),
    "author": ("author", "reviewer", "annotator", "tocsin_outcome_author"),
    "comment": ("comment", "comments", "note", "notes", "tocsin_outcome_comment"),
}
FIELDS: Final = tuple(_NAMES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Where each field of an outcome stands."""

    of: Mapping[str, int]  # field to place
    names: Sequence[str]  # of all columns

    @property
    def used(self) -> dict[str, str]:
        """Name the column of each field."""
        return {field: self.names[at] for field, at in self.of.items()}

    @property
    def unused(self) -> list[str]:
        """Name the columns that say nothing we know."""
        return [name for at, name in enumerate(self.names) if at not in self.of.values()]


def match(names: Sequence[str], said: Mapping[str, str]) -> Columns:
    """Find the columns of a file.

    Args:
        names: Its columns, in order.
        said: Field to column, where somebody said so.

    Raises:
        UsageProblem: no column names a call, or none says what turned out; or what was said does not fit.
    """
    places = {name: at for at, name in reversed(list(enumerate(names)))}
    plain = {_plain(name): at for name, at in places.items()}
    found: dict[str, int] = {}
    for field, column in said.items():
        if field not in _NAMES:
            raise UsageProblem(f"expected --map FIELD=COLUMN with a field of {', '.join(_NAMES)}, got {field!r}")
        if column not in places:
            raise UsageProblem(f"expected a column {column!r} for {field}, but the file has {_listed(names)}")
        found[field] = places[column]
    taken = set(found.values())
    for field, known in _NAMES.items():
        if field not in found:
            at = next((plain[name] for name in known if name in plain and plain[name] not in taken), None)
            if at is not None:
                found[field] = at
                taken.add(at)
    _require(found, REFERENCES, "which call it is about", names)
    _require(found, TRUTHS, "what turned out to be true", names)
    return Columns(of=found, names=tuple(names))


def _require(found: Mapping[str, int], fields: Sequence[str], what: str, names: Sequence[str]) -> None:
    if not any(field in found for field in fields):
        raise UsageProblem(
            f"expected a column that says {what} ({', '.join(fields)}), but the file has {_listed(names)}: "
            f"say which it is with --map {fields[0]}=COLUMN"
        )


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:20])
    return f"{shown} and {len(names) - 20} more" if len(names) > 20 else shown or "no columns"


def _plain(name: str) -> str:
    return re.sub(r"[\s.\-]+", "_", name.strip().lower())
