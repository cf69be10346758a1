"""The verbs of incidents: which answers to run again or to correct."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from tocsin_console.cli.options import Api, ConfigFile, DataDir, Json, settle
from tocsin_console.cli.output import named, print_json, print_table, say, when
from tocsin_console.client import Client
from tocsin_console.errors import UsageProblem

_TIMEOUT_S = 900.0  # it reads every call of the incident
_SHOWN = 20

Incident = Annotated[str, typer.Argument(help="An incident, or how it begins.")]


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    incident = typer.Typer(help="Incidents, afterwards.", no_args_is_help=True)
    incident.callback()(lambda: None)
    incident.command("recall")(recall)
    app.add_typer(incident, name="incident")


def recall(
    incident: Incident,
    *,
    csv: Annotated[Path | None, typer.Option("--csv", help="Write all of them into this file; - is stdout.")] = None,
    webhook: Annotated[str, typer.Option("--webhook", help="Send all of them to this channel of tocsin.yaml.")] = "",
    top: Annotated[
        int | None, typer.Option("--top", min=1, help="Only the likeliest.", show_default=f"{_SHOWN} shown, all sent")
    ] = None,
    config: ConfigFile = None,
    data_dir: DataDir = None,
    api: Api = None,
    json: Json = False,
) -> None:
    """List the calls since an incident began, those first that were probably wrong, so that they can be run again or corrected."""
    if csv is not None and webhook:
        raise UsageProblem("expected --csv or --webhook, got both: ask twice")
    client = Client.of(settle(config=config, data_dir=data_dir, api=api), timeout_s=_TIMEOUT_S)
    path, limit = f"/api/incidents/{incident}/recall", {} if top is None else {"top": top}
    if csv is not None:
        _write(csv, client.stream(f"{path}.csv", limit))
        if str(csv) != "-":
            print_json({"file": csv}) if json else say(f"wrote {csv}")
        return
    if webhook:
        found = client.post(f"{path}/send", {"channel": webhook, **limit})
        if json:
            print_json(found)
        else:
            say(f"{webhook} took {found['sent']:,} calls of {found['recall']['incident'][:12]}")
        return
    found = client.get(path, {"top": top or _SHOWN})
    if json:
        print_json(found)
    else:
        _describe(found)


def _write(file: Path, pieces: Iterator[bytes]) -> None:
    """Write a stream into a file that is there only when it is whole."""
    if str(file) == "-":
        for piece in pieces:
            sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()
        return
    part = file.with_name(f"{file.name}.part")
    try:
        with part.open("wb") as out:
            out.writelines(pieces)
        part.replace(file)
    except OSError as error:
        raise UsageProblem(f"expected to write {file}: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)


def _describe(found: dict[str, Any]) -> None:
    recall = found["recall"]
    rests = {"alert": "a day before the first alert, since no onset can be found"}
    by = rests.get(recall["since_by"], f"the onset by {recall['since_by']}")
    say(
        f"{recall['incident'][:12]} of {named(recall)}, from {when(recall['since'])} UTC ({by}) to {when(recall['until'])} UTC"
    )
    times = recall["factors"]["overall"]
    say(
        f"odds of being wrong are {times:.1f} times those of the calibration, by {recall['factors']['labels']:,} labelled calls"
        if recall["factors"]["labels"]
        else "too few labelled calls to say more than the calibration"
        if recall["is_calibrated"]
        else "neither calibrated nor labelled: ordered by the model's own confidence"
    )
    columns = ("wrong", "known", "call", "key", "user", "at", "answer", "cost")
    print_table(columns, [_call(each) for each in found["calls"]], empty="no calls of the model in that time")


def _call(each: dict[str, Any]) -> tuple[Any, ...]:
    wrong = "unknown" if each["probability_wrong"] is None else f"{each['probability_wrong']:.0%}"
    cost = None if each["cost"] is None else f"{each['cost']:.6g} {each['currency']}"
    at = when(each["started_at"])
    return (
        wrong,
        each["known"],
        each["call_id"],
        each["business_key"],
        each["user"],
        at,
        str(each["answer"] or "")[:40],
        cost,
    )
