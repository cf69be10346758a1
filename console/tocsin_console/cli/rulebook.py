"""Verbs about rules: which hold, and whether what a team wrote can be meant. These two need no running tocsin."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from tocsin_console.cli import rule_budget, rule_files, rule_render, rule_trials
from tocsin_console.cli.options import ConfigFile, Json, settle
from tocsin_console.cli.output import print_json, print_table, say
from tocsin_console.errors import FINDING, UsageProblem

if TYPE_CHECKING:
    from tocsin_console.config import Config


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    rules = typer.Typer(help="Rules: what is looked at, how often, and when somebody is told.", no_args_is_help=True)
    rules.command("list")(list_rules)
    rules.command("check")(check)
    rules.command("runbook")(runbook)
    rule_budget.register(rules)
    rule_trials.register(rules)
    rule_files.register(rules)
    rule_render.register(rules)
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


def runbook(
    name: Annotated[str, typer.Argument(help="A shipped rule, as 'tocsin rules list' names it.")], *, json: Json = False
) -> None:
    """Print the runbook of a shipped rule: what it means, where to look first, what to do. The console has it at /runbooks/NAME."""
    from tocsin_alerts.documents import suggest
    from tocsin_alerts.runbook import shipped_runbooks

    text = shipped_runbooks().get(name)
    if text is None:
        raise UsageProblem(f"expected a shipped rule, got {name!r}: {suggest(name, sorted(shipped_runbooks()))}")
    if json:
        print_json({"rule": name, "markdown": text})
    else:
        say(text.rstrip())


def check(*, config: ConfigFile = None, json: Json = False) -> None:
    """Check evaluators, rules with their own tests, and templates. Exits 1 on findings, each with file and line."""
    from tocsin_console import rulebook

    settled = settle(config=config)
    if rulebook.has_sql(settled):
        found = _judged(settled)
    else:
        read = rulebook.read(settled, with_tests=True)
        found = {"rules": len(read.book), "findings": list(read.findings)}
    if json:
        print_json(found)
    else:
        for finding in found["findings"]:
            say(finding)
        say(f"{found['rules']} rules, {len(found['findings'])} findings")
    if found["findings"]:
        raise typer.Exit(FINDING)


def _judged(settled: "Config") -> dict[str, Any]:
    """Let an engine judge a team's own SQL: the running tocsin's, or one over empty tables for a moment."""
    from tocsin_console.client import Client
    from tocsin_console.errors import Unreachable

    try:
        return dict(Client.of(settled, timeout_s=300.0).get("/api/rules/check"))
    except Unreachable:
        if settled.api_is_given:
            raise
    from datetime import UTC, datetime
    from pathlib import Path
    from tempfile import TemporaryDirectory

    from tocsin_collector.store.database import Database, StoreAddress
    from tocsin_collector.store.migrate import migrate
    from tocsin_console.rehearsing import Rehearsal

    now = datetime.now(UTC)
    with TemporaryDirectory(prefix="tocsin-check-") as folder:
        store = Database.open(StoreAddress(path=Path(folder) / "store", database=settled.store.database))
        try:
            migrate(store, now=now)
            return Rehearsal(settled, store, complete_to=lambda: now).check()
        finally:
            store.close()


def _row(each: dict[str, Any]) -> tuple[Any, ...]:
    is_shipped = "tocsin_alerts" in str(each["path"])
    words = [each[name] for name in ("rule", "severity", "evaluator", "every", "when", "guard")]
    return (*words, "tocsin" if is_shipped else each["path"])
