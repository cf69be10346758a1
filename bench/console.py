"""How long the console takes: a review by keyboard.

    python bench/console.py [--parts review …] [--json FILE]

Needs Chromium: TOCSIN_CHROMIUM names it where it is not /usr/bin/chromium. Exits with 1 when a figure misses its goal.
"""

import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from _console.reviewing import reviewing
from _report import Figure, document, show
from _report import arguments as described

_PARTS = {"review": reviewing}


def main(arguments: Sequence[str] | None = None) -> int:
    """Take every figure, print them, write them."""
    parser = described("How long the console takes.")
    parser.add_argument("--parts", nargs="*", choices=list(_PARTS), default=list(_PARTS), help="only these")
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        figures = [figure for name in asked.parts for figure in _PARTS[name](Path(folder) / name)]
    show("The console", figures)
    if asked.json:
        _keep(asked.json, figures)
    return 1 if any(figure.met is False for figure in figures) else 0


def _keep(file: Path, figures: Sequence[Figure]) -> None:
    """Write the figures; those of parts that were not run stay as they were, with their own date."""
    made: dict[str, Any] = document(figures)
    if file.exists():
        before = json.loads(file.read_text(encoding="utf-8"))
        named = {figure.name for figure in figures}
        kept = [{"date": before["date"], **each} for each in before["figures"] if each["name"] not in named]
        made["figures"] += kept
    file.write_text(json.dumps(made, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
