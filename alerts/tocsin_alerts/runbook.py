"""The first steps of a runbook that lies beside the plan. Only files of the plan's own folder are read, never an address."""

import re
from pathlib import Path
from typing import Final

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
    lines = _after(lines, section)
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
