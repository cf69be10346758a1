"""The verbs of the judge."""

from typing import Annotated, Any

import typer

from tocsin_console.cli.options import Api, ConfigFile, DataDir, Json, connect, settle
from tocsin_console.cli.output import named, print_json, print_table, say
from tocsin_console.client import Client

_RUN_S = 3_600.0


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    verbs = typer.Typer(
        help="Your own model as a judge of a sample of calls, off until configured.", no_args_is_help=True
    )
    verbs.command("status")(status)
    verbs.command("run")(run)
    app.add_typer(verbs, name="judge")


def status(
    use_case: Annotated[str, typer.Argument(help="Only this one.")] = "",
    *,
    config: ConfigFile = None,
    data_dir: DataDir = None,
    api: Api = None,
    json: Json = False,
) -> None:
    """Show what the judge has judged and cost, and how often people agree with it."""
    found = connect(config, data_dir, api).get("/api/judge", {"use_case": use_case})
    if json:
        print_json(found)
        return
    if found["on"]:
        say(f"{found['source']}: {found['spent_today']} of {found['cap_per_day']} {found['currency']} spent today")
    else:
        say(found["why_off"])
    if found["judges"]:
        columns = (
            "use case",
            "judge",
            "judged",
            "right",
            "failed",
            "lost",
            "spent",
            "agrees with people",
            "last failure",
        )
        print_table(columns, [_row(each) for each in found["judges"]], empty="")


def run(*, config: ConfigFile = None, data_dir: DataDir = None, api: Api = None, json: Json = False) -> None:
    """Judge now what is due, instead of within a minute."""
    client = Client.of(settle(config=config, data_dir=data_dir, api=api), timeout_s=_RUN_S)
    found = client.post("/api/judge/run", {})
    if json:
        print_json(found)
        return
    say(f"judged {found['judged']}, {found['failed']} without a verdict; {found['spent_today']} spent today")
    if found["stopped"]:
        say(f"stopped: {found['stopped']}")


def _row(each: dict[str, Any]) -> tuple[Any, ...]:
    return (
        named(each),
        each["source"],
        each["judged"],
        f"{each['found_right'] / each['judged']:.1%} uncorrected" if each["judged"] else None,
        each["failed"],
        each["lost"],
        f"{each['spent']} {each['in_currency']}",
        _agreement(each["agreement"]),
        each["last_failure"][:120],
    )


def _agreement(said: dict[str, Any]) -> str:
    if not said["n"]:
        return "unknown: no call that people have scored too"
    between = f"{said['lower']:.0%} to {said['upper']:.0%}, n = {said['n']}"
    share = "insufficient data" if said["value"] is None else f"{said['value']:.1%}"
    return f"{share} ({between}); too kind {said['too_kind']}, too harsh {said['too_harsh']}"
