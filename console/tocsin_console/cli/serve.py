"""Verbs that run tocsin: up, demo.

``run`` and ``version`` stand here for their help; they start without this module.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tocsin_console.cli.options import ClickHouse, ConfigFile, DataDir, Json, settle

if TYPE_CHECKING:
    from tocsin_console.roles import Role

Grpc = Annotated[str | None, typer.Option(help="Address for OTLP and outcomes.", show_default="127.0.0.1:4317")]
Http = Annotated[
    str | None, typer.Option(help="Address for OTLP over HTTP; off for none.", show_default="127.0.0.1:4318")
]
GuardAddress = Annotated[str | None, typer.Option(help="Address for guard state.", show_default="127.0.0.1:8015")]
OwnApi = Annotated[
    str | None, typer.Option("--api", help="Address for API and figures.", show_default="127.0.0.1:8317")
]
Insecure = Annotated[bool | None, typer.Option("--insecure", help="Listen beyond loopback, without logins.")]


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    app.command()(up)
    app.command()(collector)
    app.command()(evaluator)
    app.command()(console)
    app.command()(demo)
    passed_on = {"ignore_unknown_options": True, "allow_extra_args": True}
    app.command("run", context_settings=passed_on, add_help_option=False)(run)
    app.command("version", context_settings=passed_on, add_help_option=False)(version)


def up(
    *,
    clock: Annotated[
        str | None, typer.Option(help="wall, or data: now is the latest data.", show_default="wall")
    ] = None,
    grpc: Grpc = None,
    http: Http = None,
    guard: GuardAddress = None,
    api: OwnApi = None,
    clickhouse_http: Annotated[
        str | None,
        typer.Option(help="Address where Grafana and SQL clients read; off for none.", show_default="127.0.0.1:8123"),
    ] = None,
    clickhouse: Annotated[
        str | None, typer.Option(help="URL of a ClickHouse server.", show_default="the embedded engine")
    ] = None,
    insecure: Insecure = None,
    max_disk: Annotated[
        str | None, typer.Option("--max-disk", help="Warn at 80 % of this, such as 50GB.", show_default="none")
    ] = None,
    config: ConfigFile = None,
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Run everything in this process: collector, ClickHouse, evaluators, alerts, guard and API. Port 0 picks one."""
    _serve(
        "up",
        json=json,
        clock=clock,
        grpc=grpc,
        http=http,
        guard=guard,
        api=api,
        clickhouse_http=clickhouse_http,
        clickhouse=clickhouse,
        insecure=insecure,
        max_disk=max_disk,
        config=config,
        data_dir=data_dir,
    )


def collector(
    *,
    grpc: Grpc = None,
    http: Http = None,
    api: OwnApi = None,
    clickhouse: ClickHouse = None,
    insecure: Insecure = None,
    config: ConfigFile = None,
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Run only a collector over a ClickHouse server: receivers, spool and loader. There may be any number of them."""
    _serve(
        "collector",
        json=json,
        grpc=grpc,
        http=http,
        api=api,
        clickhouse=clickhouse,
        insecure=insecure,
        config=config,
        data_dir=data_dir,
    )


def evaluator(
    *,
    guard: GuardAddress = None,
    api: OwnApi = None,
    clickhouse: ClickHouse = None,
    insecure: Insecure = None,
    config: ConfigFile = None,
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Run only rules, guard and delivery over a ClickHouse server. Of several, one works and the others wait for it to end."""
    _serve(
        "evaluator",
        json=json,
        guard=guard,
        api=api,
        clickhouse=clickhouse,
        insecure=insecure,
        config=config,
        data_dir=data_dir,
    )


def console(
    *,
    api: OwnApi = None,
    clickhouse: ClickHouse = None,
    insecure: Insecure = None,
    config: ConfigFile = None,
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Run only the API and the page over a ClickHouse server."""
    _serve("console", json=json, api=api, clickhouse=clickhouse, insecure=insecure, config=config, data_dir=data_dir)


def _serve(role: "Role", *, json: bool, **flags: Any) -> None:
    settled = settle(**flags)
    from tocsin_console.serve import serve

    serve(settled, as_json=json, role=role)


def demo(
    *,
    once: Annotated[bool, typer.Option("--once", help="Unattended; exits 0 only when the story happened.")] = False,
    decay: Annotated[bool, typer.Option("--decay/--no-decay", help="Whether the scanner degrades.")] = True,
    seed: Annotated[int, typer.Option(help="Of everything random in the service.")] = 24,
    data_dir: Annotated[
        Path | None, typer.Option(help="An empty folder to keep.", show_default="a temporary one")
    ] = None,
    json: Annotated[Path | None, typer.Option("--json", help="Write the figures to this file.")] = None,
) -> None:
    """Show a real model decay, and tocsin notice, tell somebody and switch it off."""
    from tocsin_console.demo import run as run_demo

    raise typer.Exit(run_demo(once=once, json_path=json, decay=decay, data_dir=data_dir, seed=seed))


def run(context: typer.Context) -> None:
    """Run a Python command with instrumentation: tocsin run -- python service.py."""
    from tocsin_console.run_verb import run as run_command

    raise typer.Exit(run_command(context.args))


def version(context: typer.Context) -> None:
    """Print the versions of tocsin and its parts."""
    from tocsin_console.version_verb import version as print_version

    raise typer.Exit(print_version(context.args))
