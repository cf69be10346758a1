"""A host's pattern is tried before it is let near content: Python's engine goes back over what RE2 reads once.

From the pattern's own tree, texts are made that make it go back the most. They grow until the pattern proves quick on
long ones, or slow on a short one; a pattern that explodes is caught while a try still takes milliseconds.
"""

import re
import time
from collections.abc import Iterator
from typing import Any, Final

from tocsin_wire.redaction import Redaction

_SIZES: Final = (4, 8, 12, 14, 16, 18, 20, 22, 24, 28, 32, 64, 128, 256, 512, 1_024, 2_048)
_TOO_LONG_NS: Final = 20_000_000  # of CPU, for at most two thousand repetitions
_TEXTS: Final = 48  # probes of one pattern
_STOP: Final = "\x00"  # what no pattern wants next


def require_quick(rule: Redaction) -> None:
    """Refuse a rule whose pattern takes long over a text made for it.

    Raises:
        ValueError: say it so that its repetitions exclude each other, as ``[a-z]+(-[a-z]+)*`` does.
    """
    pattern = re.compile(rule.pattern.replace(r"\z", r"\Z"), re.ASCII)
    for before, again in _probes(pattern.pattern):
        for size in _SIZES:
            text = before + again * size + _STOP
            began = time.thread_time_ns()
            pattern.search(text)
            if time.thread_time_ns() - began > _TOO_LONG_NS:
                raise ValueError(
                    f"expected the pattern of {rule.name} to read {len(text)} characters at once, but it goes back over "
                    f"them: make its repetitions exclude each other, got {rule.pattern}"
                )


def _probes(pattern: str) -> Iterator[tuple[str, str]]:
    from re import _parser  # type: ignore[attr-defined]  # the engine's own reading of it

    made: dict[tuple[str, str], None] = {}
    _walk(list(_parser.parse(pattern, re.ASCII)), "", made)
    for again in ("a", "A", "0", " ", "-", ".", "a0", "a ", "0 ", "a.", "0-"):
        made[("", again)] = None
    yield from list(made)[:_TEXTS]


def _walk(tree: list[Any], before: str, made: dict[tuple[str, str], None]) -> str:
    """Write a text that the tree matches, noting on the way what stands before each repetition and what it repeats."""
    written = ""
    for code, value in tree:
        name = str(code)
        if name in {"MAX_REPEAT", "MIN_REPEAT"}:
            least, most, body = value
            inner = _walk(list(body), before + written, made)
            if int(most) > 4 and inner:
                made[(before + written, inner)] = None
                made[(before + written, inner[:1])] = None
            written += inner * max(int(least), 1)
        elif name == "SUBPATTERN":
            written += _walk(list(value[-1]), before + written, made)
        elif name == "BRANCH":
            ways = [_walk(list(way), before + written, made) for way in value[1]]
            if len(ways) > 1 and all(ways):
                made[(before + written, "".join(ways))] = None
            written += ways[0] if ways else ""
        elif name == "IN":
            written += _one_of(value)
        elif name == "LITERAL":
            written += chr(value)
        elif name in {"ANY", "NOT_LITERAL"}:
            written += "a"
    return written


def _one_of(members: list[Any]) -> str:
    for code, value in members:
        match str(code):
            case "LITERAL":
                return chr(value)
            case "RANGE":
                return chr(value[0])
            case "CATEGORY":
                return {"CATEGORY_DIGIT": "0", "CATEGORY_SPACE": " "}.get(str(value), "a")
            case _:
                continue
    return "a"
