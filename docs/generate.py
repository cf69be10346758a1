"""Writes docs/reference from the product: ``python docs/generate.py``; with ``--check`` only says which pages differ.

Exit codes: 0 as it should be, 1 a page differs from what the product says.
"""

import argparse
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final

from generating.api import api_page
from generating.chart import chart_page
from generating.commands import commands_page
from generating.configuration import configuration_page, plan_page
from generating.evaluators import evaluators_page
from generating.metrics import metrics_page
from generating.rules import rules_page
from generating.tables import migrated_tables_page
from tocsin_alerts.evaluator import load_evaluators
from tocsin_alerts.rules import load_rules

FOLDER: Final = Path(__file__).parent / "reference"


def pages(tables_page: Callable[[], str] = migrated_tables_page) -> Mapping[str, Callable[[], str]]:
    """Give each page's writer by its name.

    Args:
        tables_page: Writes the one for which a store has to be migrated.
    """
    evaluators = load_evaluators()
    book = load_rules(evaluators=evaluators)
    return {
        "rules": lambda: rules_page(book),
        "evaluators": lambda: evaluators_page(evaluators, book),
        "plan": plan_page,
        "configuration": configuration_page,
        "commands": commands_page,
        "api": api_page,
        "metrics": metrics_page,
        "tables": tables_page,
        "chart": chart_page,
    }


def differing(written: Mapping[str, str]) -> list[str]:
    """Name the pages that are not what is committed, and committed ones that nothing writes."""
    committed = {path.stem: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.md") if path.stem != "index"}
    return sorted(name for name in {*written, *committed} if written.get(name) != committed.get(name))


def main(arguments: Iterable[str]) -> int:
    """Write the pages, or compare them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when a page differs")
    said = parser.parse_args(list(arguments))
    written = {name: write() for name, write in pages().items()}
    if not said.check:
        FOLDER.mkdir(exist_ok=True)
        for name, text in written.items():
            (FOLDER / f"{name}.md").write_text(text, encoding="utf-8")
    different = differing(written)
    for name in different:
        sys.stderr.write(f"{FOLDER / name}.md differs: run 'python docs/generate.py', or remove it\n")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
