"""``tocsin doctor``: what is wrong or missing, and what mends it."""

import itertools
import shutil
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Annotated, Any

import typer

from tocsin_console.check import Check
from tocsin_console.checkup import examine, examine_disk
from tocsin_console.cli.options import Api, ConfigFile, DataDir, Json, settle
from tocsin_console.cli.output import print_json, say
from tocsin_console.client import Client
from tocsin_console.config import Config
from tocsin_console.errors import FINDING, UNREACHABLE, Unreachable
from tocsin_wire import TocsinError

_MARKS = {"ok": "ok     ", "note": "note   ", "finding": "FINDING"}
_POLL_S = 0.5


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command()(doctor)


def doctor(
    *,
    watch: Annotated[bool, typer.Option("--watch", help="Print each call as it lands, with what it lacks.")] = False,
    most: Annotated[int | None, typer.Option("--calls", min=1, help="With --watch: end after this many.")] = None,
    config: ConfigFile = None,
    data_dir: DataDir = None,
    api: Api = None,
    json: Json = False,
) -> None:
    """Look at server, ports, folder, disk, channels and use cases. Exits 1 on findings, 3 when nothing answers."""
    settled = settle(config=config, data_dir=data_dir, api=api)
    client = Client.of(settled)
    if watch:
        _watch(client, most, json=json)
        return
    try:
        checks, code = examine(client.get("/api/status")), 0
    except Unreachable as error:
        checks, code = (
            [Check(name="server", level="finding", said=str(error), do="tocsin up"), *_at_rest(settled)],
            UNREACHABLE,
        )
    findings = [check for check in checks if check.level == "finding"]
    if json:
        print_json({"checks": checks, "findings": len(findings)})
    else:
        for check in checks:
            say(f"{_MARKS[check.level]}  {check.name}: {check.said}" + (f"\n         → {check.do}" if check.do else ""))
        say(f"\n{len(findings)} findings" if findings else "\nno findings")
    if code or findings:
        raise typer.Exit(code or FINDING)


def _at_rest(config: Config) -> Iterator[Check]:
    from tocsin_console.addresses import require_free

    listening = [("grpc", config.grpc), ("api", config.api), ("guard", config.guard)]
    if config.http is not None:
        listening.append(("http", config.http))
    if config.clickhouse_http is not None and config.store_url is None:
        listening.append(("clickhouse-http", config.clickhouse_http))
    for what, address in listening:
        try:
            require_free(address, what=what, option=f"--{what}")
        except TocsinError as error:
            yield Check(name=f"{what} address", level="finding", said=str(error))
        else:
            yield Check(name=f"{what} address", level="ok", said=f"{address} is free")
    nearest = next(each for each in (config.data_dir, *config.data_dir.parents) if each.exists())
    said = str(config.data_dir) if nearest == config.data_dir else f"{config.data_dir} will be made"
    yield Check(name="data folder", level="ok", said=said)
    yield examine_disk(shutil.disk_usage(nearest).free)


def _watch(client: Client, most: int | None, *, json: bool) -> None:
    listed: list[dict[str, Any]] = []
    calls = itertools.islice(_calls(client), most)
    try:
        for call in calls:
            if json:
                listed.append(call)
            else:
                say(_line(call))
    except KeyboardInterrupt:
        pass
    if json:
        print_json(listed)


def _calls(client: Client) -> Iterator[dict[str, Any]]:
    """Yield each call once; a moment is asked for again, since calls of one millisecond arrive apart."""
    seen: dict[str, datetime] = {}
    after = datetime.fromisoformat(client.get("/api/recent-calls", {"limit": 1})["now"])
    while True:
        for call in client.get("/api/recent-calls", {"after": after.isoformat(), "limit": 1000})["calls"]:
            if call["call_id"] not in seen:
                seen[call["call_id"]] = datetime.fromisoformat(call["ingested_at"])
                yield call
        if seen:
            after = max(after, max(seen.values()) - timedelta(seconds=5))
            seen = {call_id: at for call_id, at in seen.items() if at >= after}
        time.sleep(_POLL_S)


def _line(call: dict[str, Any]) -> str:
    answer = call["output_label"] or call["output_value"]
    confidence = "" if call["confidence"] is None else f" at {call['confidence']:.0%}"
    missing = f"  missing: {', '.join(call['missing'])}" if call["missing"] else ""
    flags = f"  flags: {', '.join(call['flags'])}" if call["flags"] else ""
    at = datetime.fromisoformat(call["started_at"])
    return f"{at:%Y-%m-%d %H:%M:%S}  {call['use_case']}  {answer or 'no answer'}{confidence}{missing}{flags}"
