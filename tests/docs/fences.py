"""The blocks of a page that another test runs, by language and as commands."""

from tests.docs.pages import DOCS, shown

__all__ = ["DOCS", "commands", "fences"]


def fences(page: str, language: str, *, tested_by: str) -> list[str]:
    """Give the text of each block of a language that the page says this test runs.

    Args:
        page: Below docs/, such as ``fits/grafana.md``.
        language: As behind the fence.
        tested_by: The test's `__file__`.
    """
    return [block.text for block in shown(page, tested_by=tested_by) if block.language == language]


def commands(page: str, *, tested_by: str) -> list[list[str]]:
    """Give the words of each line of the page's bash blocks that this test runs."""
    blocks = fences(page, "bash", tested_by=tested_by)
    lines = "".join(blocks).replace("\\\n", " ").splitlines()
    return [line.split() for line in lines if line and not line.startswith("#")]
