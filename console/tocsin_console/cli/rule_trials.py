"""Verbs that try rules: test on stories, dry-run on the store as it is, backtest on its history."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tocsin_alerts.jobs import is_of_now
from tocsin_console.cli.options import Api, ConfigFile, DataDir, Json, settle
from tocsin_console.cli.output import complain, named, print_json, print_table, say, when
from tocsin_console.client import Client
from tocsin_console.errors import FINDING, Unreachable

if TYPE_CHECKING:
    from tocsin_console.config import Config
    from tocsin_console.rehearsing import Rehearsal

Names = Annotated[list[str] | None, typer.Argument(help="Only these rules.", metavar="[RULE]...")]
Ask = Callable[[str, dict[str, Any]], Any]

_WIDTH = 60  # columns of a timeline


def register(rules: typer.Typer) -> None:
    """Add the verbs."""
    rules.command("test")(run_tests)
    rules.command("dry-run")(dry_run)
    rules.command("backtest")(backtest)


def run_tests(names: Names = None, *, config: ConfigFile = None, json: Json = False) -> None:
    """Run the stories in rules and in *.test.yaml beside them. Exits 1 with the transitions that differ. Needs no running tocsin."""
    from tocsin_alerts.rule_tests import run_stories
    from tocsin_console import rulebook
    from tocsin_console.rehearsing import pick

    settled = settle(config=config)
    reading = rulebook.read(settled)
    reading.require_sound()
    wanted = {rule.name for rule in pick(reading.book, names or [])}
    results, findings = run_stories(reading.book, settled.rules_dir)
    results = [each for each in results if each.rule in wanted]
    failed = [each for each in results if not each.passes]
    if json:
        documents = [
            {
                "rule": each.rule,
                "test": each.test,
                "path": each.path,
                "line": each.line,
                "passes": each.passes,
                "diff": each.diff(),
            }
            for each in results
        ]
        print_json({"tests": documents, "findings": [str(finding) for finding in findings]})
    else:
        for each in failed:
            say(f"{each.path}:{each.line}: {each.rule}: {each.test}")
            for line in each.diff():
                say(f"    {line}")
        for finding in findings:
            say(str(finding))
        untested = sorted(wanted - {each.rule for each in results})
        say(f"{len(results)} tests of {len(wanted)} rules, {len(failed)} failed")
        if untested:
            say(f"without a test: {', '.join(untested)}")
    if failed or findings:
        raise typer.Exit(FINDING)


def dry_run(
    names: Names = None, *, config: ConfigFile = None, data_dir: DataDir = None, api: Api = None, json: Json = False
) -> None:
    """Evaluate rules now, as their files say them now, and show what each would do and why. Nobody is told, nothing is kept."""
    settled = settle(config=config, data_dir=data_dir, api=api)
    with asking(settled) as ask:
        judged = ask("dry-run", {"rules": names or []})["judged"]
    if json:
        print_json(judged)
        return
    rows = [
        (each["rule"], each["severity"], named(each), each["labels"], each["says"], each["why"], when(each["slot"]))
        for each in sorted(judged, key=lambda each: (_ORDER.get(each["says"], 9), each["rule"]))
    ]
    columns = ("rule", "severity", "use case", "labels", "would", "why", "slot")
    print_table(columns, rows, empty="no rule has anything to judge yet")


def backtest(
    names: Names = None,
    *,
    since: Annotated[str, typer.Option("--from", help="Day or time, UTC.")],
    until: Annotated[str | None, typer.Option("--to", help="Day or time, UTC.", show_default="now")] = None,
    max_fires: Annotated[
        int | None,
        typer.Option(
            min=0, help="Exit 1 above this many incidents of a rule.", show_default="its false_pages_per_year"
        ),
    ] = None,
    chart: Annotated[
        Path | None, typer.Option("--chart", help="Draw it into this file too, .svg or .png; needs tocsin[charts].")
    ] = None,
    config: ConfigFile = None,
    data_dir: DataDir = None,
    api: Api = None,
    json: Json = False,
) -> None:
    """Run rules over stored history: how often each would have fired and flapped, for how long, drawn. Nothing is journalled.

    Exits 1 when a rule opens more incidents than --max-fires, or a page rule more than it was measured to on healthy streams.
    """
    from tocsin_console import rulebook
    from tocsin_console.api.answering import time_of
    from tocsin_console.cli import backtest_chart
    from tocsin_console.rehearsing import pick

    if chart is not None:
        backtest_chart.require_drawable(chart)
    settled = settle(config=config, data_dir=data_dir, api=api)
    reading = rulebook.read(settled)
    reading.require_sound()
    rules = [rule for rule in pick(reading.book, names or []) if names or not is_of_now(rule.source)]
    span = {"since": time_of(since).isoformat(), **({"until": time_of(until).isoformat()} if until else {})}
    with asking(settled) as ask, _progress(len(rules), quiet=json) as done:
        found = [done(ask("backtest", {"rule": rule.name, **span})) for rule in rules]
    over = [each["rule"] for each in found if _is_over(each, max_fires)]
    if chart is not None and found:
        backtest_chart.save(found, chart)
    if json:
        print_json({"rules": found, "over": over})
    else:
        _draw(found)
        for name in over:
            complain(f"{name} opens more incidents than it may")
    if over:
        raise typer.Exit(FINDING)


def _is_over(found: dict[str, Any], max_fires: int | None) -> bool:
    most = found["most_incidents"] if max_fires is None else max_fires
    return most is not None and found["incidents"] > most


def _draw(found: list[dict[str, Any]]) -> None:
    rows = []
    for each in found:
        most = each["most_incidents"]
        budget = "" if most is None else f"of {most:.3g}"
        firing = str(timedelta(seconds=round(each["firing_s"]))) if each["firing_s"] else ""
        rows.append(
            (
                each["rule"],
                each["severity"],
                len(each["series"]),
                each["fired"],
                each["flapped"],
                firing,
                f"{each['incidents']} {budget}",
            )
        )
    columns = ("rule", "severity", "series", "fired", "flapped", "firing for", "incidents")
    print_table(columns, rows, empty="no rules")
    for each in found:
        for series in each["series"]:
            if series["fired"]:
                labels = " ".join(f"{name}={value}" for name, value in series["labels"].items() if value)
                say(f"{each['rule']}: {named(series)} {labels}".rstrip())
                say(f"    {each['since'][:10]} {_timeline(each, series)} {each['until'][:10]}")
                for begun, ended in series["spans"]:
                    say(f"    fired {when(begun)}, " + (f"resolved {when(ended)}" if ended else "still firing"))


def _timeline(found: dict[str, Any], series: dict[str, Any]) -> str:
    """Draw one series: a column is dark when it was firing in any part of it."""
    begin, end = (datetime.fromisoformat(found[name]) for name in ("since", "until"))
    width = (end - begin) / _WIDTH
    spans = [(datetime.fromisoformat(a), datetime.fromisoformat(b) if b else end) for a, b in series["spans"]]
    starts = [begin + at * width for at in range(_WIDTH)]
    return "".join("█" if any(a < start + width and b >= start for a, b in spans) else "·" for start in starts)


_ORDER = {"fires": 0, "waits": 1, "quiet": 2, "insufficient data": 3, "not asked": 4}


@contextmanager
def asking(settled: "Config") -> Iterator[Ask]:
    """Ask the running tocsin, or the store while nothing runs."""
    client = Client.of(settled, timeout_s=600.0)
    try:
        client.get("/healthz")
    except Unreachable:
        if settled.api_is_given:
            raise
    else:
        yield lambda what, body: client.post(f"/api/rules/{what}", body)
        return
    from tocsin_console.at_rest import opened
    from tocsin_console.rehearsing import Rehearsal
    from tocsin_console.statements import statement
    from tocsin_console.tables import sync_plans

    with opened(settled, now=datetime.now(UTC)) as store:
        from tocsin_alerts.plan import Plans

        sync_plans(store, Plans.load(settled.use_cases_dir), now=datetime.now(UTC))
        seen = store.rows(statement("last_hour"))[0]
        last: datetime = seen["last_hour"]
        is_data = settled.clock == "data" and seen["hours"]
        now = last + timedelta(hours=1) if is_data else datetime.now(UTC)
        yield lambda what, body: _answer(Rehearsal(settled, store, complete_to=lambda: now), what, body)


def _answer(rehearsal: "Rehearsal", what: str, body: dict[str, Any]) -> Any:
    from tocsin_console.api.answering import time_of
    from tocsin_console.wire import plain

    if what == "dry-run":
        return plain({"judged": rehearsal.now(body["rules"])})
    until = body.get("until")
    return plain(
        rehearsal.past(
            body["rule"],
            since=time_of(body["since"]),
            until=time_of(until) if until else None,
            shipped=bool(body.get("shipped")),
        )
    )


@contextmanager
def _progress(total: int, *, quiet: bool) -> Iterator[Callable[[Any], Any]]:
    """Show on stderr how many rules are done."""
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), disable=quiet or total < 2, transient=True) as shown:
        task = shown.add_task("rules", total=total)

        def done(found: Any) -> Any:
            shown.advance(task)
            return found

        yield done
