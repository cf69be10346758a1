"""Verbs about what is kept of people: forget."""

from typing import Annotated, Any

import typer

from tocsin_console.cli.options import Api, By, ConfigFile, DataDir, Json, person, settle
from tocsin_console.cli.output import complain, print_json, print_table, say
from tocsin_console.client import Client
from tocsin_console.errors import FINDING, Unreachable, UsageProblem
from tocsin_console.wire import plain

_LONG_S = 900.0  # erasing rewrites the parts that hold something


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    app.command()(forget)


def forget(
    *,
    user: Annotated[str | None, typer.Option("--user", help="A user, as in user.id or enduser.id.")] = None,
    call: Annotated[str | None, typer.Option("--call", help="A call's handle, t1.…")] = None,
    call_id: Annotated[str | None, typer.Option("--call-id", help="A call's id, where no handle is at hand.")] = None,
    project: Annotated[
        str, typer.Option("--project", help="In which project; ids of others may be other people.")
    ] = "default",
    whole_traces: Annotated[
        bool, typer.Option("--whole-traces", help="Also the spans beside and above, where a trace is one person's.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count what would go.")] = False,
    by: By = None,
    config: ConfigFile = None,
    data_dir: DataDir = None,
    api: Api = None,
    json: Json = False,
) -> None:
    """Erase a user or a call from everything that is kept, and count again to prove it.

    Of a user: the spans that carry the id (user.id, enduser.id, enduser.pseudo.id, langfuse.user.id,
    traceloop.association.properties.user_id) and every span below them in their trace, the calls, contents, logs,
    outcomes, reviews and dead letters of these, values in histograms that nobody else had, and the text of messages that
    showed such a call. Hourly sums stay: they hold no person. What waits in the spool is loaded first. What arrives later
    under the same id is kept as anybody's. Exits 0 only when nothing is left, 1 when something is.
    """
    wanted_call = _call_id(call, call_id)
    if bool(user) == bool(wanted_call):
        raise UsageProblem("expected one of --user, --call and --call-id: whom, or which call?")
    actor = person(by)
    settled = settle(config=config, data_dir=data_dir, api=api)
    try:
        body = {"user": user, "call_id": wanted_call, "project": project, "whole_traces": whole_traces}
        body |= {"dry_run": dry_run, "actor": actor}
        report = Client.of(settled, timeout_s=_LONG_S).post("/api/forget", body)
    except Unreachable:
        if settled.api_is_given:
            raise
        from tocsin_collector.privacy.forget import Request
        from tocsin_console.privacy import forget_at_rest

        wanted = Request(project=project, user=user, call_id=wanted_call, whole_traces=whole_traces)
        answer = forget_at_rest(settled, wanted, by=actor, dry_run=dry_run)
        report = plain({"places": answer.places, "elsewhere": answer.elsewhere, "is_forgotten": answer.is_forgotten})
    if json:
        print_json(report)
    else:
        _describe(report, dry_run=dry_run)
    if not report["is_forgotten"] and not dry_run:
        raise typer.Exit(FINDING)


def _call_id(call: str | None, call_id: str | None) -> str | None:
    if call is None:
        return call_id
    from tocsin_wire import unpack_handle

    said: str = unpack_handle(call).call_id
    if call_id not in (None, said):
        raise UsageProblem("expected --call or --call-id, got two different calls")
    return said


def _describe(report: dict[str, Any], *, dry_run: bool) -> None:
    rows = [
        (each["place"], f"{each['before']:,}", "-" if dry_run else f"{each['after']:,}") for each in report["places"]
    ]
    print_table(("place", "found", "left"), rows, empty="nothing")
    left = sum(each["after"] for each in report["places"])
    if dry_run:
        say("nothing was erased: leave out --dry-run to erase this")
    else:
        say("nothing is left" if not left else f"{left:,} rows are left: run this again")
    for other, found in report["elsewhere"].items():
        complain(f"project {other} holds {found:,} rows under this id: add --project {other} if it is the same person")
