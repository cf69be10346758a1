"""Verbs about rules: which hold, and whether what a team wrote can be meant. These two need no running tocsin."""

from typing import Any

import typer

from tocsin_console.cli import rule_budget, rule_trials
from tocsin_console.cli.options import ConfigFile, Json, settle
from tocsin_console.cli.output import print_json, print_table, say
from tocsin_console.errors import FINDING


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    rules = typer.Typer(help="Rules: what is looked at, how often, and when somebody is told.", no_args_is_help=True)
    rules.command("list")(list_rules)
    rules.command("check")(check)
    rule_budget.register(rules)
    rule_trials.register(rules)
    app.add_typer(rules, name="rules")


def list_rules(*, config: ConfigFile = None, json: Json = False) -> None:
    """List the rules in force: the shipped ones and those of the rules folder, which win by name."""
    from tocsin_console import rulebook

    found = rulebook.listed(rulebook.read(settle(config=config)).book)
    if json:
        print_json(found)
        return
    columns = ("rule", "severity", "evaluator", "every", "when", "guard", "from")
    print_table(columns, [_row(each) for each in found], empty="no rules")


def check(*, config: ConfigFile = None, json: Json = False) -> None:
    """Check evaluators, rules with their own tests, and templates. Exits 1 on findings, each with file and line."""
    from tocsin_console import rulebook

    read = rulebook.read(settle(config=config), with_tests=True)
    if json:
        print_json({"rules": len(read.book), "findings": read.findings})
    else:
        for finding in read.findings:
            say(finding)
        say(f"{len(read.book)} rules, {len(read.findings)} findings")
    if read.findings:
        raise typer.Exit(FINDING)


def _row(each: dict[str, Any]) -> tuple[Any, ...]:
    is_shipped = "tocsin_alerts" in str(each["path"])
    words = [each[name] for name in ("rule", "severity", "evaluator", "every", "when", "guard")]
    return (*words, "tocsin" if is_shipped else each["path"])
