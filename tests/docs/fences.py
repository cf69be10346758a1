"""The blocks of a page that another test runs, read from the page, so that what is tested is what is shown."""

from pathlib import Path
from typing import Final

from markdown_it import MarkdownIt

DOCS: Final = Path(__file__).resolve().parents[2] / "docs"


def fences(page: str, language: str, *, tested_by: str) -> list[str]:
    """Give the text of each block of a language that the page says this test runs.

    Args:
        page: Below docs/, such as ``fits/grafana.md``.
        language: As behind the fence.
        tested_by: The test's `__file__`.
    """
    mark = f"<!-- tested by: {Path(tested_by).resolve().relative_to(DOCS.parent)} -->"
    found, marked = [], False
    for token in MarkdownIt().enable("table").parse((DOCS / page).read_text(encoding="utf-8")):
        if token.type == "html_block":
            marked = mark in token.content
        elif token.type == "fence":
            if marked and token.info.strip() == language:
                found.append(token.content)
            marked = False
    return found


def commands(page: str, *, tested_by: str) -> list[list[str]]:
    """Give the words of each line of the page's bash blocks that this test runs."""
    blocks = fences(page, "bash", tested_by=tested_by)
    lines = "".join(blocks).replace("\\\n", " ").splitlines()
    return [line.split() for line in lines if line and not line.startswith("#")]
