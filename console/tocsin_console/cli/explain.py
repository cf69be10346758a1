"""The verb that says why."""

from typing import Annotated, Any

import typer

from tocsin_console.cli.options import Api, ConfigFile, DataDir, Json, connect
from tocsin_console.cli.output import named, print_json, print_table, say, when


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command()(explain)


def explain(
    use_case: Annotated[str, typer.Argument(help="The use case, as in 'tocsin use-cases ls'.")],
    *,
    at: Annotated[str, typer.Option("--at", help="As of then, such as 2026-03-02.", show_default="now")] = "",
    project: Annotated[str, typer.Option("--project", help="The use case's project.")] = "default",
    config: ConfigFile = None,
    data_dir: DataDir = None,
    api: Api = None,
    json: Json = False,
) -> None:
    """Say when quality began to fall, what moved first, which segments and fields account for it, and calls to look at."""
    asked: dict[str, str | int] = {"use_case": use_case, "project": project, **({"at": at} if at else {})}
    found = connect(config, data_dir, api).get("/api/explain", asked)
    if json:
        print_json(found)
        return
    say(f"{named(found)}, as of {when(found['slot'])} UTC")
    for line in found["sentences"] or ["nothing is known to have fallen in the last 60 days"]:
        say(f"  {line}")
    if found["examples"]:
        columns = ("call", "said", "sure", "was", "inputs")
        print_table(columns, [_example(each) for each in found["examples"]], empty="")


def _example(each: dict[str, Any]) -> tuple[Any, ...]:
    sure = None if each["confidence"] is None else f"{each['confidence']:.0%}"
    return each["call_id"], each["answer"][:60], sure, (each["truth"] or "not known yet")[:60], each["inputs"]
