"""The verbs of true cost."""

from pathlib import Path
from typing import Annotated, Any

import typer

from tocsin_console.cli.options import Api, ConfigFile, DataDir, Json, settle
from tocsin_console.cli.output import named, print_json, print_table, say, when
from tocsin_console.client import Client

_TIMEOUT_S = 300.0  # it reads every call of the time

Days = Annotated[int, typer.Option("--days", min=1, max=400, help="How many days of calls.")]
Project = Annotated[str, typer.Option("--project", help="The use case's project.")]


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    verbs = typer.Typer(
        cls=_UseCaseOrVerb, help="What a right answer costs: calls, what is asked again, judge and people."
    )
    verbs.command("show", hidden=True)(show)
    verbs.command("project")(project_month)
    app.add_typer(verbs, name="cost")


class _UseCaseOrVerb(typer.core.TyperGroup):
    """Takes ``tocsin cost USE_CASE``: what is no verb is a use case."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the verb in where none was said."""
        is_verb = bool(args) and (args[0] in self.commands or args[0] == "--help")
        return super().parse_args(ctx, args if is_verb else ["show", *args])


def show(
    use_case: Annotated[str, typer.Argument(help="Only this one.")] = "",
    *,
    days: Days = 30,
    project: Project = "default",
    config: ConfigFile = None,
    data_dir: DataDir = None,
    api: Api = None,
    json: Json = False,
) -> None:
    """Show the bill of the last days, each line with its source; what is unknown says why."""
    asked: dict[str, str | int] = {"use_case": use_case, "project": project, "days": days}
    _print(_client(config, data_dir, api).get("/api/cost", asked), json=json)


def project_month(
    use_case: Annotated[str, typer.Argument(help="Only this one.")] = "",
    *,
    users: Annotated[float, typer.Option("--users", min=0, help="Users in that month.")],
    calls_per_user: Annotated[float, typer.Option("--calls-per-user", min=0, help="Calls of each in that month.")],
    days: Days = 30,
    project: Project = "default",
    config: ConfigFile = None,
    data_dir: DataDir = None,
    api: Api = None,
    json: Json = False,
) -> None:
    """Project a month of 30 days: what grows with calls by the calls, what people and judge do each day by the days."""
    month = users * calls_per_user
    asked: dict[str, str | int] = {
        "use_case": use_case,
        "project": project,
        "days": days,
        "calls_per_month": str(month),
    }
    _print(_client(config, data_dir, api).get("/api/cost", asked), json=json)


def _client(config: Path | None, data_dir: Path | None, api: str | None) -> Client:
    return Client.of(settle(config=config, data_dir=data_dir, api=api), timeout_s=_TIMEOUT_S)


def _print(found: dict[str, Any], *, json: bool) -> None:
    if json:
        print_json(found)
        return
    for each in found["bills"]:
        month = found["calls_per_month"]
        what = f"a month with {month:,.0f} calls, from" if month is not None else "what it costs:"
        say(
            f"{named(each)}: {what} {each['calls']:,.0f} calls from {when(found['since'])} to {when(found['until'])} UTC"
        )
        lines = [*each["lines"], *each["totals"]]
        print_table(("line", "amount", "quantity", "where it comes from"), [_line(line) for line in lines], empty="")
        say(_right(each))
    if not found["bills"]:
        say("no use cases with calls yet")


def _line(line: dict[str, Any]) -> tuple[Any, ...]:
    quantity = None if line["quantity"] is None else f"{line['quantity']:,.0f} {line['unit']}"
    source = f"{line['source']}. {line['unknown_because']}" if line["unknown_because"] else line["source"]
    return line["name"], _amount(line), quantity, source


def _amount(said: dict[str, Any]) -> str:
    if said["amount"] is not None:
        return f"{said['amount']:,.4f} {said['currency']}".strip()
    return f"unknown, at least {said['at_least']:,.4f} {said['currency']}".strip() if said["at_least"] else "unknown"


def _right(each: dict[str, Any]) -> str:
    right = each["right"]
    if right["value"] is None:
        return f"per right answer: unknown, {right['source']}\n"
    share = f"{right['value']:.1%} right ({right['lower']:.0%} to {right['upper']:.0%}, n = {right['n']}, {right['source']})"
    return f"per right answer: {'; '.join(_amount(one) for one in each['per_correct_answer'])}, {share}\n"
