"""The verbs, and what becomes of errors: one sentence, an exit code, no traceback."""

from typing import Any

import typer
from typer.core import TyperGroup

from tocsin_console.cli import (
    act,
    adopt,
    alerts,
    backup,
    cases,
    cluster,
    cost,
    dashboards,
    disk,
    doctor,
    drill,
    explain,
    incident,
    judge,
    keys,
    look,
    migrate,
    outcomes,
    plans,
    prices,
    privacy,
    redact,
    references,
    report,
    retraining,
    review,
    rulebook,
    send_test,
    serve,
    spool,
)
from tocsin_console.cli.options import wants_json
from tocsin_console.cli.output import complain, print_json
from tocsin_console.errors import exit_code
from tocsin_wire import TocsinError


class Verbs(TyperGroup):
    """Runs a verb; an error that tocsin can name ends it with one sentence."""

    def invoke(self, ctx: Any) -> Any:
        """Run what was asked for."""
        try:
            return super().invoke(ctx)
        except TocsinError as error:
            code = exit_code(error)
            if wants_json(ctx):
                print_json({"error": str(error), "exit_code": code})
            complain(f"tocsin: {error}")
            raise typer.Exit(code) from error


def build() -> typer.Typer:
    """Put the verbs together."""
    app = typer.Typer(
        name="tocsin",
        cls=Verbs,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        help="Know when an AI feature goes wrong in production. Exit codes: 0 ok, 1 finding, 2 usage, 3 unreachable.",
    )
    for module in (
        serve,
        migrate,
        plans,
        cases,
        send_test,
        doctor,
        look,
        rulebook,
        act,
        alerts,
        outcomes,
        review,
        judge,
        cost,
        retraining,
        report,
        drill,
        incident,
        explain,
        keys,
        prices,
        adopt,
        privacy,
        disk,
        backup,
        cluster,
        references,
        redact,
        spool,
        dashboards,
    ):
        module.register(app)
    return app
