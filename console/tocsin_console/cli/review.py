"""The verbs of the week's review: key by key for people, one document at a time for scripts."""

import os
import sys
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tocsin_console.cli.options import Api, By, ConfigFile, DataDir, Json, connect, person, settle, wants_json
from tocsin_console.cli.output import named, print_json, print_table, say
from tocsin_console.client import Client
from tocsin_console.config import Config
from tocsin_console.errors import UsageProblem
from tocsin_console.variables import INGEST_KEY

if TYPE_CHECKING:
    from tocsin_console.cli.review_sending import Forwarding

Project = Annotated[str, typer.Option("--project", help="The use case's project.")]
UseCase = Annotated[str, typer.Option("--use-case", help="Only this one.", show_default="each that has calls")]
OneUseCase = Annotated[str, typer.Option("--use-case", help="The use case, as in 'tocsin use-cases ls'.")]
Collector = Annotated[
    str | None,
    typer.Option(
        "--collector",
        help="Send scores to this collector, as http://host:4317, where the API is an evaluator's or a console's;"
        " with the key of TOCSIN_KEY.",
        show_default="collector.address, else the API",
    ),
]
Size = Annotated[int, typer.Option("--size", min=1, max=1000, help="Calls a week; what was drawn stays as it is.")]
Daily = Annotated[
    bool, typer.Option("--daily", help="Each day its part, three of twenty, of the calls since the last.")
]


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    verbs = typer.Typer(help="Score the week's sample of calls.", invoke_without_command=True)
    verbs.callback()(review)
    verbs.command("draw")(draw)
    verbs.command("next")(next_call)
    verbs.command("score")(score)
    verbs.command("status")(status)
    app.add_typer(verbs, name="review")


def review(
    context: typer.Context,
    *,
    use_case: UseCase = "",
    size: Size = 20,
    daily: Daily = False,
    project: Project = "default",
    by: By = None,
    collector: Collector = None,
    config: ConfigFile = None,
    data_dir: DataDir = None,
    api: Api = None,
    json: Json = False,
) -> None:
    """Draw the week's sample of calls and score it, key by key; every key saves.

    20 calls a use case: a quarter by chance alone, the others mostly from the most confident answers and from segments that
    moved, each with a known probability, so that the scores speak for all calls. Leave with q and come back.
    """
    if context.invoked_subcommand is not None:
        return
    if json or wants_json(context):
        raise UsageProblem("expected a person at a terminal: scripts use 'tocsin review draw|next|score|status --json'")
    if not sys.stdin.isatty():
        raise UsageProblem("expected a terminal to read keys from: without one, use 'tocsin review next' and 'score'")
    from tocsin_console.cli.keyboard import Keyboard
    from tocsin_console.cli.review_terminal import Terminal

    settled, reviewer = settle(config=config, data_dir=data_dir, api=api), person(by)
    client = Client.of(settled)
    drawn = client.post(
        "/api/review/draw", {"use_case": use_case, "project": project, "size": size, "daily": daily, "actor": reviewer}
    )["reviews"]
    with _scoring(client, settled, collector, project) as scoring, Keyboard.opened() as keyboard:
        terminal = Terminal(scoring, reviewer=reviewer, project=project, key=keyboard.key, line=keyboard.line)
        for standing in drawn:
            if not terminal.score_all(standing):
                return


def draw(
    *,
    use_case: UseCase = "",
    size: Size = 20,
    daily: Daily = False,
    project: Project = "default",
    by: By = None,
    config: ConfigFile = None,
    data_dir: DataDir = None,
    api: Api = None,
    json: Json = False,
) -> None:
    """Draw this week's sample or today's part of it, or show the one that was drawn."""
    body = {"use_case": use_case, "project": project, "size": size, "daily": daily, "actor": person(by)}
    _show(connect(config, data_dir, api).post("/api/review/draw", body)["reviews"], json=json)


def next_call(
    *,
    use_case: OneUseCase,
    project: Project = "default",
    by: By = None,
    config: ConfigFile = None,
    data_dir: DataDir = None,
    api: Api = None,
    json: Json = False,
) -> None:
    """Take the next call to score, which is yours for 15 minutes."""
    body = {"use_case": use_case, "project": project, "actor": person(by)}
    found = connect(config, data_dir, api).post("/api/review/next", body)
    if json:
        print_json(found)
    elif found["item"] is None:
        say(f"nothing is left to score: {found['scored']} of {found['size']}")
    else:
        from tocsin_console.cli.review_terminal import describe

        say(describe(found))


def score(
    call_id: Annotated[str, typer.Argument(help="The call, as 'tocsin review next' gave it.")],
    *,
    use_case: OneUseCase,
    value: Annotated[int | None, typer.Option("--score", min=1, max=5, help="1 (worthless) to 5 (right).")] = None,
    correct: Annotated[bool | None, typer.Option("--correct/--wrong", help="Whether the answer was right.")] = None,
    label: Annotated[str | None, typer.Option(help="What the right answer was.")] = None,
    minutes: Annotated[float | None, typer.Option(min=0, help="How long it took.")] = None,
    comment: Annotated[str, typer.Option(help="What else to know.")] = "",
    skip: Annotated[bool, typer.Option("--skip", help="Leave it for later.")] = False,
    undo: Annotated[bool, typer.Option("--undo", help="Take your own score back.")] = False,
    project: Project = "default",
    by: By = None,
    collector: Collector = None,
    config: ConfigFile = None,
    data_dir: DataDir = None,
    api: Api = None,
    json: Json = False,
) -> None:
    """Score one call of the draw."""
    settled = settle(config=config, data_dir=data_dir, api=api)
    body: dict[str, Any] = {"use_case": use_case, "project": project, "actor": person(by), "call_id": call_id}
    with _scoring(Client.of(settled), settled, collector, project) as client:
        if skip or undo:
            found = client.post(f"/api/review/{'skip' if skip else 'undo'}", body)
        else:
            said = {"score": points(value), "correct": correct, "label": label, "minutes": minutes, "comment": comment}
            found = client.post("/api/review/score", {**body, **{k: v for k, v in said.items() if v not in (None, "")}})
    _show([found], json=json)


def status(
    *,
    use_case: UseCase = "",
    project: Annotated[str, typer.Option("--project", help="Only of this one.")] = "",
    config: ConfigFile = None,
    data_dir: DataDir = None,
    api: Api = None,
    json: Json = False,
) -> None:
    """Show how far the latest draws have come, and what they say."""
    asked: dict[str, str | int] = {"use_case": use_case, "project": project}
    _show(connect(config, data_dir, api).get("/api/review", asked)["reviews"], json=json)


def _scoring(
    client: Client, settled: Config, collector: str | None, project: str
) -> "AbstractContextManager[Client | Forwarding]":
    from tocsin_console.cli.review_sending import by_way_of

    key = os.environ.get(INGEST_KEY, "")
    return by_way_of(client, collector or settled.collector_address, project=project, key=key)


def points(value: int | None) -> float | None:
    """Turn 1 to 5 into 0 to 1."""
    return None if value is None else (value - 1) / 4


def estimate(found: dict[str, Any]) -> str:
    """Write what the scores say of all calls."""
    said = found["estimate"]
    if said["lower"] is None:
        return "nothing scored yet"
    between = f"{said['lower']:.0%} to {said['upper']:.0%}, n = {said['n']}"
    return f"insufficient data ({between})" if said["value"] is None else f"{said['value']:.1%} right ({between})"


def _show(found: list[dict[str, Any]], *, json: bool) -> None:
    if json:
        print_json(found)
        return
    columns = ("use case", "week", "scored", "skipped", "minutes", "right", "drawn from", "")
    rows = [
        (
            named(each),
            each["week"],
            f"{each['scored']} of {each['size']}",
            each["skipped"],
            f"{each['minutes']:.1f}",
            estimate(each),
            f"{each['drawable']:,} of {each['calls']:,} calls",
            "OVERDUE" if each["overdue"] else "",
        )
        for each in found
    ]
    print_table(columns, rows, empty="no reviews yet: 'tocsin review' draws the first sample")
