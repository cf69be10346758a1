"""Verbs about what is not in the store yet: spool, deadletter."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tocsin_console.cli.options import Api, ConfigFile, DataDir, Json, settle
from tocsin_console.cli.output import complain, print_json, print_table, say, when
from tocsin_console.client import Client
from tocsin_console.config import Config
from tocsin_console.errors import FINDING, Unreachable, UsageProblem

if TYPE_CHECKING:
    from tocsin_console.spool_desk import SpoolDesk

Reason = Annotated[str, typer.Option("--reason", help="Only those whose reason holds this.")]


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    spool = typer.Typer(help="Requests that were acknowledged and wait to be loaded.", no_args_is_help=True)
    spool.command("ls")(ls)
    spool.command("verify")(verify)
    spool.command("replay")(replay)
    app.add_typer(spool, name="spool")
    letters = typer.Typer(help="Requests that the store refused, kept with the reason.", no_args_is_help=True)
    letters.command("ls")(list_letters)
    letters.command("show")(show)
    letters.command("retry")(retry)
    app.add_typer(letters, name="deadletter")


def ls(*, config: ConfigFile = None, data_dir: DataDir = None, api: Api = None, json: Json = False) -> None:
    """List the segments of the spool: what waits, since when, and what lies there that is no segment."""
    from tocsin_console.spool_desk import files

    settled = settle(config=config, data_dir=data_dir, api=api)
    found = _asked(settled, lambda up: up.get("/api/spool")["files"], lambda: files(settled.data_dir / "spool"))
    if json:
        print_json(found)
        return
    columns = ("file", "state", "requests", "items", "bytes", "age s")
    rows = [
        (each["file"], each["state"], each["requests"], each["items"], each["size_bytes"], each["age_s"])
        for each in found
    ]
    print_table(columns, rows, empty="nothing waits")


def verify(*, config: ConfigFile = None, data_dir: DataDir = None, api: Api = None, json: Json = False) -> None:
    """Compare every frame of the spool with its digest, and all of them with the index. Exits 1 when any is damaged."""
    from tocsin_console.spool_desk import verified

    settled = settle(config=config, data_dir=data_dir, api=api)
    found = _asked(settled, lambda up: up.get("/api/spool/verify"), lambda: verified(settled.data_dir / "spool"))
    if json:
        print_json(found)
    else:
        columns = ("file", "whole", "requests", "items", "lost requests", "lost items", "damaged bytes", "problem")
        rows = [
            (
                each["file"],
                each["is_whole"],
                each["requests"],
                each["items"],
                each["lost_requests"],
                each["lost_items"],
                each["damaged_bytes"],
                each["problem"],
            )
            for each in found["files"]
        ]
        print_table(columns, rows, empty="nothing waits")
    if not found["is_whole"]:
        raise typer.Exit(FINDING)


def replay(
    paths: Annotated[list[Path], typer.Argument(help="Files of frames: a segment that was kept, or damaged bytes.")],
    *,
    kind: Annotated[
        str | None, typer.Option("--kind", help="traces, logs or outcomes.", show_default="by name")
    ] = None,
    config: ConfigFile = None,
    data_dir: DataDir = None,
    api: Api = None,
    json: Json = False,
) -> None:
    """Load what is whole in files again. A segment that was loaded before is known by its content and not stored twice."""
    settled = settle(config=config, data_dir=data_dir, api=api)
    done = [_replayed(settled, path.absolute(), kind) for path in paths]
    if json:
        print_json(done)
        return
    for each in done:
        said = f"{each['requests']:,} requests with {each['items']:,} items"
        say(f"{each['file']}: {said} {'queued' if each['queued'] else 'are stored already'}")


def list_letters(
    *,
    reason: Reason = "",
    config: ConfigFile = None,
    data_dir: DataDir = None,
    api: Api = None,
    json: Json = False,
) -> None:
    """List what was set aside, the newest first. Exits 1 when there is any."""
    settled = settle(config=config, data_dir=data_dir, api=api)
    found = _asked_desk(
        settled,
        lambda up: up.get("/api/dead-letters", {"reason": reason})["letters"],
        lambda desk: desk.letters(reason=reason),
    )
    if json:
        print_json(found)
    else:
        columns = ("digest", "project", "kind", "received", "bytes", "together", "reason")
        rows = [
            (
                each["digest"],
                each["project"],
                each["kind"],
                when(each["received_at"]),
                each["size_bytes"],
                each["together"] or None,
                each["reason"][:100],
            )
            for each in found
        ]
        print_table(columns, rows, empty="no dead letters")
    if found:
        raise typer.Exit(FINDING)


def show(
    digest: Annotated[str, typer.Argument(help="A digest of 'deadletter ls', or how it begins.")],
    *,
    body: Annotated[Path | None, typer.Option("--body", help="Write the request's bytes there.")] = None,
    config: ConfigFile = None,
    data_dir: DataDir = None,
    api: Api = None,
    json: Json = False,
) -> None:
    """Show one dead letter; its bytes are the request as it was sent."""
    settled = settle(config=config, data_dir=data_dir, api=api)
    found = _asked_desk(settled, lambda up: up.get(f"/api/dead-letters/{digest}"), lambda desk: desk.letter(digest))
    if body is not None:
        import base64

        body.write_bytes(base64.b64decode(found["body"]))
    if json:
        print_json(found)
        return
    for name in ("digest", "project", "kind", "segment", "received_at", "at", "size_bytes", "together", "reason"):
        say(f"{name:12}{found[name]}")


def retry(
    digest: Annotated[str | None, typer.Argument(help="A digest of 'deadletter ls', or how it begins.")] = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="All of them.")] = False,
    reason: Reason = "",
    config: ConfigFile = None,
    data_dir: DataDir = None,
    api: Api = None,
    json: Json = False,
) -> None:
    """Load dead letters again. What is stored leaves the list; what is refused again stays, with the new reason.

    Those that were set aside together are retried together. Exits 1 when one of them cannot be read.
    """
    if not (digest or everything or reason):
        raise UsageProblem("expected a digest, --reason or --all: 'tocsin deadletter ls' lists them")
    settled = settle(config=config, data_dir=data_dir, api=api)
    done = _asked_desk(
        settled,
        lambda up: up.post("/api/dead-letters/retry", {"digest": digest or "", "reason": reason}),
        lambda desk: desk.retry(digest or "", reason),
    )
    if json:
        print_json(done)
    else:
        stored = f", {done['already_stored']:,} were stored already" if done["already_stored"] else ""
        say(f"{done['queued']:,} requests queued{stored}: 'tocsin deadletter ls' shows what is refused again")
        for problem in done["problems"]:
            complain(problem)
    if done["problems"]:
        raise typer.Exit(FINDING)


def _replayed(settled: Config, path: Path, kind: str | None) -> Any:
    return _asked_desk(
        settled,
        lambda up: up.post("/api/spool/replay", {"path": str(path), "kind": kind}),
        lambda desk: desk.replay(path, kind),
    )


def _asked(settled: Config, ask: Callable[[Client], Any], otherwise: Callable[[], Any]) -> Any:
    try:
        return ask(Client.of(settled, timeout_s=600.0))
    except Unreachable:
        if settled.api_is_given:
            raise
        return otherwise()


def _asked_desk(settled: Config, ask: Callable[[Client], Any], at_rest: Callable[["SpoolDesk"], Any]) -> Any:
    def otherwise() -> Any:
        from tocsin_console.spool_desk import desk_at_rest

        with desk_at_rest(settled) as desk:
            return at_rest(desk)

    return _asked(settled, ask, otherwise)
