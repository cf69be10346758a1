"""The verbs about a cluster's nodes: cluster status, cluster repair."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from tocsin_console.cli.options import ClickHouse, ConfigFile, DataDir, Json, settle
from tocsin_console.cli.output import complain, print_json, print_table, say
from tocsin_console.errors import FINDING, UsageProblem

_NODE = ("name", "shard", "replica", "address", "state", "readonly", "queue", "delay_s")


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    group = typer.Typer(
        no_args_is_help=True, help="The nodes of the store's cluster, and tables for those that came with none."
    )
    group.command("status")(status)
    group.command("repair")(repair)
    app.add_typer(group, name="cluster")


def status(
    *, clickhouse: ClickHouse = None, config: ConfigFile = None, data_dir: DataDir = None, json: Json = False
) -> None:
    """Show every node: whether it answers, has its tables, and has caught up. Exits 1 where one is away or lacks tables."""
    from tocsin_collector.store.nodes import look

    store = _opened(clickhouse, config, data_dir)
    try:
        nodes = look(store)
    finally:
        store.close()
    _show(
        [{**{name: getattr(node, name) for name in _NODE}, "missing": len(node.missing)} for node in nodes], json=json
    )
    if any(node.state in {"away", "empty", "incomplete", "read-only"} for node in nodes):
        raise typer.Exit(FINDING)


def repair(
    *,
    begin_empty: Annotated[
        bool, typer.Option("--begin-empty", help="Also a shard that lost every replica: what it held is gone.")
    ] = False,
    clickhouse: ClickHouse = None,
    config: ConfigFile = None,
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Give nodes that came with an empty disk the tables of the others; their data then comes from their replicas by itself."""
    from tocsin_collector.store.rebuild import rebuild

    store = _opened(clickhouse, config, data_dir)
    try:
        rebuilt = rebuild(store, now=datetime.now(UTC), may_begin_empty=begin_empty, say=str if json else complain)
    finally:
        store.close()
    if json:
        print_json({"nodes": rebuilt.nodes, "tables": rebuilt.tables, "registrations": rebuilt.registrations})
    elif rebuilt.nodes:
        say(
            f"{', '.join(rebuilt.nodes)}: {rebuilt.tables} tables and views made; `tocsin cluster status` says when it has caught up"
        )
    else:
        say("every node that answers has its tables")


def _opened(clickhouse: str | None, config: Any, data_dir: Any) -> Any:
    from tocsin_collector.store.database import Database

    settled = settle(clickhouse=clickhouse, config=config, data_dir=data_dir)
    if not settled.store.cluster:
        raise UsageProblem(
            "expected a cluster: store.cluster in tocsin.yaml names it as the servers' remote_servers do"
        )
    return Database.open(settled.store)


def _show(rows: Sequence[dict[str, Any]], *, json: bool) -> None:
    if json:
        print_json({"nodes": rows})
        return
    columns = ("shard", "node", "address", "state", "missing", "to fetch or merge", "behind")
    listed = [
        (row["shard"], row["name"], row["address"], row["state"], row["missing"], row["queue"], f"{row['delay_s']} s")
        for row in rows
    ]
    print_table(columns, listed, empty="the servers know no such cluster")
