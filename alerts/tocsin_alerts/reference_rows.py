"""Training or test rows as the histograms of a day-one reference: the same bins that calls are counted in."""

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from tocsin_alerts.calibrating import MIN_LABELS

_MOST_BYTES: Final = 64  # of a category, as calls are counted
_LOG: Final = math.log(1.02)
_MOST_PROBLEMS: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingRow:
    """One row, read."""

    inputs: Mapping[str, Any]  # by field; None: missing
    confidence: float | None
    is_right: bool | None  # None: no label, or no answer to hold it against
    output: str = ""


@dataclass(slots=True)
class RowCounts:
    """What some rows come to."""

    rows: int = 0
    problems: list[str] = field(default_factory=list)  # the first few
    refused: int = 0
    cells: Counter[tuple[str, str, int, str]] = field(default_factory=Counter)  # kind, field, bin, category
    labelled: Counter[tuple[int, bool]] = field(default_factory=Counter)  # doubt bin (-1: no confidence) and verdict

    def add(self, row: TrainingRow) -> None:
        """Count one row."""
        self.rows += 1
        for name, value in row.inputs.items():
            self.cells[_cell(name, value)] += 1
        if row.confidence is not None:
            self.cells["confidence", "", doubt_bin(row.confidence), ""] += 1
        if row.output:
            self.cells["output", "", 0, _category(row.output)] += 1
        if row.is_right is not None:
            self.labelled[-1 if row.confidence is None else doubt_bin(row.confidence), row.is_right] += 1

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "RowCounts":
        """Read what :meth:`document` wrote.

        Raises:
            KeyError, TypeError, ValueError: something is missing or of another kind.
        """
        made = cls(rows=int(document["rows"]), refused=int(document["refused"]))
        for kind, name, at, text, n in document["cells"]:
            made.cells[str(kind), str(name), int(at), str(text)] += int(n)
        for at, is_right, n in document["labelled"]:
            made.labelled[int(at), bool(is_right)] += int(n)
        return made

    def document(self) -> dict[str, Any]:
        """Write the counts, which is all that leaves the file."""
        return {
            "rows": self.rows,
            "refused": self.refused,
            "cells": [[*cell, n] for cell, n in sorted(self.cells.items())],
            "labelled": [[*cell, n] for cell, n in sorted(self.labelled.items())],
        }

    def refuse(self, problem: str) -> None:
        """Count a row that cannot be read."""
        self.refused += 1
        if len(self.problems) < _MOST_PROBLEMS:
            self.problems.append(problem)

    def reference_cells(self) -> list[dict[str, Any]]:
        """Give the cells as ``reference_windows`` has them."""
        return [
            {"kind": kind, "field": name, "segment_name": "", "segment_value": "", "bin": at, "category": text, "n": n}
            for (kind, name, at, text), n in sorted(self.cells.items())
        ]

    def label_cells(self) -> list[tuple[int, int, int]]:
        """Give bin, labels and right ones, by ascending bin; -1 is of rows without confidence."""
        bins = sorted({at for at, _ in self.labelled})
        return [(at, self.labelled[at, True] + self.labelled[at, False], self.labelled[at, True]) for at in bins]

    def confidence_cells(self) -> list[tuple[int, int]]:
        """Give doubt bin and rows, by ascending bin."""
        return sorted((at, n) for (kind, _, at, _), n in self.cells.items() if kind == "confidence")

    @property
    def labels(self) -> int:
        """How many rows say whether their answer was right."""
        return self.labelled.total()

    @property
    def calibrates(self) -> bool:
        """Whether there are enough labels for a calibration."""
        return self.labels >= MIN_LABELS


def number_bin(value: float) -> int:
    """Give the 2 % log bin of a number, as ``tocsin_bin_v1`` does."""
    if abs(value) < 1e-12:
        return 0
    return int(math.copysign(1, value) * (2000 + math.floor(math.log(min(abs(value), 1e12)) / _LOG)))


def doubt_bin(confidence: float) -> int:
    """Give the bin of a confidence over its doubt, as ``tocsin_doubt_bin_v1`` does."""
    doubt = 1 - confidence
    return 0 if doubt < 1e-6 else 2000 + math.floor(math.log(min(doubt, 1)) / _LOG)


def _cell(name: str, value: Any) -> tuple[str, str, int, str]:
    if value is None:
        return ("null", name, 0, "")
    if isinstance(value, int | float) and not isinstance(value, bool):
        return ("number", name, number_bin(float(value)), "")
    return ("category", name, 0, _category(str(value).lower() if isinstance(value, bool) else str(value)))


def _category(text: str) -> str:
    return text if len(text.encode()) <= _MOST_BYTES else "(long)"
