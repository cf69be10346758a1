"""Make text that came from models and users harmless: one line, no control characters, no mentions."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, Final, TypeVar

_RecordT = TypeVar("_RecordT")

# Terminal escapes (CSI, OSC, and the two-character ones), whole, so that no "[31m" is left behind.
_ESCAPES: Final = re.compile(r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|[\x1b\x9b]\[?[0-?]*[ -/]*[@-~]?")
# Cc control, Cf format (bidi overrides, zero width), Cs lone surrogates, Co private, Zl/Zp line separators.
_UNPRINTABLE: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_MENTION: Final = re.compile(r"(?<![\w.+-])@(?=\w)|<(?=[!@#a-zA-Z])")
_COMBINING_LIMIT: Final = 3  # marks stacked on one letter reach over the lines around it
_CHARS: Final = 500


def one_line(text: str, *, limit: int = _CHARS) -> str:
    """Return text as one printable line of at most `limit` characters, cut with an ellipsis."""
    kept: list[str] = []
    marks = 0
    for char in _ESCAPES.sub("", text[: 4 * limit]):
        category = unicodedata.category(char)
        marks = marks + 1 if category in {"Mn", "Me"} else 0
        if category in _UNPRINTABLE:
            if char.isspace():
                kept.append(" ")
        elif marks <= _COMBINING_LIMIT:
            kept.append(char)
    line = " ".join("".join(kept).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def without_mentions(text: str) -> str:
    """Break ``@channel``, ``<!here>`` and ``<http://…|…>`` with a zero-width space, so that no chat acts on them."""
    return _MENTION.sub(lambda found: found.group() + "\u200b", text)


def harmless(record: _RecordT, *, chat: bool = False) -> _RecordT:
    """Return a copy of a record, and all records in it, whose every text is one printable line.

    Args:
        record: A dataclass instance, a mapping, a tuple or list of such, or a plain value.
        chat: Break mentions too.
    """
    return _cleaned(record, chat)  # type: ignore[no-any-return]


def _cleaned(value: Any, chat: bool) -> Any:
    match value:
        case str():
            line = one_line(value)
            return without_mentions(line) if chat else line
        case Mapping():
            return {_cleaned(key, chat): _cleaned(item, chat) for key, item in value.items()}
        case list() | tuple():
            return tuple(_cleaned(item, chat) for item in value)
        case _ if is_dataclass(value) and not isinstance(value, type):
            return replace(value, **{f.name: _cleaned(getattr(value, f.name), chat) for f in fields(value)})
        case _:
            return value
