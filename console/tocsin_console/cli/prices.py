"""Verbs about prices: what models cost, how old the list is, and which calls have no price."""

from typing import Any

import typer

from tocsin_console.cli.options import Api, ConfigFile, DataDir, Json, connect
from tocsin_console.cli.output import print_json, print_table


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    verbs = typer.Typer(help="Prices: what the models that were seen cost.", no_args_is_help=True)
    verbs.command("ls")(ls)
    verbs.command("sync")(sync)
    app.add_typer(verbs, name="prices")


def ls(*, config: ConfigFile = None, data_dir: DataDir = None, api: Api = None, json: Json = False) -> None:
    """List prices and models without one. Exit code 1: calls of some model have no known cost."""
    found = connect(config, data_dir, api).get("/api/prices")
    if json:
        print_json(found)
    else:
        columns = ("model", "provider", "source", "from", "per 1M in", "cached", "out", "per call", "per s", "currency")
        print_table(
            columns, [_row(each) for each in found["prices"]], empty="no prices yet: none of the models seen has one"
        )
        if found["age_days"] is not None:
            typer.echo(f"The public list is {found['age_days']} days old: update genai-prices.")
        for each in found["unpriced"]:
            name = "/".join(part for part in (each["provider"], each["model"]) if part)
            typer.echo(f"no cost for {each['calls']} calls of {name}: say what it costs under prices in tocsin.yaml")
    if found["unpriced"]:
        raise typer.Exit(1)


def sync(*, config: ConfigFile = None, data_dir: DataDir = None, api: Api = None, json: Json = False) -> None:
    """Look for prices now, and price the calls whose cost is unknown."""
    found = connect(config, data_dir, api).post("/api/prices/sync", {})
    if json:
        print_json(found)
        return
    typer.echo(
        f"{found['changed']} prices changed, {found['withdrawn']} withdrawn, {found['priced_calls']} calls priced;"
        f" no price for {', '.join(found['unknown']) or 'no model'}"
    )


def _row(price: dict[str, Any]) -> tuple[str, ...]:
    amounts = ("input_per_mtok", "cache_read_per_mtok", "output_per_mtok", "per_call", "per_second")
    above = f" from {price['input_above']:,} tokens" if price["input_above"] else ""
    return (
        price["model"] + above,
        price["provider"],
        price["source_version"] + (f" ({price['project']})" if price["project"] else ""),
        str(price["valid_from"])[:10],
        *("" if price[name] is None else f"{price[name]:g}" for name in amounts),
        price["currency"],
    )
