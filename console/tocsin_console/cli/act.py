"""The verbs of the guard."""

from typing import Annotated, Any

import typer

from tocsin_console.cli.options import Api, By, ConfigFile, DataDir, Json, connect, person
from tocsin_console.cli.output import print_json, print_table, say, when

UseCase = Annotated[str, typer.Argument(help="The use case, as in 'tocsin use-cases ls'.")]
Project = Annotated[str, typer.Option("--project", help="The use case's project.")]


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    guard = typer.Typer(help="The guard: what a use case serves while its model is not trusted.", no_args_is_help=True)
    guard.command("show")(show)
    guard.command("set")(set_guard)
    guard.command("release")(release)
    app.add_typer(guard, name="guard")


def show(
    use_case: Annotated[str | None, typer.Argument(help="Only this one.")] = None,
    *,
    config: ConfigFile = None,
    data_dir: DataDir = None,
    api: Api = None,
    json: Json = False,
) -> None:
    """Show each guard: what is in force, why and by whom, and what shadow mode would have done."""
    found = connect(config, data_dir, api).get("/api/guard")["guards"]
    chosen = [each for each in found if use_case in (None, each["use_case"])]
    if json:
        print_json(chosen)
        return
    columns = ("use case", "in force", "since", "cause", "by", "last word")
    print_table(columns, [_guard(each) for each in chosen], empty="every guard is normal")


def set_guard(
    use_case: UseCase,
    state: Annotated[str, typer.Argument(help="normal, verify, fallback or off.")],
    *,
    because: Annotated[str, typer.Option("--because", help="Why, for the audit log.")] = "set by hand",
    lasts: Annotated[str, typer.Option("--for", help="How long, such as 2h; else until it is released.")] = "",
    by: By = None,
    project: Project = "default",
    config: ConfigFile = None,
    data_dir: DataDir = None,
    api: Api = None,
    json: Json = False,
) -> None:
    """Put a guard into a state by hand. It stays there until it is released, or for as long as is said."""
    body = {"action": "set", "state": state, "cause": because, "actor": person(by), "project": project, "for": lasts}
    _answer(connect(config, data_dir, api).post(f"/api/guard/{use_case}", body), use_case, json=json)


def release(
    use_case: UseCase,
    *,
    by: By = None,
    project: Project = "default",
    config: ConfigFile = None,
    data_dir: DataDir = None,
    api: Api = None,
    json: Json = False,
) -> None:
    """Put a guard back to normal after a trip or a set."""
    body = {"action": "release", "actor": person(by), "project": project}
    _answer(connect(config, data_dir, api).post(f"/api/guard/{use_case}", body), use_case, json=json)


def _answer(answer: dict[str, Any], use_case: str, *, json: bool) -> None:
    row = answer["guard"]
    if json:
        print_json(row)
        return
    state = row["state"] if isinstance(row, dict) else row
    say(f"{use_case} is now {state}; services that read the guard follow within a second")


def _guard(each: dict[str, Any]) -> tuple[Any, ...]:
    last = "applied" if each["last_applied"] else f"would be {each['last_state']}: {each['last_cause']}"
    return (
        each["use_case"],
        each["state_in_force"] or "normal",
        when(each["since_in_force"]) if each["version_in_force"] else None,
        each["cause_in_force"],
        each["actor_in_force"],
        last,
    )
