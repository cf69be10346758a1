"""Verbs about the files of rules: init, diff, schema."""

import json as jsonlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tocsin_console.cli.options import Api, ConfigFile, DataDir, Json, settle
from tocsin_console.cli.output import complain, print_json, say
from tocsin_console.errors import UsageProblem

if TYPE_CHECKING:
    from tocsin_alerts.rules import RuleBook
    from tocsin_console.config import Config

_Fires = dict[str, tuple[int, int]]


def register(rules: typer.Typer) -> None:
    """Add the verbs."""
    rules.command("init")(init)
    rules.command("diff")(diff)
    rules.command("schema")(schema)


def init(
    name: Annotated[str, typer.Argument(help="What the rule is called.")],
    *,
    evaluator: Annotated[str, typer.Option("--evaluator", help="What it judges.")] = "accuracy",
    force: Annotated[bool, typer.Option("--force", help="Write over a rule that exists.")] = False,
    config: ConfigFile = None,
    json: Json = False,
) -> None:
    """Write rules/NAME.yaml: a commented rule with tests that pass, and the schema that editors complete it by."""
    from tocsin_alerts.documents import suggest
    from tocsin_alerts.evaluator import load_evaluators
    from tocsin_console.rule_form import SCHEMA_FILE, first_rule

    folder = settle(config=config).rules_dir
    known = load_evaluators(folder)
    if evaluator not in known:
        raise UsageProblem(f"unknown evaluator {evaluator!r}: {suggest(evaluator, sorted(known))}")
    text, file = first_rule(name, evaluator=evaluator), folder / f"{name}.yaml"
    if file.exists() and not force:
        raise UsageProblem(f"expected no rule at {file} yet: edit that file, or give --force to write over it")
    folder.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    (folder / SCHEMA_FILE).write_text(_schema("rule"), encoding="utf-8")
    if json:
        print_json({"file": file})
        return
    say(f"wrote {file}")
    complain(f"try it: tocsin rules test {name}; tocsin rules dry-run {name}; 'tocsin up' reads rules when it starts")


def diff(
    before: Annotated[Path | None, typer.Argument(help="A folder of rules.", show_default="the shipped rules")] = None,
    after: Annotated[Path | None, typer.Argument(help="Another.", show_default="the configured folder")] = None,
    *,
    since: Annotated[
        str | None, typer.Option("--from", help="Count what both would have fired from this day on.")
    ] = None,
    until: Annotated[str | None, typer.Option("--to", help="To this day.", show_default="now")] = None,
    config: ConfigFile = None,
    data_dir: DataDir = None,
    api: Api = None,
    json: Json = False,
) -> None:
    """Show what a folder of rules changes: rule by rule, key by key, and with --from how often each would have fired."""
    from tocsin_console.rule_form import changes

    settled = settle(config=config, data_dir=data_dir, api=api)
    if since and (before or after):
        raise UsageProblem("expected --from without folders: it compares the configured folder with the shipped rules")
    own = settled.rules_dir if settled.rules_dir.is_dir() else None  # without one, the shipped rules are all there is
    old, new = _book(before), _book(after or own)
    found = changes(old, new)
    fires = _fires(settled, [each.rule for each in found if each.kind == "changed"], since, until) if since else {}
    if json:
        print_json(
            [
                {
                    "rule": each.rule,
                    "kind": each.kind,
                    "severity": each.severity,
                    "evaluator_changed": each.evaluator_changed,
                    "keys": {key: {"before": a, "after": b} for key, (a, b) in each.keys.items()},
                    "fired": fires.get(each.rule),
                }
                for each in found
            ]
        )
        return
    for each in found:
        say(f"{each.rule} ({each.severity}): {each.kind}")
        for key, (was, now) in each.keys.items():
            say(f"    {key}: {_short(was)} -> {_short(now)}")
        if each.evaluator_changed:
            say("    its evaluator is another")
        if each.rule in fires:
            say("    would have fired {} times before, {} after".format(*fires[each.rule]))
    if not found:
        say("nothing differs")


def schema(
    name: Annotated[str, typer.Argument(help="rule, rule-test, plan or tocsin.", metavar="[KIND]")] = "rule",
) -> None:
    """Print the JSON Schema of a kind of file, for completion in an editor."""
    from tocsin_alerts.documents import suggest
    from tocsin_console.schemas import NAMES

    if name not in NAMES:
        raise UsageProblem(f"unknown kind of file {name!r}: {suggest(name, NAMES)}")
    typer.echo(_schema(name), nl=False)


def _schema(name: str) -> str:
    from tocsin_console.schemas import schema as schema_of

    return jsonlib.dumps(schema_of(name), indent=2, ensure_ascii=False) + "\n"


def _book(folder: Path | None) -> "RuleBook":
    from tocsin_alerts.evaluator import load_evaluators
    from tocsin_alerts.rules import load_rules

    if folder is not None and not folder.is_dir():
        raise UsageProblem(f"expected a folder of rules at {folder}")
    folders = [] if folder is None else [folder]
    return load_rules(*folders, evaluators=load_evaluators(*folders))


def _fires(settled: "Config", rules: list[str], since: str, until: str | None) -> _Fires:
    from tocsin_console.api.answering import time_of
    from tocsin_console.cli.rule_trials import asking

    span = {"since": time_of(since).isoformat(), **({"until": time_of(until).isoformat()} if until else {})}
    with asking(settled) as ask:
        return {
            rule: (
                ask("backtest", {"rule": rule, "shipped": True, **span})["fired"],
                ask("backtest", {"rule": rule, **span})["fired"],
            )
            for rule in rules
        }


def _short(value: Any) -> str:
    shown = jsonlib.dumps(value, ensure_ascii=False)
    return shown if len(shown) <= 60 else f"{shown[:57]}..."
