"""The console as a browser sees it: a review by keyboard, the first call, hostile texts, speed, viewers, who can use it.

    python bench/console.py [--parts review …] [--demo FOLDER] [--json FILE]

`axe` and `screenshots` look at a finished demo's folder (`tocsin demo --once --data-dir FOLDER`), of which they take a copy.

Needs Chromium: TOCSIN_CHROMIUM names it where it is not /usr/bin/chromium. Exits with 1 when a figure misses its goal.
"""

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from _console.accessible import accessible
from _console.first_call import first_call
from _console.reviewing import reviewing
from _console.screenshots import screenshots
from _console.scripts import scripts
from _console.speed import speed
from _console.viewers import viewers
from _report import Figure, keep, show
from _report import arguments as described

_PARTS = {"review": reviewing, "first": first_call, "xss": scripts, "speed": speed, "viewers": viewers}
_OF_A_DEMO = {"axe": accessible, "screenshots": screenshots}


def main(arguments: Sequence[str] | None = None) -> int:
    """Take every figure, print them, write them."""
    parser = described("The console as a browser sees it.")
    known = [*_PARTS, *_OF_A_DEMO]
    parser.add_argument("--parts", nargs="*", choices=known, default=list(_PARTS), help="only these")
    parser.add_argument("--demo", type=Path, metavar="FOLDER", help="of a finished demo, for axe and screenshots")
    asked = parser.parse_args(arguments)
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        for name in asked.parts:
            if name in _PARTS:
                figures += _PARTS[name](Path(folder) / name)
            elif asked.demo is None:
                parser.error(f"{name} needs --demo FOLDER: tocsin demo --once --data-dir FOLDER makes one")
            else:
                figures += _OF_A_DEMO[name](asked.demo, Path(folder) / name)
    show("The console", figures)
    if asked.json:
        keep(asked.json, figures)
    return 1 if any(figure.met is False for figure in figures) else 0


if __name__ == "__main__":
    sys.exit(main())
