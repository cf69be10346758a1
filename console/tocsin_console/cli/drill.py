"""The verb of fire drills."""

from typing import Annotated, Any

import typer

from tocsin_console.cli.options import Api, By, ConfigFile, DataDir, Json, person, settle
from tocsin_console.cli.output import print_json, print_table, say
from tocsin_console.client import Client
from tocsin_console.errors import FINDING, UsageProblem

_TIMEOUT_S = 900.0  # it copies and judges months of calls


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command()(drill)


def drill(
    use_case: Annotated[str, typer.Argument(help="The use case, as in 'tocsin use-cases ls'.")],
    *,
    drop: Annotated[float, typer.Option("--drop", min=0.1, max=99, help="Points of accuracy that are lost.")],
    over: Annotated[str, typer.Option("--over", help="In how long: 60d, 8w.")],
    kind: Annotated[
        str, typer.Option("--kind", help="concept: right answers turn wrong; covariate: harder calls come oftener.")
    ] = "concept",
    reviews: Annotated[int, typer.Option("--reviews", min=0, max=1000, help="A week, to compare with.")] = 20,
    deliver: Annotated[bool, typer.Option("--deliver", help="Send the page that it would be, marked DRILL.")] = False,
    project: Annotated[str, typer.Option("--project", help="The use case's project.")] = "default",
    by: By = None,
    config: ConfigFile = None,
    data_dir: DataDir = None,
    api: Api = None,
    json: Json = False,
) -> None:
    """Inject a decay into a copy of a use case's own calls, and say when the live rules would have paged.

    Nothing that is stored of its calls changes. Exits 1 when it would never be noticed.
    """
    body = {
        "use_case": use_case,
        "project": project,
        "drop": drop / 100,
        "over_days": _days(over),
        "kind": kind,
        "reviews": reviews,
        "deliver": deliver,
        "actor": person(by),
    }
    client = Client.of(settle(config=config, data_dir=data_dir, api=api), timeout_s=_TIMEOUT_S)
    found = client.post("/api/drill", body)
    if json:
        print_json(found)
    else:
        _describe(found, drop)
    if found["noticed"][0]["day"] is None or any(each["error"] for each in found["delivered"]):
        raise typer.Exit(FINDING)


def _days(text: str) -> int:
    from datetime import timedelta

    from tocsin_alerts.durations import parse_duration

    try:
        return max(1, round(parse_duration(text) / timedelta(days=1)))
    except ValueError as error:
        raise UsageProblem(f"--over: {error}") from error


def _describe(found: dict[str, Any], drop: float) -> None:
    say(f"{found['use_case']}, {drop:g} points lost over {found['over_days']} days ({found['kind']}): {found['said']}")
    columns = ("reviews a week", "noticed on day", "by the rule", "fire without it too")
    rows = [
        (each["reviews_a_week"], each["day"] or f"not in {found['days']}", each["rule"], each["fire_without_it"])
        for each in found["noticed"]
    ]
    print_table(columns, rows, empty="")
    for each in found["delivered"]:
        say(f"DRILL to {each['channel']}: {each['error'] or 'taken'}")
