"""A statement as it came, without comments, its closing semicolons and its FORMAT clause.

What is left is both judged and run, so a misreading here can change what a query says, never what it may do.
"""

import re
from dataclasses import dataclass
from typing import Final

from tocsin_console.clickhouse_http.exceptions import SYNTAX_ERROR, QueryFailed

# Quoted text is kept, comments become a space: the engine's own lexer (-- , # , #!, /* */, heredocs of $tag$).
_TOKENS: Final = re.compile(
    r"""(?P<keep>'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*"|`(?:[^`\\]|\\.|``)*`|(?P<tag>\$\w*\$).*?(?P=tag))"""
    r"""|(?P<drop>--[^\n]*|\#[ !][^\n]*|/\*.*?\*/)""",
    re.DOTALL,
)
_FORMAT: Final = re.compile(r"\bFORMAT\s+([A-Za-z]\w*)\s*$", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One statement, and the format that it asks for itself."""

    text: str
    format: str | None


def parse(sql: str) -> Statement:
    """Split a statement from its FORMAT clause.

    Raises:
        QueryFailed: there is none, or there are several.
    """
    text = _TOKENS.sub(lambda found: found.group("keep") or " ", sql).strip()
    while text.endswith(";"):
        text = text[:-1].rstrip()
    if not text:
        raise QueryFailed(SYNTAX_ERROR, "Empty query: expected a statement in ?query= or in the body")
    match = _FORMAT.search(text)
    if match is None:
        return Statement(text=text, format=None)
    return Statement(text=text[: match.start()].rstrip(), format=match.group(1))
