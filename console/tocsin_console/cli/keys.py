"""Verbs about ingest keys: who may send, and as which project."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, cast

import typer

from tocsin_console.access.roles import MAY, ROLES, Role, role_of
from tocsin_console.cli.options import Api, By, ConfigFile, DataDir, Json, person, settle
from tocsin_console.cli.output import complain, print_json, print_table, say, when
from tocsin_console.client import Client
from tocsin_console.config import Config
from tocsin_console.errors import Unreachable, UsageProblem
from tocsin_console.wire import plain

if TYPE_CHECKING:
    from tocsin_collector.receive.key_book import KeyBook

_Answer = TypeVar("_Answer")


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    keys = typer.Typer(help="Keys: who may send, and as which project; who may look and act.", no_args_is_help=True)
    keys.command("create")(create)
    keys.command("ls")(ls)
    keys.command("revoke")(revoke)
    app.add_typer(keys, name="keys")


def create(
    project: Annotated[str, typer.Argument(help="The project of everything that is sent with it.")] = "",
    *,
    role: Annotated[
        str,
        typer.Option("--role", help="For who looks and acts instead of sending: viewer, reviewer, operator or admin."),
    ] = "",
    name: Annotated[str, typer.Option("--name", help="Who will hold it, in your words.")] = "",
    by: By = None,
    config: ConfigFile = None,
    data_dir: DataDir = None,
    api: Api = None,
    json: Json = False,
) -> None:
    """Make a key and print it: the one time that it is shown. It holds at once."""
    from tocsin_collector.receive.ingest_keys import INGEST

    actor, now = person(by), datetime.now(UTC)
    if bool(project) == bool(role):
        raise UsageProblem(
            "expected a project, for a key to send with, or --role and --name, for a key of access: one of both"
        )
    if role and role_of(role) is None:
        raise UsageProblem(f"expected a role of {', '.join(ROLES)}, got {role!r}")

    def at_rest(book: "KeyBook") -> Any:
        made = book.create(project, name=name, by=actor, now=now, role=role or INGEST)
        return {"key": made.key, "facts": plain(made.facts)}

    settled = settle(config=config, data_dir=data_dir, api=api)
    asked = {"project": project, "name": name, "actor": actor, **({"role": role} if role else {})}
    made = _asked(settled, lambda up: up.post("/api/keys", asked), at_rest)
    if json:
        print_json(made)
        return
    say(made["key"])
    if role:
        complain(
            f"keep it now: it is stored nowhere. {name} signs in with it at /login; commands take it from TOCSIN_ACCESS_KEY. "
            f"It may {MAY[cast(Role, role)]}"
        )
        return
    complain(
        f"keep it now: it is stored nowhere. Senders of {project} set TOCSIN_KEY to it, or "
        f"OTEL_EXPORTER_OTLP_HEADERS='authorization=Bearer%20tk_…'"
    )


def ls(
    project: Annotated[str, typer.Argument(help="Only of this one.")] = "",
    *,
    config: ConfigFile = None,
    data_dir: DataDir = None,
    api: Api = None,
    json: Json = False,
) -> None:
    """List the keys, revoked ones too. A key itself cannot be shown again."""
    settled = settle(config=config, data_dir=data_dir, api=api)
    found = _asked(
        settled,
        lambda up: up.get("/api/keys", {"project": project})["keys"],
        lambda book: plain(book.listed(project)),
    )
    if json:
        print_json(found)
        return
    rows = [
        (
            each["key_id"],
            each["project"] or each["role"],
            each["name"],
            when(each["created_at"]),
            each["created_by"],
            when(each["revoked_at"]),
            each["revoked_by"],
        )
        for each in found
    ]
    columns = ("key", "project or role", "name", "created", "by", "revoked", "by")
    print_table(columns, rows, empty="no keys yet: make one with 'tocsin keys create PROJECT'")


def revoke(
    key: Annotated[str, typer.Argument(help="The key's id, as in 'tocsin keys ls'.")],
    *,
    by: By = None,
    config: ConfigFile = None,
    data_dir: DataDir = None,
    api: Api = None,
    json: Json = False,
) -> None:
    """Revoke a key for good. Every collector refuses it within 5 seconds."""
    actor, now = person(by), datetime.now(UTC)
    key_id = key.split("_")[1] if key.startswith("tk_") and key.count("_") > 1 else key  # a secret goes no further
    settled = settle(config=config, data_dir=data_dir, api=api)
    facts = _asked(
        settled,
        lambda up: up.post(f"/api/keys/{key_id}/revoke", {"actor": actor})["facts"],
        lambda book: plain(book.revoke(key_id, by=actor, now=now)),
    )
    if json:
        print_json(facts)
        return
    say(f"{facts['key_id']} of {facts['project']} was revoked on {when(facts['revoked_at'])} UTC")


def _asked(config: Config, running: Callable[[Client], _Answer], at_rest: "Callable[[KeyBook], _Answer]") -> _Answer:
    """Ask the running process; where none runs, the store itself."""
    try:
        return running(Client.of(config))
    except Unreachable:
        if config.api_is_given:
            raise
    from tocsin_collector.receive.key_book import KeyBook
    from tocsin_console.at_rest import opened

    with opened(config, now=datetime.now(UTC)) as database:
        return at_rest(KeyBook(database))
