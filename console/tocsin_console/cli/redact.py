"""The verb about redaction: redact test."""

import sys
from typing import Annotated

import typer

from tocsin_console.cli.options import ConfigFile, Json, settle
from tocsin_console.cli.output import complain, print_json, say
from tocsin_console.errors import FINDING


def register(app: typer.Typer) -> None:
    """Add the verb."""
    redact = typer.Typer(help="What is taken out of texts before they are stored.", no_args_is_help=True)
    redact.callback()(lambda: None)  # a group, though it has one verb
    redact.command("test")(try_out)
    app.add_typer(redact, name="redact")


def try_out(
    text: Annotated[str, typer.Argument(help="A text as a span could carry it; - takes it from stdin.")],
    *,
    field: Annotated[str | None, typer.Option("--field", help="The attribute's key that it stands under.")] = None,
    preset: Annotated[
        list[str] | None, typer.Option("--preset", help="Try these shipped rules instead of tocsin.yaml's.")
    ] = None,
    config: ConfigFile = None,
    json: Json = False,
) -> None:
    """Show what the rules of tocsin.yaml would make of a text, by the engine that applies them. Exits 1 on a match."""
    from tocsin_collector.privacy.rule_trial import tried
    from tocsin_collector.store.database import IN_MEMORY, Database, StoreAddress
    from tocsin_console.sections.receiving import RedactSection

    rules = settle(config=config).redactions
    if preset:
        rules = tuple(RedactSection(preset=name).rule() for name in preset)
    engine = Database.open(StoreAddress(path=IN_MEMORY))
    try:
        trial = tried(engine, rules, sys.stdin.read() if text == "-" else text, key=field)
    finally:
        engine.close()
    if json:
        print_json({"text": trial.text, "rules": trial.rules, "known": [rule.name for rule in rules]})
    else:
        say(trial.text)
        if not rules:
            complain("no rules: list some under 'redact:' in tocsin.yaml, such as card-number and email")
        elif trial.rules:
            complain(f"taken out by {', '.join(trial.rules)}")
        else:
            complain(f"nothing was taken out by {', '.join(rule.name for rule in rules)}")
    if trial.rules:
        raise typer.Exit(FINDING)
