"""What a verb prints: one JSON document, or something for a person."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from tocsin_console.wire import document


def print_json(value: Any) -> None:
    """Print the one document of ``--json``."""
    sys.stdout.write(document(value) + "\n")
    sys.stdout.flush()


def say(text: str) -> None:
    """Print one line for a person, as it is."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def complain(text: str) -> None:
    """Print one line for a person on stderr."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def print_table(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, empty: str) -> None:
    """Print a table, or what it means that there is none."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    listed = [[Text(cell(value)) for value in row] for row in rows]  # Text: somebody's [data] is no markup
    if not listed:
        say(empty)
        return
    table = Table(*columns, box=box.SIMPLE_HEAD, pad_edge=False)
    for row in listed:
        table.add_row(*row)
    Console(soft_wrap=not sys.stdout.isatty(), width=None if sys.stdout.isatty() else 200).print(table)


def cell(value: Any) -> str:
    """Write one value into a table; what is unknown is a dash."""
    match value:
        case bool():
            shown = "yes" if value else "no"
        case float():
            shown = f"{value:.4g}"
        case int():
            shown = f"{value:,}"
        case dict():
            shown = ", ".join(f"{key}={cell(inner)}" for key, inner in value.items())
        case list() | tuple():
            shown = ", ".join(cell(inner) for inner in value)
        case _:
            shown = "" if value is None else str(value)
    return shown or "-"


def named(each: Mapping[str, Any]) -> str:
    """Name a use case, with its project where that is not the default."""
    project, use_case = str(each.get("project") or "default"), str(each["use_case"])
    return use_case if project == "default" else f"{project}/{use_case}"


def when(text: str | None) -> str | None:
    """Shorten an ISO time to the second."""
    return f"{datetime.fromisoformat(text):%Y-%m-%d %H:%M:%S}" if text else None
