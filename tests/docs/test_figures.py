"""Measured figures on pages are those of bench/results: each carries a comment that says which.

    4.0<!-- detect.json covariate_days --> days

compares 4.0 with the figure of that name, rounded as the page writes it; before ``%`` a share is in hundredths.
"""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "bench" / "results"
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
_QUOTED = re.compile(r"(-?[\d,]*\.?\d+)\s*<!-- ([\w.-]+\.json) ([\w.-]+) -->(\s*%)?")
_COMMENT = re.compile(r"<!-- [\w.-]+\.json [\w.-]+ -->")


@cache
def figures(name: str) -> dict[str, Any]:
    """Give every figure of a file by its name."""
    return dict(_named(json.loads((RESULTS / name).read_text(encoding="utf-8"))))


def _named(found: Any) -> Any:
    if isinstance(found, dict):
        if "name" in found and "value" in found:
            yield found["name"], found["value"]
            return
        for value in found.values():
            yield from _named(value)
    elif isinstance(found, list):
        for value in found:
            yield from _named(value)


def differing(text: str) -> list[str]:
    """Say which figures of a page are not those that were measured."""
    wrong = [f"{left} stands behind no number" for left in _COMMENT.findall(_QUOTED.sub("", text))]
    for said, file, name, percent in _QUOTED.findall(text):
        if name not in figures(file):
            wrong.append(f"{file} has no {name}")
            continue
        measured = figures(file)[name] * (100 if percent else 1)
        digits = len(said.partition(".")[2])
        if said not in (f"{measured:,.{digits}f}", f"{measured:.{digits}f}"):
            wrong.append(f"{name}: the page says {said}{percent}, measured was {measured}")
    return wrong


@pytest.mark.parametrize(
    "page", [page for page in PAGES if _COMMENT.search(page.read_text(encoding="utf-8"))], ids=lambda page: page.name
)
def test_quoted_figures_are_the_measured_ones(page: Path) -> None:
    """Whoever measures anew and forgets the page would leave a claim that nobody measured."""
    assert differing(page.read_text(encoding="utf-8")) == []


def test_a_figure_that_differs_is_found() -> None:
    """And one that is not there, and a comment behind no number."""
    assert differing("4.0<!-- detect.json covariate_days --> days") == []
    assert len(differing("4.1<!-- detect.json covariate_days --> days")) == 1
    assert len(differing("4<!-- detect.json covariate_dais --> days")) == 1
    assert len(differing("four<!-- detect.json covariate_days --> days")) == 1
