"""Verbs about use cases: which there are, and how spans that do not say are named."""

from typing import Annotated, Any

import typer

from tocsin_console.cli.options import Api, ConfigFile, DataDir, Json, connect, settle
from tocsin_console.cli.output import complain, named, print_json, print_table, when
from tocsin_console.client import Client
from tocsin_console.errors import Unreachable, UsageProblem

_KEYS = ("service", "span_name", "route", "function", "model")


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    verbs = typer.Typer(help="Use cases: the AI features that are watched.", no_args_is_help=True)
    verbs.command("ls")(ls)
    verbs.command("map")(map_use_cases)
    app.add_typer(verbs, name="use-cases")


def ls(*, config: ConfigFile = None, data_dir: DataDir = None, api: Api = None, json: Json = False) -> None:
    """List every use case that was seen or has a plan."""
    found = connect(config, data_dir, api).get("/api/use-cases")["use_cases"]
    if json:
        print_json(found)
        return
    columns = ("use case", "verdict", "calls", "with confidence", "outcomes", "models", "last call in", "plan", "open")
    print_table(columns, [_row(each) for each in found], empty="no use cases yet")


def map_use_cases(
    *,
    to: Annotated[str | None, typer.Option("--to", help="The use case to give matching spans.")] = None,
    service: Annotated[str, typer.Option(help="service.name of the span.")] = "",
    span_name: Annotated[str, typer.Option(help="Name of the span.")] = "",
    route: Annotated[str, typer.Option(help="http.route of the span.")] = "",
    function: Annotated[str, typer.Option(help="code.function.name of the span.")] = "",
    model: Annotated[str, typer.Option(help="Model of the span.")] = "",
    project: Annotated[str, typer.Option("--project", help="Of the spans, as their ingest key says.")] = "default",
    stored: Annotated[str | None, typer.Option(help="Also move what is stored under this use case to --to.")] = None,
    config: ConfigFile = None,
    data_dir: DataDir = None,
    api: Api = None,
    json: Json = False,
) -> None:
    """Show how spans without a use case are named; with --to, put a rule first; with --stored, move history too."""
    settled = settle(config=config, data_dir=data_dir, api=api)
    if to:
        from pathlib import Path

        from tocsin_console.config import FILE_NAME
        from tocsin_console.mapping import put_first

        keys = {
            "project": "" if project == "default" else project,
            "service": service,
            "span_name": span_name,
            "route": route,
            "function": function,
            "model": model,
        }
        file = settled.file or Path.cwd() / FILE_NAME
        put_first(file, {**{key: value for key, value in keys.items() if value}, "use_case": to})
        settled = settle(config=file, data_dir=data_dir or settled.data_dir, api=api)
        _tell(Client.of(settled), stored=stored, to=to, project=project)
    elif stored:
        raise UsageProblem("expected --to NAME beside --stored: where shall the stored calls go?")
    entries = [entry.model_dump() for entry in settled.use_case_map]
    if json:
        print_json(entries)
        return
    rows = [(*(entry[key] or "any" for key in _KEYS), entry["use_case"]) for entry in entries]
    print_table((*_KEYS, "use case"), rows, empty="no mapping: spans say their use case, or are named service/model")


def _tell(client: Client, *, stored: str | None, to: str, project: str) -> None:
    try:
        told = client.post("/api/use-cases/map", {"stored": stored, "to": to, "project": project} if stored else {})
    except Unreachable:
        if stored:  # only the process that holds the store can move anything in it
            raise
        complain("no tocsin runs: the mapping holds from the next 'tocsin up'")
        return
    complain("the running tocsin names new calls by it")
    if moved := told["moved"]:
        complain(f"moved {moved['calls']:,} calls and {moved['outcomes']:,} outcomes from {stored} to {to}")


def _row(each: dict[str, Any]) -> tuple[Any, ...]:
    share = each["calls_with_confidence"] / each["calls"] if each["calls"] else None
    return (
        named(each),
        each["verdict"],
        each["calls"],
        None if share is None else f"{share:.0%}",
        each["outcomes"],
        each["model_versions"],
        when(each["last_hour"]),
        each["has_plan"],
        f"{len(each['unanswered'])} of 5 questions" if each["unanswered"] else "none",
    )
