"""The verb about false pages: rules budget."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tocsin_console.cli.options import Api, ConfigFile, DataDir, Json, settle
from tocsin_console.cli.output import named, print_json, print_table, say
from tocsin_console.errors import FINDING

if TYPE_CHECKING:
    from tocsin_alerts.budget import Spend


def register(rules: typer.Typer) -> None:
    """Add the verb."""
    rules.command("budget")(budget)


def budget(
    *,
    streams: Annotated[int | None, typer.Option(min=1, help="Ask about as many use cases as this.")] = None,
    config: ConfigFile = None,
    data_dir: DataDir = None,
    api: Api = None,
    json: Json = False,
) -> None:
    """Show what the page rules spend of one false page a quarter, over every use case that has calls, and what that makes them ask for.

    The figures are the rules' false_pages_per_year, measured on stationary streams. Exits 1 when a use case or the sum is over.
    """
    from tocsin_alerts.budget import spend
    from tocsin_alerts.plan import Plans
    from tocsin_console import rulebook
    from tocsin_console.streams import streams_with_calls

    settled = settle(config=config, data_dir=data_dir, api=api)
    reading = rulebook.read(settled)
    reading.require_sound()
    known = streams_with_calls(settled, now=datetime.now(UTC))
    found = spend(reading.book, Plans.load(settled.use_cases_dir), known, count=streams or len(known) or 1)
    if json:
        print_json(_document(found))
    else:
        _describe(found, are_known=bool(known))
    if found.holds == "over" or any(each.holds == "over" for each in found.streams):
        raise typer.Exit(FINDING)


def _document(found: "Spend") -> dict[str, Any]:
    from tocsin_alerts.budget import ROTATION_PER_YEAR, STREAM_PER_YEAR

    return {
        "holds": found.holds,
        "per_year": found.per_year,
        "loose_per_year": found.loose_per_year,
        "strict": found.strict,
        "most_per_year": ROTATION_PER_YEAR,
        "most_per_stream_year": STREAM_PER_YEAR,
        "streams": found.count,
        "most_streams": found.most_streams,
        "unmeasured": found.unmeasured,
        "make_tickets": found.make_tickets(),
        "rules": [
            {
                "rule": each.rule,
                "path": each.path,
                "each": each.each,
                "streams": each.streams,
                "per_year": each.per_year,
            }
            for each in found.rules
        ],
        "use_cases": [
            {
                "project": each.project,
                "use_case": each.use_case,
                "per_year": each.per_year,
                "holds": each.holds,
                "unmeasured": each.unmeasured,
            }
            for each in found.streams
        ],
    }


def _describe(found: "Spend", *, are_known: bool) -> None:
    from tocsin_alerts.budget import ROTATION_PER_YEAR, STREAM_PER_YEAR

    rows = [(each.rule, _measured(each.each), each.streams, _measured(each.per_year)) for each in found.rules]
    print_table(("page rule", "false pages a year", "use cases", "together"), rows, empty="no rule pages")
    if not are_known:
        say("no use case has calls yet: this is what one without a plan spends")
    for each in found.streams:
        name = named({"project": each.project, "use_case": each.use_case})
        say(f"{name}: {_sum(each.per_year, each.unmeasured)} a year of {STREAM_PER_YEAR:g}: {each.holds}")
    spent = _sum(found.per_year, found.unmeasured)
    say(f"{found.count:,} use cases together: {spent} false pages a year of {ROTATION_PER_YEAR:g}: {found.holds}")
    if found.strict > 0:
        say(
            f"at the rules' own thresholds it would be {found.loose_per_year:.3g}: rules with evidence in nats ask for {found.strict:.2f} more"
        )
    if found.most_streams is not None:
        most = "at most " if found.unmeasured else ""
        say(f"the budget bears {most}{found.most_streams:,} use cases such as these")
    if found.unmeasured:
        say(f"not measured: {', '.join(found.unmeasured)}: say 'false_pages_per_year' once they are")
    if tickets := found.make_tickets():
        say(f"over: with 'severity: ticket' for {', '.join(tickets)} the rest is within it")


def _measured(per_year: float | None) -> str:
    return "not measured" if per_year is None else f"{per_year:.3g}"


def _sum(per_year: float, unmeasured: tuple[str, ...]) -> str:
    return f"at least {per_year:.3g}" if unmeasured else f"{per_year:.3g}"
