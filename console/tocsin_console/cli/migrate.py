"""The verb that makes the tables: migrate."""

from datetime import UTC, datetime

import typer

from tocsin_console.cli.options import ClickHouse, ConfigFile, DataDir, Json, settle
from tocsin_console.cli.output import print_json, say
from tocsin_wire.version import version


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command()(migrate)


def migrate(
    *, clickhouse: ClickHouse = None, config: ConfigFile = None, data_dir: DataDir = None, json: Json = False
) -> None:
    """Bring the store's tables to this version, and end. Every part does so when it starts; this is for doing it first, once."""
    from tocsin_collector.store.database import Database
    from tocsin_collector.store.migrate import migrate as bring_up

    settled = settle(clickhouse=clickhouse, config=config, data_dir=data_dir)
    if settled.store_url is None:
        settled.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    store = Database.open(settled.store)
    try:
        applied = bring_up(store, now=datetime.now(UTC), version=version())
    finally:
        store.close()
    if json:
        print_json({"applied": applied, "version": version()})
    else:
        say(f"{len(applied)} migrations applied: the tables are of tocsin {version()}")
