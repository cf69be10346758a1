"""Make text that came from models and users harmless: one line, no control characters, no mentions, no links."""

import functools
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Annotated, Any, Final, TypeAlias, TypeVar, get_args, get_type_hints

_RecordT = TypeVar("_RecordT")
_MARK: Final = "untrusted"
BREAK: Final = "\u200b"  # a zero-width space: what it stands in is no mention and no link
Untrusted: TypeAlias = Annotated[str, _MARK]  # what a model, a caller or an upload said: shown, never acted on

# Terminal escapes (CSI, OSC, and the two-character ones), whole, so that no "[31m" is left behind.
_ESCAPES: Final = re.compile(r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|[\x1b\x9b]\[?[0-?]*[ -/]*[@-~]?")
# Cc control, Cf format (bidi overrides, zero width), Cs lone surrogates, Co private, Zl/Zp line separators.
_UNPRINTABLE: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_MENTION: Final = re.compile(r"(?<![\w.+-])@(?=\w)|<(?=[!@#a-zA-Z])")
# What mail programs, pagers and chats make links of by themselves, in plain text too: schemes, addresses, names of hosts;
# and the joint of a Markdown link.
_LINKING: Final = re.compile(
    r"(?<=\w)\.(?=[^\W\d_]{2})|(?<=\w):(?=/)|\b(?:mailto|tel|sms|javascript|vbscript|data|callto|slack|msteams):|@(?=\w)|\](?=[(\[])",
    re.IGNORECASE,
)
_COMBINING_LIMIT: Final = 3  # marks stacked on one letter reach over the lines around it
_CHARS: Final = 500


def one_line(text: str, *, limit: int = _CHARS, keep: str = "") -> str:
    """Return text as one printable line of at most `limit` characters, cut with an ellipsis.

    Args:
        text: Anything.
        limit: At most so long.
        keep: Characters that are kept although they do not print: :data:`BREAK`, in what is harmless already.
    """
    kept: list[str] = []
    marks = 0
    for char in _ESCAPES.sub("", text[: 4 * limit]):
        category = unicodedata.category(char)
        marks = marks + 1 if category in {"Mn", "Me"} else 0
        if category in _UNPRINTABLE and char not in keep:
            if char.isspace():
                kept.append(" ")
        elif marks <= _COMBINING_LIMIT:
            kept.append(char)
    line = " ".join("".join(kept).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def without_mentions(text: str) -> str:
    """Break ``@channel``, ``<!here>`` and ``<http://…|…>`` with a zero-width space, so that no chat acts on them."""
    return _MENTION.sub(lambda found: found.group() + BREAK, text)


def without_links(text: str) -> str:
    """Break ``https://``, ``www.x.io``, ``a@b.io`` and ``[a](b)`` with a zero-width space, so that nothing links them."""
    return _LINKING.sub(lambda found: found.group() + BREAK, text)


def harmless(record: _RecordT, *, chat: bool = False, exact: bool = False) -> _RecordT:
    """Return a copy of a record, and all records in it, whose every text is one printable line.

    Args:
        record: A dataclass instance, a mapping, a tuple or list of such, or a plain value. Of a dataclass, the fields
            that are :data:`Untrusted` lose their links too.
        chat: Break mentions everywhere.
        exact: Break nothing: for programs, which compare names.
    """
    return _cleaned(record, chat=chat and not exact, exact=exact, is_trusted=True)  # type: ignore[no-any-return]


def _cleaned(value: Any, *, chat: bool, exact: bool, is_trusted: bool) -> Any:
    def inner(item: Any, *, is_trusted: bool = is_trusted) -> Any:
        return _cleaned(item, chat=chat, exact=exact, is_trusted=is_trusted)

    match value:
        case str():
            line = one_line(value)
            line = line if is_trusted or exact else without_links(line)
            return without_mentions(line) if chat else line
        case Mapping():
            return {inner(key): inner(item) for key, item in value.items()}
        case list() | tuple():
            return tuple(inner(item) for item in value)
        case _ if is_dataclass(value) and not isinstance(value, type):
            untrusted = _untrusted(type(value))
            cleaned = {f.name: inner(getattr(value, f.name), is_trusted=f.name not in untrusted) for f in fields(value)}
            return replace(value, **cleaned)
        case _:
            return value


@functools.cache
def _untrusted(kind: type) -> frozenset[str]:
    """List the fields of a record that hold what others said."""
    return frozenset(name for name, hint in get_type_hints(kind, include_extras=True).items() if _is_marked(hint))


def _is_marked(hint: Any) -> bool:
    return _MARK in getattr(hint, "__metadata__", ()) or any(_is_marked(each) for each in get_args(hint))
