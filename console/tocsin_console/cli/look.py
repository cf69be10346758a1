"""Verbs that only look: status and query."""

import sys
from collections.abc import Iterator
from typing import Annotated, Any, Final

import typer

from tocsin_console.cli.options import Api, ConfigFile, DataDir, Json, connect
from tocsin_console.cli.output import named, print_json, print_table, say, when
from tocsin_console.drill.standing import time_to_notice
from tocsin_console.errors import FINDING, UsageProblem
from tocsin_console.heartbeats import in_words

_FEW: Final = 5


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    app.command()(status)
    app.command()(query)


def status(*, config: ConfigFile = None, data_dir: DataDir = None, api: Api = None, json: Json = False) -> None:
    """How things stand: the ledger, the spool, how far evaluation has come, and each use case's verdict.

    Exits 1 when a use case is wrong or the ledger does not balance.
    """
    state = connect(config, data_dir, api).get("/api/status")
    if json:
        print_json(state)
    else:
        _describe(state)
    is_wrong = any(each["verdict"] == "wrong" for each in state["use_cases"])
    if is_wrong or not state["ledger"]["balances"]:
        raise typer.Exit(FINDING)


def query(
    sql: Annotated[str, typer.Argument(help="One statement that reads; - takes it from stdin.")],
    *,
    config: ConfigFile = None,
    data_dir: DataDir = None,
    api: Api = None,
    json: Json = False,
) -> None:
    """Ask the store in SQL. Start with the views calls, quality_daily, drift_daily and cost_daily."""
    text = sys.stdin.read() if sql == "-" else sql
    if not text.strip():
        raise UsageProblem("expected a statement, got nothing: try 'SELECT * FROM calls LIMIT 5'")
    answer = connect(config, data_dir, api).post("/api/query", {"sql": text})
    if json:
        print_json([dict(zip(answer["columns"], row, strict=True)) for row in answer["rows"]])
        return
    print_table(answer["columns"], answer["rows"], empty="no rows")


def _describe(state: dict[str, Any]) -> None:
    ledger = state["ledger"]
    balance = "balances" if ledger["balances"] else "DOES NOT BALANCE"
    say(f"tocsin {state['version']} in {state['data_dir']}, {state['clock']} clock, up {state['uptime_s']:.0f} s")
    say(
        f"ledger    {balance}: {ledger['spans_loaded']:,} spans loaded = {ledger['spans_stored']:,} stored, "
        f"{ledger['calls_stored']:,} AI calls, {ledger['outcomes_stored']:,} outcomes, "
        f"{ledger['requests_set_aside']:,} requests set aside"
    )
    for items, each in ledger["kinds"].items():
        fates = each["since_start"]
        if items == "spans" or fates.get("received"):
            became = " + ".join(f"{n:,} {fate}" for fate, n in fates.items() if fate != "received" and n) or "0"
            say(f"          since the start {fates.get('received', 0):,} {items} received = {became.replace('_', '-')}")
        if each["difference"] or each["unaccounted"]:
            say(
                f"          {each['difference'] or 0:,} loaded {items} are not there, {each['unaccounted']:,} have no fate"
            )
    _describe_outcomes(ledger["outcomes_without_call"], state["use_cases"])
    for each in state.get("releases", ()):
        if each["is_in_use"] and (each["compared_with"] and not each["accepted_by"]):
            version = " ".join(each[name] for name in ("model_version", "prompt_version") if each[name])
            say(f"release   {named(each)}: {version} is {each['line']}")
    say(f"spool     {ledger['spool_bytes']:,} bytes wait")
    for what, warning in _warnings(state):
        say(f"{what:<9} {warning}")
    say(f"evaluated through {when(state['evaluated_through']) or 'nothing yet'}")
    say(f"watching  {in_words(state['heartbeats'])}")
    for each in state["itself"]:
        of = " ".join(f"{k}={v}" for k, v in each["labels"].items())
        say(
            f"itself    {each['rule']} {of} {each['state']} since {when(each['since'])}: {each['reason']}".replace(
                "  ", " "
            )
        )
    for name, loop in state["loops"].items():
        if loop["consecutive_failures"]:
            say(f"loop      {name} failed {loop['consecutive_failures']} times in a row: {loop['last_error']}")
    columns = (
        "use case",
        "verdict",
        "why",
        "accuracy",
        "estimate",
        "time to notice",
        "guard",
        "calls",
        "outcomes",
        "owner",
    )
    rows = [
        (
            named(each),
            each["verdict"],
            each["reason"],
            _share(each["accuracy"]),
            _share(each["estimate"]),
            time_to_notice(each.get("drill")),
            each["guard"],
            each["calls"],
            each["outcomes"],
            each["owner"] or "unanswered",
        )
        for each in state["use_cases"]
    ]
    print_table(columns, rows, empty=f"no use cases yet: send spans to {state['addresses']['grpc']}")


def _describe_outcomes(waiting: int, use_cases: list[dict[str, Any]]) -> None:
    if waiting:
        say(f"outcomes  {waiting:,} wait for calls that are not known yet")
    if against := sum(each["outcomes_contradictory"] for each in use_cases):
        say(f"outcomes  of {against:,} calls say different things: see 'tocsin outcomes contradictory'")


def _resting(waiting: dict[str, Any]) -> str:
    """Say which pages nobody is called for before people work, and what they cost until then."""
    listed = waiting["incidents"]
    shown = [
        named(each) + ("" if each["wrong"] is None else f" (about {each['wrong']:,.0f} wrong answers by then)")
        for each in listed[:_FEW]
    ]
    shown += [f"{len(listed) - _FEW} more"] if len(listed) > _FEW else []
    pages = f"{waiting['pages']} page{'s wait' if waiting['pages'] > 1 else ' waits'}"
    return f"{pages} for people to work, the first until {when(waiting['until'])}: {', '.join(shown)}"


def _warnings(state: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if unfit := state["collector"].get("unfit"):
        yield "tables", unfit
    if (waiting := state["waiting"])["pages"]:
        yield "waiting", _resting(waiting)
    if filling := state["disk"]["warning"]:
        yield "disk", filling
    for each in state.get("reviews_overdue", ()):
        said = (
            f"of {named(each)} is overdue, {each['scored']} of {each['size']} of {each['week']} scored: 'tocsin review'"
        )
        yield "review", said
    for each in state.get("retraining", ()):
        yield "retrain", f"{named(each)} {each['warning']}"
    for each in state.get("collectors", ()):
        if not each["is_live"]:
            said = f"collector {each['name']} since {when(each['heard_at'])}: slots since then may lack its calls"
            yield "silent", said


def _share(sample: dict[str, Any] | None) -> str | None:
    return None if sample is None or sample["value"] is None else f"{sample['value']:.1%}"
