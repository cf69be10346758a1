"""The verbs about losing the store: backup, restore."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from tocsin_console.cli.options import ClickHouse, ConfigFile, DataDir, Json, settle
from tocsin_console.cli.output import complain, print_json, print_table, say
from tocsin_console.errors import FINDING
from tocsin_console.running import read_run_file
from tocsin_wire.version import version


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    app.command()(backup)
    app.command()(restore)


def backup(
    *,
    to: Annotated[
        str, typer.Option("--to", help="disk:NAME/PATH, s3:COLLECTION/PATH or file:/FOLDER; nothing is there.")
    ],
    base: Annotated[
        str | None,
        typer.Option("--base", help="An earlier backup: only what is new since is written.", show_default="none"),
    ] = None,
    no_hold: Annotated[
        bool,
        typer.Option(
            "--no-hold", help="Load meanwhile: for the first backup of a large store, which another one then adds to."
        ),
    ] = False,
    clickhouse: ClickHouse = None,
    config: ConfigFile = None,
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Back up the store while spans arrive: every table, and what is stored when it begins.

    Collectors keep what comes in their spools meanwhile. That, and your own files, are not in it.
    """
    settled = settle(clickhouse=clickhouse, config=config, data_dir=data_dir)
    if settled.store_url is None and read_run_file(settled.run_file):
        from tocsin_console.client import Client

        taken = Client.of(settled, timeout_s=86_400.0).post(
            "/api/backup", {"to": to, "base": base or "", "no_hold": no_hold}
        )
    else:
        from tocsin_console.at_rest import opened
        from tocsin_console.backing_up import BackupDesk

        with opened(settled, now=datetime.now(UTC)) as store:
            desk = BackupDesk(store, now=lambda: datetime.now(UTC), say=str if json else _progress())
            taken = dict(desk.take(to, base or "", hold=not no_hold))
    if json:
        print_json(taken)
    else:
        say(
            f"{taken['rows']:,} rows of {taken['tables']} tables backed up to {taken['to']}: {taken['files']:,} files, "
            f"{taken['size_bytes'] / 1e6:,.1f} MB, {taken['seconds']:.1f} s"
        )


def restore(
    *,
    source: Annotated[str, typer.Option("--from", help="As it was given to --to.")],
    shard: Annotated[
        int, typer.Option(help="Of a cluster, only this shard, which lost every disk.", show_default="all of it")
    ] = 0,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Drop first what is stored now.")] = False,
    clickhouse: ClickHouse = None,
    config: ConfigFile = None,
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Bring a backup back into an empty store, or into a shard that was lost, and compare every table with it.

    Stop evaluators and consoles first, and collectors too unless it is one shard. Exits 1 where a table has fewer rows than
    when the backup began.
    """
    from tocsin_collector.store.backup_place import parse_place
    from tocsin_collector.store.database import Database
    from tocsin_collector.store.restore import restore as bring_back
    from tocsin_console.backing_up import new_identity

    settled = settle(clickhouse=clickhouse, config=config, data_dir=data_dir)
    if settled.store_url is None:
        settled.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    store = Database.open(settled.store)
    try:
        restored = bring_back(
            store,
            parse_place(source, settled.store),
            identity=new_identity,
            now=datetime.now(UTC),
            version=version(),
            shard=shard,
            overwrite=overwrite,
            say=str if json else _progress(),
        )
    finally:
        store.close()
    facts: dict[str, Any] = {
        "from": source,
        "at": restored.backup.at,
        "version": restored.backup.version,
        "seconds": round(restored.seconds, 3),
        "tables": restored.tables,
        "fewer": [each.table for each in restored.fewer],
    }
    if json:
        print_json(facts)
    else:
        _describe(facts)
    if restored.fewer:
        raise typer.Exit(FINDING)


def _describe(facts: Mapping[str, Any]) -> None:
    rows = [(each.table, each.shard or "", each.then, each.now, each.verdict) for each in facts["tables"]]
    print_table(("table", "shard", "rows then", "rows now", ""), rows, empty="the backup held no rows")
    say(f"as of {facts['at']:%Y-%m-%d %H:%M:%S} UTC, in {facts['seconds']:.1f} s; what was loaded later is not in it")
    if facts["fewer"]:
        complain(f"tocsin: fewer rows than when the backup began: {', '.join(facts['fewer'])}")


class _progress:  # noqa: N801 - used as a function
    """Prints what is being done, each thing once."""

    def __init__(self) -> None:
        self._last = ""

    def __call__(self, text: str) -> None:
        if text != self._last:
            self._last = text
            complain(text)
