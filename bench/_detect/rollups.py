"""What the views would make of simulated calls, counted in NumPy: cells of the histogram, calls by hour, outcomes. Pure."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from _detect.world import CUSTOMERS, DEVICES, LABELS, LANGUAGES, Floats, Ints, Rows

KINDS: Final = ("number", "category", "null", "confidence", "output")
FIELDS: Final = ("", "ink", "length", "amount", "device", "language", "customer", "note")
VOCABULARY: Final = ("", *DEVICES, *LANGUAGES, *LABELS, *(f"customer-{number}" for number in range(4 * CUSTOMERS)))

CELL: Final = np.dtype(
    [
        ("stream", "<u2"),
        ("kind", "u1"),
        ("field", "u1"),
        ("second", "<u4"),
        ("bin", "<i2"),
        ("word", "<u2"),
        ("n", "<i8"),
    ]
)
HOUR: Final = np.dtype([("stream", "<u2"), ("second", "<u4"), ("calls", "<i8")])
OUTCOME: Final = np.dtype(
    [
        ("stream", "<u2"),
        ("call", "<u4"),
        ("second", "<u4"),
        ("observed", "<u4"),
        ("confidence", "<f8"),
        ("weight", "<f8"),
        ("kind", "u1"),
        ("correct", "u1"),
    ]
)

START_S: Final = 1_736_121_600  # Monday, 6 January 2025, 00:00 UTC: second 0 of every stream
_DAY: Final = 86_400
_NOON: Final = 43_200


def bin_of(x: Floats) -> Ints:
    """Give ``tocsin_bin_v1`` of positive numbers."""
    return (2000 + np.floor(np.log(np.minimum(np.abs(x), 1e12)) / np.log(1.02))).astype(np.int64)


def doubt_bin_of(confidence: Floats) -> Ints:
    """Give ``tocsin_doubt_bin_v1``."""
    doubt = 1 - confidence
    known = 2000 + np.floor(np.log(np.clip(doubt, 1e-300, 1)) / np.log(1.02))
    return np.where(doubt < 1e-6, 0, known).astype(np.int64)


def cells(rows: Rows, stream: int, *, hourly: bool = False) -> NDArray[np.void]:
    """Count the histogram's cells.

    Args:
        rows: Calls.
        stream: Its number.
        hourly: As the view has it. Else what only daily evaluators read lies at noon of its day: a day's numbers,
            confidence, labels and customers are one hour's cells.
    """
    hour = rows.second // 3600 * 3600
    wide = hour if hourly else rows.second // _DAY * _DAY + _NOON
    there = ~rows.is_null
    words = {word: index for index, word in enumerate(VOCABULARY)}
    counted = [
        _count(stream, "number", "ink", wide[there], bin_of(rows.ink[there])),
        _count(stream, "number", "length", wide, bin_of(rows.length)),
        _count(stream, "number", "amount", wide, bin_of(rows.amount)),
        _count(stream, "category", "device", hour, words[DEVICES[0]] + rows.device),
        _count(stream, "category", "language", hour, words[LANGUAGES[0]] + rows.language),
        _count(stream, "category", "customer", wide, words["customer-0"] + rows.customer),
        _count(stream, "null", "ink", hour[rows.is_null], np.zeros(rows.is_null.sum(), dtype=np.int64)),
        _count(stream, "null", "note", hour[rows.has_no_note], np.zeros(rows.has_no_note.sum(), dtype=np.int64)),
        _count(stream, "confidence", "", wide, doubt_bin_of(rows.confidence)),
        _count(stream, "output", "", wide, words[LABELS[0]] + rows.label),
    ]
    return np.concatenate(counted)


def _count(stream: int, kind: str, field: str, second: Ints, value: Ints) -> NDArray[np.void]:
    keys, counts = np.unique(second * 65_536 + value, return_counts=True)
    made = np.zeros(len(keys), dtype=CELL)
    made["stream"], made["kind"], made["field"] = stream, KINDS.index(kind), FIELDS.index(field)
    made["second"], made["n"] = START_S + keys // 65_536, counts
    made["word" if kind in ("category", "output") else "bin"] = keys % 65_536
    return made


def hours(rows: Rows, stream: int) -> NDArray[np.void]:
    """Count calls by hour."""
    at, counts = np.unique(rows.second // 3600 * 3600, return_counts=True)
    made = np.zeros(len(at), dtype=HOUR)
    made["stream"], made["second"], made["calls"] = stream, START_S + at, counts
    return made


def outcomes(
    rows: Rows,
    stream: int,
    picked: Ints,
    *,
    kind: int,
    delay_s: Ints | int,
    correct: NDArray[np.bool_],
    weight: Floats | float,
) -> NDArray[np.void]:
    """Write the outcomes of some calls.

    Args:
        rows: Calls.
        stream: Its number.
        picked: Which of them.
        kind: Index into the kinds of outcomes.
        delay_s: How much later each is known.
        correct: What each outcome says.
        weight: One over the chance with which each was picked.
    """
    made = np.zeros(len(picked), dtype=OUTCOME)
    made["stream"], made["call"], made["kind"] = stream, rows.first + picked, kind
    made["second"] = START_S + rows.second[picked]
    made["observed"] = made["second"] + delay_s
    made["confidence"], made["weight"], made["correct"] = rows.confidence[picked], weight, correct
    return made


def joined(parts: Sequence[NDArray[np.void]], dtype: "np.dtype[np.void]") -> bytes:
    """Give rows as ClickHouse's RowBinary: fixed sizes without padding are just that."""
    return np.concatenate([np.zeros(0, dtype=dtype), *parts]).tobytes()
