"""The verb that reads calls out of an otel_traces that is there already."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tocsin_console.cli.options import By, ClickHouse, ConfigFile, DataDir, Json, person, settle
from tocsin_console.cli.output import complain, print_json, print_table, say, when
from tocsin_console.config import Config
from tocsin_console.errors import UsageProblem
from tocsin_console.wire import plain

if TYPE_CHECKING:
    from tocsin_collector.adopt.adoption import Adopter, Adoption, Plan


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("adopt")(adopt)


def adopt(
    tables: Annotated[list[str] | None, typer.Argument(help="As database.table. None: list what is adopted.")] = None,
    *,
    project: Annotated[str, typer.Option("--project", help="Of every call that is read.")] = "default",
    since: Annotated[str, typer.Option("--since", help="Leave out what is older: 30d, or a day.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be read, and change nothing.")] = False,
    undo: Annotated[bool, typer.Option("--undo", help="Read no more of it; calls that were read stay.")] = False,
    unredacted: Annotated[
        bool, typer.Option("--unredacted", help="Although rules under redact do not reach such a table.")
    ] = False,
    by: By = None,
    clickhouse: ClickHouse = None,
    config: ConfigFile = None,
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Read AI calls out of an otel_traces, and outcomes out of an otel_logs, that the OpenTelemetry Collector writes on the same server."""
    from tocsin_collector.adopt.adoption import Adopter
    from tocsin_console.at_rest import opened

    now = datetime.now(UTC)
    settled = settle(clickhouse=clickhouse, config=config, data_dir=data_dir)
    start = _start(since, now)
    _require_unredacted(settled, asked=bool(tables) and not undo, allowed=unredacted)
    with opened(settled, now=now) as database:
        adopter = Adopter(database, now=lambda: datetime.now(UTC))
        if not tables:
            _list(adopter.adoptions(), json=json)
            return
        if undo:
            _show_undone([adopter.undo(name, by=person(by)) for name in tables], json=json)
            return
        plans = [adopter.plan(name, project=project, since=start) for name in tables]
        if dry_run:
            _show_plans(plans, json=json)
            return
        found = [_adopted(adopter, plan, by=person(by), json=json) for plan in plans]
    if json:
        print_json({"adopted": found})


def _start(since: str, now: datetime) -> datetime | None:
    """Read how far back to go: a period, a day or a time."""
    from tocsin_alerts.durations import parse_duration
    from tocsin_console.api.answering import time_of

    if not since:
        return None
    try:
        return now - parse_duration(since)
    except ValueError:
        return time_of(since, "--since")


def _require_unredacted(config: Config, *, asked: bool, allowed: bool) -> None:
    if asked and config.redactions and not allowed:
        raise UsageProblem(
            f"expected redaction to reach everything that is stored, and the rules under redact "
            f"({', '.join(rule.name for rule in config.redactions)}) run in tocsin's collector, which rows of this table have passed by: "
            f"redact in the OpenTelemetry Collector, then adopt with --unredacted"
        )


def _adopted(adopter: "Adopter", plan: "Plan", *, by: str, json: bool) -> dict[str, Any]:
    read = 0
    for filled_to, rows in adopter.adopt(plan, by=by):
        read += rows
        complain(f"{plan.source} to {min(filled_to, datetime.now(UTC)):%Y-%m-%d}: {read:,}")
    if not json:
        say(f"{plan.source}: {read:,} {_WHAT[plan.kind]} read, and each new one from now on, in project {plan.project}")
    return {"source": plan.source, "kind": plan.kind, "project": plan.project, "read": read}


def _show_plans(plans: "list[Plan]", *, json: bool) -> None:
    if json:
        print_json({"would_adopt": plain(plans)})
        return
    for plan in plans:
        say(
            f"{plan.source}: {plan.rows:,} {_WHAT[plan.kind]} from {plan.since:%Y-%m-%d} to {plan.until:%Y-%m-%d} would be read, "
            f"and each new one from then on, in project {plan.project}"
        )


def _show_undone(undone: "list[Adoption]", *, json: bool) -> None:
    if json:
        print_json({"undone": plain(undone)})
        return
    for each in undone:
        say(f"{each.source}: nothing more is read; what was read stays")


def _list(adoptions: "list[Adoption]", *, json: bool) -> None:
    if json:
        print_json({"adopted": plain(adoptions)})
        return
    rows = [
        (
            each.source,
            each.kind,
            each.project,
            when(each.since.isoformat()),
            when(each.filled_to.isoformat()),
            each.rows,
            each.by,
            not each.is_undone,
        )
        for each in adoptions
    ]
    columns = ("table", "holds", "project", "since", "up to", "read", "by", "goes on")
    print_table(columns, rows, empty="no tables yet: tocsin adopt otel.otel_traces")


_WHAT = {"traces": "AI calls", "logs": "outcomes"}
