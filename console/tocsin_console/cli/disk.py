"""The verb about room: disk."""

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from tocsin_console.cli.options import Api, By, ConfigFile, DataDir, Json, person, settle
from tocsin_console.cli.output import print_json, print_table, say
from tocsin_console.client import Client
from tocsin_console.errors import FINDING, Unreachable
from tocsin_console.wire import plain


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command()(disk)


def disk(
    *,
    drop: Annotated[bool, typer.Option("--drop", help="Drop what is proposed. It cannot be brought back.")] = False,
    by: By = None,
    config: ConfigFile = None,
    data_dir: DataDir = None,
    api: Api = None,
    json: Json = False,
) -> None:
    """Show what the data takes by table and partition, against max_disk, and what could go first.

    Only raw spans, logs and contents are ever proposed, the oldest first: calls, outcomes, reviews, sums and references are
    what quality is judged by. Nothing goes without --drop. Exits 1 while there is too little room.
    """
    settled = settle(config=config, data_dir=data_dir, api=api)
    try:
        client = Client.of(settled, timeout_s=300.0)
        use = client.post("/api/disk/drop", {"actor": person(by)}) if drop else client.get("/api/disk")
    except Unreachable:
        if settled.api_is_given:
            raise
        from tocsin_console.at_rest import opened
        from tocsin_console.disk_watch import DiskWatch

        def now() -> datetime:
            return datetime.now(UTC)

        with opened(settled, now=now()) as store:
            watch = DiskWatch(
                store,
                settled.data_dir,
                limit_bytes=settled.max_disk_bytes,
                is_embedded=settled.store_url is None,
                now=now,
            )
            found = watch.drop(by=person(by)) if drop else watch.look()
            use = {**plain(found), "warning": found.sentence()}
    if json:
        print_json(use)
    else:
        _describe(use, dropped=drop)
    if use["warning"] and not drop:
        raise typer.Exit(FINDING)


def _describe(use: dict[str, Any], *, dropped: bool) -> None:
    from tocsin_collector.privacy.disk_use import size

    going = {(each["table"], each["partition_id"]) for each in use["would_drop"]}
    word = "dropped" if dropped else "could go"
    rows = [
        (
            each["table"],
            each["partition"],
            each["rows"],
            size(each["size_bytes"]),
            word if (each["table"], each["partition_id"]) in going else "",
        )
        for each in use["partitions"]
    ]
    print_table(("table", "partition", "rows", "size", ""), rows, empty="nothing is stored yet")
    limit = f" of {size(use['limit_bytes'])}" if use["limit_bytes"] else ", no max_disk"
    say(
        f"spool and store {size(use['used_bytes'])}{limit}; disk {size(use['free_bytes'])} free of {size(use['disk_bytes'])}"
    )
    if use["warning"] and not dropped:
        say(use["warning"])
