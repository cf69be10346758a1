"""The verbs of reports: whether a use case is ready for users, and the week."""

from pathlib import Path
from typing import Annotated, Any

import typer

from tocsin_console.cli.options import Api, ConfigFile, DataDir, Json, connect
from tocsin_console.cli.output import named, print_json, say
from tocsin_console.errors import FINDING

UseCase = Annotated[str, typer.Option("--use-case", help="Only this one.")]
Project = Annotated[str, typer.Option("--project", help="Only of this one.")]


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    report = typer.Typer(help="What the data say: the five questions, and the week.", no_args_is_help=True)
    report.command("readiness")(readiness)
    report.command("weekly")(weekly)
    app.add_typer(report, name="report")


def readiness(
    *,
    use_case: UseCase = "",
    project: Project = "",
    config: ConfigFile = None,
    data_dir: DataDir = None,
    api: Api = None,
    json: Json = False,
) -> None:
    """Answer the five questions from data, with the command that comes next. Exits 1 naming each that is unanswered or unproven."""
    asked: dict[str, str | int] = {"use_case": use_case, "project": project}
    found = connect(config, data_dir, api).get("/api/report/readiness", asked)["readiness"]
    if json:
        print_json(found)
    else:
        for each in found:
            say("\n".join(_lines(each)))
        if not found:
            say("no use cases yet: 'tocsin plan init NAME' begins with the five questions")
    if not found or not all(each["is_ready"] for each in found):
        raise typer.Exit(FINDING)


def weekly(
    *,
    html: Annotated[Path | None, typer.Option("--html", help="Write the page into this file instead.")] = None,
    send: Annotated[bool, typer.Option("--send", help="Mail it to the channels of type smtp instead.")] = False,
    config: ConfigFile = None,
    data_dir: DataDir = None,
    api: Api = None,
    json: Json = False,
) -> None:
    """The last seven days in half an hour: pages and what they were worth, quality, cost, decisions, time, the five questions."""
    client = connect(config, data_dir, api)
    if send:
        sent = client.post("/api/report/weekly/send", {})["sent"]
        if json:
            print_json({"sent": sent})
        else:
            say(f"in the outbox for {', '.join(sent)}: 'tocsin status' says if one of them does not take it")
        return
    found = client.get("/api/report/weekly")
    if html is not None:
        html.write_text(found["html"], encoding="utf-8")
    if json:
        print_json(found["week"])
    else:
        say(f"wrote {html}" if html is not None else found["text"].rstrip("\n"))


def _lines(each: dict[str, Any]) -> list[str]:
    open_ones = sum(not question["is_green"] for question in each["questions"])
    lines = [f"{named(each)}: {'ready' if each['is_ready'] else f'{open_ones} of 5 questions are open'}"]
    for question in each["questions"]:
        lines.append(f"  {_word(question):<10} {question['question']} {question['evidence']}")
        if question["command"]:
            lines.append(f"             next: {question['command']}")
    return [*lines, ""]


def _word(question: dict[str, Any]) -> str:
    if question["is_green"]:
        return "green"
    return "UNPROVEN" if question["is_answered"] else "UNANSWERED"
