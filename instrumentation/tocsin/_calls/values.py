"""Whatever a host hands us, as something an attribute can hold. Pure; may raise, its callers swallow."""

import math
import reprlib
from collections.abc import Mapping, Sequence
from datetime import date
from enum import Enum
from itertools import islice
from typing import Any, Final, TypeAlias

Scalar: TypeAlias = str | bool | int | float
Flags: TypeAlias = dict[str, None]  # an ordered set: what was cut, clamped or refused

TEXT_LIMIT: Final = 65_536  # bytes of UTF-8
NAME_LIMIT: Final = 128  # characters of a field, class or segment name
FIELD_LIMIT: Final = 128  # input fields of one call
_FLAG_LIMIT: Final = 32  # flags of one call
_LARGEST_INT: Final = 2**63 - 1  # protobuf's int64

_BRIEF: Final = reprlib.Repr()  # bounded however large the container: str() of ten million items takes seconds
_BRIEF.maxstring = _BRIEF.maxother = 1_000
_BRIEF.maxlist = _BRIEF.maxtuple = _BRIEF.maxdict = _BRIEF.maxset = _BRIEF.maxfrozenset = 50


# Types whose values never change and cost nothing to keep: they may wait for the exporting thread as they are.
UNCHANGING: Final = frozenset({str, bool, int, float, type(None)})


def add_flag(flags: Flags, flag: str) -> None:
    """Keep a flag, unless this call has too many already; commas separate flags, so none may hold one."""
    if len(flags) < _FLAG_LIMIT:
        flags[flag.replace(",", ";")[: 2 * NAME_LIMIT]] = None


def text(value: str, flags: Flags, what: str) -> str:
    """Cut text to its limit, and make it UTF-8 that protobuf accepts (a lone surrogate is not)."""
    if len(value) <= TEXT_LIMIT and value.isascii():
        return str(value)
    cut = value[:TEXT_LIMIT]
    body = cut.encode("utf-8", "replace")
    if len(body) > TEXT_LIMIT or len(cut) < len(value):
        add_flag(flags, f"truncated:{what}")
    return body[:TEXT_LIMIT].decode("utf-8", "ignore")


def name(value: Any, flags: Flags) -> str:
    """Turn a column or class name into one of at most 128 characters."""
    words = value if isinstance(value, str) else label_text(value)
    if len(words) > NAME_LIMIT:
        add_flag(flags, "name_truncated")
        words = words[:NAME_LIMIT]
    return words if words.isascii() else words.encode("utf-8", "replace").decode("utf-8")


def scalar(value: Any, flags: Flags, what: str) -> Scalar | None:
    """Coerce one value: numbers stay numbers, NumPy scalars are unwrapped, and None means that it held nothing.

    None, NaN, NaT, infinities and integers beyond every float are nothing; the last two are flagged.
    """
    kind = type(value)
    if kind is float:
        return _number(value, flags, what)
    if kind is str:
        return text(value, flags, what)
    if kind is bool:
        return bool(value)
    if kind is int:
        return _integer(value, flags, what)
    return _other(value, flags, what)


def label_text(value: Any) -> str:
    """Write a class the same way wherever it comes from: 3, 3.0 and ``numpy.int64(3)`` are all "3"."""
    value = _unwrap(value)
    if isinstance(value, Enum):
        value = value.value
    if not isinstance(value, (str, bytes, int)) and _is_number(value):
        value = float(value)
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    if isinstance(value, str):
        return str(value)
    if isinstance(value, bytes):
        return value[:TEXT_LIMIT].decode("utf-8", "replace")
    if isinstance(value, (bool, int, float)):
        return str(value)
    return _brief(value)


def words(value: Any) -> str | None:
    """Read a name that a host gave: None and "" name nothing, and what is no text is described."""
    if value is None:
        return None
    written = value if isinstance(value, str) else label_text(value)
    return text(written[: 2 * NAME_LIMIT], {}, "") or None


def chances(probabilities: Mapping[Any, Any], flags: Flags) -> dict[Any, float]:
    """Read the probabilities of so many classes; those that are no numbers are left out and flagged."""
    known = {
        name(label, flags): number
        for label, probability in islice(probabilities.items(), FIELD_LIMIT)
        if (number := finite(probability)) is not None
    }
    if len(probabilities) > len(known):
        add_flag(flags, f"probabilities_dropped:{len(probabilities) - len(known)}")
    return known


def finite(value: Any) -> float | None:
    """Read a number, or None when it is missing, NaN, infinite or too large."""
    if value is None:
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _number(value: float, flags: Flags, what: str) -> float | None:
    if math.isfinite(value):
        return float(value)
    if not math.isnan(value):
        add_flag(flags, f"not_finite:{what}")
    return None


def _integer(value: int, flags: Flags, what: str) -> int | float | None:
    if -_LARGEST_INT <= value <= _LARGEST_INT:
        return int(value)
    return _convert(value, flags, what)


def _convert(value: Any, flags: Flags, what: str) -> float | None:
    try:
        number = float(value)
    except (OverflowError, ValueError):  # beyond every float, or a signaling NaN
        add_flag(flags, f"not_finite:{what}")
        return None
    return _number(number, flags, what)


def _is_number(value: Any) -> bool:
    """Tell Decimal, Fraction and tensors of one number from arrays, without importing any of them."""
    return hasattr(type(value), "__float__") and not getattr(value, "ndim", 0)


def _other(value: Any, flags: Flags, what: str) -> Scalar | None:  # noqa: PLR0911 - one line per kind
    value = _unwrap(value)
    if isinstance(value, Enum):
        value = value.value
    if value is None or type(value).__name__ in {"NAType", "NaTType"}:
        return None
    if isinstance(value, bool):
        return bool(value)
    if isinstance(value, int):
        return _integer(int(value), flags, what)
    if isinstance(value, str):
        return text(str(value), flags, what)
    if _is_number(value):
        return _convert(value, flags, what)
    if isinstance(value, date):
        return value.isoformat()
    add_flag(flags, f"described:{what}")
    return text(_brief(value), flags, what)


def _unwrap(value: Any) -> Any:
    """Take a NumPy scalar, or an array of one, out of its wrapping, without importing NumPy."""
    kind = type(value)
    if kind.__module__ == "numpy" and getattr(value, "size", 0) == 1:
        return value.item()
    return value


def _brief(value: Any) -> str:
    if isinstance(value, (bytes, bytearray, memoryview)):
        return f"{type(value).__name__} of {len(value)}"
    if isinstance(value, (Mapping, Sequence, set, frozenset)):
        return _BRIEF.repr(value)
    return repr(value)[:TEXT_LIMIT]
