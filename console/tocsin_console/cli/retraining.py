"""The verbs of retraining."""

from typing import Annotated, Any

import typer

from tocsin_console.cli.options import Api, By, ConfigFile, DataDir, Json, connect, person
from tocsin_console.cli.output import named, print_json, print_table, say, when

_DAY_S = 86_400


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    verbs = typer.Typer(help="What triggers a retraining, and what it has set off.", invoke_without_command=True)
    verbs.callback()(retraining)
    verbs.command("start")(start)
    verbs.command("close")(close)
    app.add_typer(verbs, name="retraining")


def retraining(
    context: typer.Context,
    *,
    use_case: Annotated[str, typer.Option("--use-case", help="Only this one.")] = "",
    project: Annotated[str, typer.Option("--project", help="Only of this one.")] = "",
    config: ConfigFile = None,
    data_dir: DataDir = None,
    api: Api = None,
    json: Json = False,
) -> None:
    """Show on one page what each use case's retraining trigger is, how near it is, and what it has set off."""
    if context.invoked_subcommand is not None:
        return
    asked: dict[str, str | int] = {"use_case": use_case, "project": project}
    found = connect(config, data_dir, api).get("/api/retraining", asked)["retraining"]
    if json:
        print_json(found)
        return
    for each in found:
        say("\n".join(_page(each)))
        if each["runs"]:
            columns = ("run", "due at", "because", "state", "attempts", "answer", "what came of it")
            print_table(columns, [_run(run) for run in each["runs"]], empty="")
        say("")
    if not found:
        say("no plans yet: 'tocsin plan init NAME' asks for a retraining trigger too")


def start(
    use_case: Annotated[str, typer.Argument(help="The use case, as in 'tocsin use-cases ls'.")],
    *,
    because: Annotated[str, typer.Option("--because", help="Why, for the audit log.")],
    project: Annotated[str, typer.Option("--project", help="The use case's project.")] = "default",
    by: By = None,
    config: ConfigFile = None,
    data_dir: DataDir = None,
    api: Api = None,
    json: Json = False,
) -> None:
    """Set the plan's retraining off now, as if it were due: the cooldown counts from here."""
    body = {"because": because, "project": project, "actor": person(by)}
    run = connect(config, data_dir, api).post(f"/api/retraining/{use_case}/start", body)["run"]
    if json:
        print_json(run)
    else:
        say(f"{run['run'][:10]} is {run['state']}: {run['said'] or run['action']}")


def close(
    run: Annotated[str, typer.Argument(help="A run, or how it begins.")],
    result: Annotated[str, typer.Argument(help="What came of it: released 2026-03-09, no better than before.")],
    *,
    by: By = None,
    config: ConfigFile = None,
    data_dir: DataDir = None,
    api: Api = None,
    json: Json = False,
) -> None:
    """Record what came of a retraining."""
    answer = connect(config, data_dir, api).post(
        f"/api/retraining/{run}/close", {"result": result, "actor": person(by)}
    )
    if json:
        print_json(answer["run"])
    else:
        say(f"recorded: {answer['run']['result']}")


def _page(each: dict[str, Any]) -> list[str]:
    lines = [named(each)]
    if each["trigger"] is None:
        return [*lines, f"  unanswered: {', '.join(each['unanswered'])}"]
    lines.append(f"  when      {each['trigger']}")
    lines.append(f"  then      {each['action']}")
    lines.append(f"  owner     {each['owner'] or 'unanswered'}")
    rests = f", not before {when(each['rests_until'])} UTC" if each["rests_until"] else ""
    lines.append(f"  at most   once in {each['cooldown_s'] / _DAY_S:g} days{rests}")
    value = "insufficient data" if each["value"] is None else f"{each['value']:.4g} on {each['n']:,}"
    lines.append(f"  now       {value}; held at {each['slots_held']} of {each['slots_needed']} daily slots")
    return [*lines, f"  PROBLEM   {each['problem']}"] if each["problem"] else lines


def _run(run: dict[str, Any]) -> tuple[Any, ...]:
    because = f"{run['condition']}: {run['value']:.4g} on {run['n']:,}" if run["n"] else run["condition"]
    return run["run"][:10], when(run["slot"]), because, run["state"], run["attempts"], run["said"][:200], run["result"]
