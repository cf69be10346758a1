"""Our own pages in Markdown as HTML. Never what others wrote."""

import re
from collections.abc import Sequence
from functools import cache
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

from tocsin_alerts.runbook import shipped_runbooks
from tocsin_console.web.links import runbook_link

_TITLE: Final = re.compile(r"\A\s*# (.+)\n")


def titled(markdown: str) -> tuple[str, str]:
    """Split a page into its title and what follows."""
    found = _TITLE.match(markdown)
    return (found[1].strip(), markdown[found.end() :]) if found else ("", markdown)


@cache
def as_html(markdown: str) -> Markup:
    """Write one of our runbooks as HTML: what follows its title. Links lead to other runbooks; what only the documents have is not linked."""
    read = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = read.parse(titled(markdown)[1])
    for token in tokens:
        if token.type == "inline":
            token.children = _led(token.children or [])
    # The files are ours, their HTML is escaped, and what leads elsewhere is gone.
    return Markup(read.renderer.render(tokens, read.options, {}))  # noqa: S704


def _led(tokens: Sequence[Token]) -> list[Token]:
    """Lead links to runbooks to their pages, and leave out the others."""
    kept, is_open = [], False
    for token in tokens:
        if token.type == "link_open":
            name = str(token.attrGet("href") or "").removesuffix(".md")
            is_open = name in shipped_runbooks()
            token.attrSet("href", runbook_link(name))
        if token.type not in ("link_open", "link_close") or is_open:
            kept.append(token)
    return kept
