"""Runbooks: the first steps of one that lies beside the plan, and those that are shipped, one for each shipped rule.

Of a plan's only files of its own folder are read, never an address.
"""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Final

# In a wheel the shipped ones lie beside this module, in a checkout they are pages of the documents.
_PLACES: Final = (Path(__file__).parent / "runbooks", Path(__file__).parents[2] / "docs" / "operations" / "runbooks")
_COMMENT: Final = re.compile(r"<!--.*?-->\n?", re.DOTALL)
USE_CASE: Final = "USE_CASE"  # as a shipped runbook writes the one that an alert is about

_BYTES: Final = 256 * 1024
_KINDS: Final = frozenset({".md", ".markdown", ".txt"})
_NUMBERED: Final = re.compile(r"^ {0,3}\d{1,3}[.)]\s+(?P<step>.+)$")
_BULLET: Final = re.compile(r"^ {0,3}[-*+]\s+(?:\[[ xX]\]\s+)?(?P<step>.+)$")
_HEADING: Final = re.compile(r"^#{1,6}\s+(?P<title>.+?)\s*#*$")


def first_steps(link: str, folder: Path, *, most: int = 3) -> tuple[str, ...]:
    """Read the first steps of the runbook that a plan links.

    Args:
        link: As in the plan: ``runbooks/digits.md`` or ``runbooks/digits.md#accuracy``, from there on.
        folder: The plan's own.
        most: So many steps.

    Returns:
        The first items of its first numbered list, else of its first list; none when it is no file below the folder.
    """
    name, _, section = link.partition("#")
    path = (folder / name).resolve()
    if path.suffix.lower() not in _KINDS or not path.is_relative_to(folder.resolve()) or "://" in link:
        return ()
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            lines = file.read(_BYTES).splitlines()
    except OSError:
        return ()
    return _steps(_after(lines, section), most)


@cache
def shipped_runbooks() -> Mapping[str, str]:
    """Give the shipped runbooks in Markdown, by the name of their rule; none where an installation has lost them."""
    for place in _PLACES:
        files = sorted(file for file in place.glob("*.md") if file.stem != "index")
        if files:
            texts = {file.stem: _COMMENT.sub("", file.read_text(encoding="utf-8")) for file in files}
            return MappingProxyType(texts)
    return MappingProxyType({})


def shipped_steps(rule: str, use_case: str, *, most: int = 3) -> tuple[str, ...]:
    """Give the first steps of a rule's shipped runbook as plain text.

    Args:
        rule: Its name.
        use_case: As commands write it; stands where the runbook says ``USE_CASE``.
        most: So many steps.
    """
    steps = _steps(shipped_runbooks().get(rule, "").splitlines(), most)
    return tuple(step.replace("`", "").replace(USE_CASE, use_case) for step in steps)


def _steps(lines: list[str], most: int) -> tuple[str, ...]:
    return tuple((_list(lines, _NUMBERED) or _list(lines, _BULLET))[:most])


def _after(lines: list[str], section: str) -> list[str]:
    for number, line in enumerate(lines):
        found = _HEADING.match(line)
        if section and found and _slug(found["title"]) == section.lower():
            return lines[number + 1 :]
    return lines


def _slug(title: str) -> str:
    return re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-")


def _list(lines: list[str], item: re.Pattern[str]) -> list[str]:
    """Give the items of the first list of a kind; lines indented below an item belong to it."""
    steps: list[str] = []
    for line in lines:
        if found := item.match(line):
            steps.append(found["step"].strip())
        elif steps and (_HEADING.match(line) or (line.strip() and not line.startswith(" "))):
            break
        elif steps and line.strip() and not _BULLET.match(line.lstrip()):
            steps[-1] += f" {line.strip()}"
    return steps
