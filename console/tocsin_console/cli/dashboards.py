"""Verbs about dashboards. They need no running tocsin."""

from pathlib import Path
from typing import Annotated

import typer

from tocsin_console.cli.options import Json
from tocsin_console.cli.output import print_json, say


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    dashboards = typer.Typer(help="Grafana dashboards over the public views.", no_args_is_help=True)
    dashboards.command("export")(export)
    app.add_typer(dashboards, name="dashboards")


def export(
    folder: Annotated[Path, typer.Argument(help="Where Grafana's provisioning looks.")] = Path(),
    *,
    replace: Annotated[bool, typer.Option("--replace", help="Also over files that somebody changed.")] = False,
    json: Json = False,
) -> None:
    """Write the dashboards as JSON: overview, quality, drift, cost and system."""
    from tocsin_console import dashboards

    written = [str(file) for file in dashboards.export(folder, replace=replace)]
    if json:
        print_json({"written": written})
        return
    for file in written:
        say(file)
