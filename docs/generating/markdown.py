"""Pages, tables and texts as MyST reads them: no HTML, and nothing in them that was not meant as markup."""

import re
from collections.abc import Iterable, Sequence
from typing import Final

_CODE: Final = re.compile(r"(`+[^`]+`+)")
_MARKUP: Final = re.compile(r"([\\*<>\[\]$|#{}~])")
_GENERATED: Final = "This page is generated from the product by `docs/generate.py`: what is wrong here is mended there."


def page(title: str, what: str, *parts: str) -> str:
    """Put a page together.

    Args:
        title: Its heading.
        what: One sentence that says what it is.
        parts: Its sections.
    """
    return "\n\n".join([f"# {title}", f"{what} {_GENERATED}", *(part for part in parts if part)]) + "\n"


def prose(text: str) -> str:
    """Give a text of the product as Markdown: what stands between backticks is code, nothing else is markup."""
    parts = _CODE.split(" ".join(text.split()))
    return "".join(part if at % 2 else _MARKUP.sub(r"\\\1", part) for at, part in enumerate(parts))


def code(text: object) -> str:
    """Give a text as code; nothing stays nothing."""
    said = " ".join(str(text).split())
    if not said:
        return ""
    return f"`` {said} ``" if "`" in said else f"`{said}`"


def codes(texts: Iterable[object]) -> str:
    """List texts as code."""
    return ", ".join(code(text) for text in texts)


def alternatives(texts: Iterable[object]) -> str:
    """List texts of which one holds, as code."""
    *others, last = [code(text) for text in texts]
    return f"{', '.join(others)} or {last}" if others else last


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Write a table; a column in which no row says anything is left out."""
    listed = [tuple(row) for row in rows]
    kept = [at for at in range(len(headings)) if at == 0 or any(row[at] for row in listed)]
    lines = [
        [headings[at] for at in kept],
        ["---"] * len(kept),
        *([_cell(row[at]) for at in kept] for row in listed),
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(text: str) -> str:
    return re.sub(r"(?<!\\)\|", r"\\|", text).replace("\n", " ")
