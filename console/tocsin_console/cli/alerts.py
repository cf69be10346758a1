"""The verbs of alerts: what fires, who has it, and what people do not want to be told for a while."""

from typing import Annotated, Any

import typer

from tocsin_console.cli.options import Api, By, ConfigFile, DataDir, Json, connect, person
from tocsin_console.cli.output import named, print_json, print_table, say, when
from tocsin_console.errors import FINDING, UsageProblem

_MATCH = "Only alerts with this label, also several times: severity=ticket, model_version=~7.*, segment!=device=a."


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    alerts = typer.Typer(help="Alerts.", no_args_is_help=True)
    alerts.command("list")(list_alerts)
    alerts.command("show")(show_alert)
    alerts.command("history")(list_history)
    alerts.command("ack")(acknowledge)
    alerts.command("silence")(silence)
    alerts.command("silences")(silences)
    alerts.command("expire")(expire)
    alerts.command("test-notify")(notify_to_test)
    app.add_typer(alerts, name="alerts")


def list_alerts(
    *,
    use_case: Annotated[str | None, typer.Option("--use-case", help="Only of this one.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Resolved and inactive ones too.")] = False,
    config: ConfigFile = None,
    data_dir: DataDir = None,
    api: Api = None,
    json: Json = False,
) -> None:
    """List the alerts that are pending, firing, recovering, or cannot be evaluated. Exits 1 when a page fires."""
    asked = {**({"all": "1"} if everything else {}), **({"use_case": use_case} if use_case else {})}
    found = connect(config, data_dir, api).get("/api/alerts", asked)["alerts"]
    if json:
        print_json(found)
    else:
        columns = ("use case", "rule", "severity", "state", "labels", "value", "since", "incident", "taken by", "why")
        print_table(columns, [_alert(each) for each in found], empty="no alerts")
    if any(each["state"] == "firing" and each["severity"] == "page" for each in found):
        raise typer.Exit(FINDING)


def show_alert(
    incident: Annotated[str, typer.Argument(help="An incident, or how it begins.")],
    *,
    config: ConfigFile = None,
    data_dir: DataDir = None,
    api: Api = None,
    json: Json = False,
) -> None:
    """Print the notifications of an incident as they were rendered; of one that nobody was told of, why."""
    client = connect(config, data_dir, api)
    found = client.get(f"/api/notifications/{incident}")["notifications"]
    if json:
        print_json(found)
        return
    untold = [] if found else [each for each in client.get("/api/alerts")["alerts"] if _is_of(each, incident)]
    if not found and not untold:
        raise UsageProblem(f"expected an incident of 'tocsin alerts list --all', got {incident!r}")
    for each in untold:
        say(f"{named(each)}, {each['rule']}: {_untold(each)}")
    for each in found:
        say(f"--- {each['transition']} to {each['channel']}: {each['state']}, {when(each['slot'])} UTC")
        say(f"Subject: {each['subject']}\n\n{each['text']}")


def list_history(
    use_case: Annotated[str, typer.Argument(help="Only of this one.")] = "",
    *,
    rule: Annotated[str, typer.Option("--rule", help="Only those in which this rule fired.")] = "",
    lasts: Annotated[str, typer.Option("--for", help="How far back: 90d.")] = "90d",
    config: ConfigFile = None,
    data_dir: DataDir = None,
    api: Api = None,
    json: Json = False,
) -> None:
    """List past incidents: when they began and ended, who had them, what they were worth, and who was told."""
    asked = {"use_case": use_case, "rule": rule, "for": lasts}
    found = connect(config, data_dir, api).get("/api/alerts/history", asked)["incidents"]
    if json:
        print_json(found)
        return
    columns = (
        "use case",
        "severity",
        "since",
        "until",
        "rules",
        "incident",
        "taken by",
        "verdict",
        "told",
        "began with",
    )
    print_table(columns, [_incident(each) for each in found], empty=f"no incidents in the last {lasts}")


def acknowledge(
    incident: Annotated[str, typer.Argument(help="An open incident, or how it begins.")],
    note: Annotated[str, typer.Option("--note", help="What you are about to do, for the audit log.")] = "",
    *,
    verdict: Annotated[
        str, typer.Option("--verdict", help="Whether it was worth a page: actionable or noise; afterwards too.")
    ] = "",
    by: By = None,
    config: ConfigFile = None,
    data_dir: DataDir = None,
    api: Api = None,
    json: Json = False,
) -> None:
    """Take an incident: everybody sees who looks at it, and 'tocsin cost' counts the minutes until it is over."""
    body = {"actor": person(by), "note": note, "verdict": verdict}
    answer = connect(config, data_dir, api).post(f"/api/alerts/{incident}/acknowledge", body)
    taken = answer["acknowledgement"]
    if json:
        print_json(taken or answer["verdict"])
        return
    if taken is None:  # it is over: there is nothing left to take
        said = answer["verdict"]
        say(f"{said['incident'][:12]} of {named(said)} was {said['verdict']}, says {said['by']}")
        return
    had = "" if taken["is_new"] else "already "
    say(f"{taken['incident'][:12]} of {named(taken)} is {had}{taken['by']}'s, since {when(taken['at'])} UTC")


def silence(
    use_case: Annotated[str, typer.Argument(help="The use case; without one, a rule of every use case.")] = "",
    *,
    lasts: Annotated[str, typer.Option("--for", help="How long, at most 30 days: 90m, 6h, 2d.")] = "",
    since: Annotated[
        str, typer.Option("--from", help="From a time on: 2026-12-24T18:00+01:00; UTC without offset.")
    ] = "",
    until: Annotated[str, typer.Option("--until", help="Until a time, instead of --for.")] = "",
    because: Annotated[str, typer.Option("--because", help="Why, for whoever finds it at night.")],
    rule: Annotated[str, typer.Option("--rule", help="Only this rule.")] = "",
    match: Annotated[list[str] | None, typer.Option("--match", help=_MATCH)] = None,
    project: Annotated[str, typer.Option("--project", help="The use case's project.")] = "default",
    by: By = None,
    config: ConfigFile = None,
    data_dir: DataDir = None,
    api: Api = None,
    json: Json = False,
) -> None:
    """Tell nobody of some alerts for a while. They go on, and so does the guard; what still fires at the end is told then."""
    if bool(lasts) == bool(until):
        raise UsageProblem("expected either --for or --until: a silence has one end")
    body = {"use_case": use_case, "rule": rule, "matchers": match or [], "project": project, "because": because}
    body |= {"for": lasts, "from": since, "until": until}
    made = connect(config, data_dir, api).post("/api/silences", {**body, "actor": person(by)})["silence"]
    if json:
        print_json(made)
        return
    begins = f"from {when(made['since'])} " if since else ""
    say(f"{made['silence']}: nobody is told of {_subject(made)} {begins}until {when(made['until'])} UTC")


def silences(*, config: ConfigFile = None, data_dir: DataDir = None, api: Api = None, json: Json = False) -> None:
    """List the silences in force and to come, and the maintenance windows that are open."""
    found = connect(config, data_dir, api).get("/api/silences")["silences"]
    if json:
        print_json(found)
        return
    columns = ("silence", "of", "from", "until", "by", "because")
    rows = [(e["silence"], _subject(e), when(e["since"]), when(e["until"]), e["author"], e["reason"]) for e in found]
    print_table(columns, rows, empty="no silences: everybody is told")


def expire(
    silence: Annotated[str, typer.Argument(help="A silence, or how it begins.")],
    *,
    by: By = None,
    config: ConfigFile = None,
    data_dir: DataDir = None,
    api: Api = None,
    json: Json = False,
) -> None:
    """End a silence now; what it kept still, and still fires, is told."""
    ended = connect(config, data_dir, api).post(f"/api/silences/{silence}/expire", {"actor": person(by)})["silence"]
    if json:
        print_json(ended)
        return
    say(f"{ended['silence']} has ended: {_subject(ended)} is told again")


def notify_to_test(
    channel: Annotated[str, typer.Argument(help="Only this channel of tocsin.yaml.")] = "",
    *,
    config: ConfigFile = None,
    data_dir: DataDir = None,
    api: Api = None,
    json: Json = False,
) -> None:
    """Send a message marked TEST, and its end, to each channel, from the process that tells people. Exits 1 where one fails."""
    tried = connect(config, data_dir, api).post("/api/channels/test", {"channel": channel})["channels"]
    if json:
        print_json(tried)
    else:
        columns = ("channel", "kind", "took", "what it said")
        rows = [
            (e["channel"], e["kind"].removesuffix("Channel"), f"{e['took_s']:.1f} s", e["error"] or "taken, both")
            for e in tried
        ]
        print_table(columns, rows, empty="no channels")
    if any(each["error"] for each in tried):
        raise typer.Exit(FINDING)


def _subject(silence: dict[str, Any]) -> str:
    every = f"every use case of {silence['project']}" if silence["project"] else "every project"
    where = named(silence) if silence["use_case"] else every
    further = f" with {', '.join(silence['matchers'])}" if silence["matchers"] else ""
    return f"{silence['rule'] or 'every alert'} of {where}{further}"


def _alert(each: dict[str, Any]) -> tuple[Any, ...]:
    state = f"{each['state']} ({each['overlay']})" if each["overlay"] else each["state"]
    return (
        named(each),
        each["rule"],
        each["severity"],
        state,
        each["labels"],
        each["value"],
        when(each["since"]),
        each["incident"][:12],
        each["acknowledged_by"] or _kept(each),
        each["reason"],
    )


def _incident(each: dict[str, Any]) -> tuple[Any, ...]:
    told = [*each["told"], *(f"not {channel}" for channel in each["not_told"])]
    return (
        named(each),
        each["severity"],
        when(each["since"]),
        when(each["until"]) or "open",
        ", ".join(sorted(each["rules"])),
        each["incident"][:12],
        each["acknowledged_by"] or None,
        each["verdict"] or None,
        ", ".join(told) or "nobody",
        each["worst"],
    )


def _is_of(alert: dict[str, Any], incident: str) -> bool:
    return bool(alert["incident"]) and alert["incident"].startswith(incident)


def _untold(each: dict[str, Any]) -> str:
    """Say why nobody was told of an alert that fires; of one that waits, in the words of a first line."""
    if each["held"] == "waiting" and not each["silenced_until"]:
        return f"Nothing until {when(each['held_until'])} UTC: {each['held_because']}."
    return _kept(each) or "its message is on its way"


def _kept(each: dict[str, Any]) -> str:
    """Say why nobody is told of it."""
    if each["silenced_until"]:
        return f"nobody: silent until {when(each['silenced_until'])}"
    if each["held"] == "waiting":
        return f"nobody: waiting until {when(each['held_until'])}, {each['held_because']}"
    if each["held"] == "ticket":
        return f"a ticket: {each['held_because']}"
    return f"nobody: {each['held']} {each['held_because']}" if each["held"] else ""
