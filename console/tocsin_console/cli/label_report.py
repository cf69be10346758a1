"""How a load of labels is watched and told: a bar, a file of findings, a document, sentences."""

import csv
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tocsin_console.cli.output import say
from tocsin_console.errors import UsageProblem

if TYPE_CHECKING:
    from tocsin_console.labels.columns import Columns
    from tocsin_console.labels.files import LabelFile
    from tocsin_console.labels.loading import Finding, Report

_SHOWN: Final = 20  # findings of each kind, to a person
_WORTH_SHOWING: Final = ("malformed", "contradictory")


@contextmanager
def writing(path: Path | None) -> "Iterator[Callable[[Finding], None]]":
    """Write findings into a file as they are found, where one is asked for."""
    if path is None:
        yield lambda _: None
        return
    try:
        opened = path.open("w", encoding="utf-8", newline="")
    except OSError as error:
        raise UsageProblem(f"expected to write findings to {path}, but {error.strerror}") from error
    with opened as file:
        writer = csv.writer(file)
        writer.writerow(("line", "what", "reason"))
        yield lambda finding: writer.writerow((finding.line, finding.what, finding.reason)) and None


@contextmanager
def progress_of(file: "LabelFile", *, quiet: bool) -> "Iterator[Callable[[Report], None]]":
    """Draw a bar on stderr, where that is a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:3.0f}%"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
        disable=quiet,
    ) as bar:
        task = bar.add_task("reading", total=max(file.size, 1))

        def show(report: "Report") -> None:
            bar.update(task, completed=file.done(), description=f"{report.rows:,} rows")

        yield show


def document(report: "Report", columns: "Columns") -> dict[str, Any]:
    """Put the report of ``--json`` together."""
    return {
        "rows": report.rows,
        "recorded": report.recorded,
        "matched": report.matched,
        "unmatched": report.waiting,
        "duplicate": report.duplicate,
        "contradictory": report.contradictory,
        "malformed": report.malformed,
        "columns": columns.used,
        "unused_columns": columns.unused,
        "findings": [{"line": one.line, "what": one.what, "reason": one.reason} for one in report.findings],
    }


def describe(report: "Report", columns: "Columns", *, dry_run: bool) -> None:
    """Tell a person."""
    say("read " + ", ".join(f"{field} from {name!r}" for field, name in columns.used.items()))
    if columns.unused:
        say(f"not read: {', '.join(map(repr, columns.unused))}")
    say(f"{report.rows:,} rows, {report.recorded:,} recorded{' (dry run)' if dry_run else ''}")
    say(f"  matched        {report.matched:,}")
    say(f"  unmatched      {report.waiting:,}  wait until their calls arrive")
    say(f"  duplicate      {report.duplicate:,}  said before, not recorded again")
    say(f"  malformed      {report.malformed:,}  not recorded")
    say(f"  contradictory  {report.contradictory:,}  of the recorded: something else was said of the same call")
    for what in _WORTH_SHOWING:
        shown = [one for one in report.findings if one.what == what][:_SHOWN]
        for one in shown:
            say(f"line {one.line}: {one.what}: {one.reason}")
        if (rest := getattr(report, what) - len(shown)) > 0:
            say(f"... and {rest:,} more {what}: --findings FILE.csv writes them all")
