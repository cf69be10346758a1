"""Options that several verbs share, and what they come to."""

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from tocsin_console.client import Client
from tocsin_console.config import Config, Flags, resolve

_META = "tocsin.json"


def _remember_json(context: typer.Context, value: bool) -> bool:
    context.meta[_META] = value
    return value


ConfigFile = Annotated[Path | None, typer.Option("--config", help="Configuration file.", show_default="./tocsin.yaml")]
DataDir = Annotated[Path | None, typer.Option("--data-dir", help="Data folder.", show_default="./tocsin-data or XDG")]
Api = Annotated[str | None, typer.Option("--api", help="Address of the API.", show_default="run.json of the folder")]
ClickHouse = Annotated[str | None, typer.Option(help="URL of a ClickHouse server.", show_default="tocsin.yaml")]
Json = Annotated[
    bool, typer.Option("--json", help="Print one JSON document and nothing else.", callback=_remember_json)
]
By = Annotated[str | None, typer.Option("--by", help="Who does this, for the audit log.", show_default="OS user")]


def wants_json(context: Any) -> bool:
    """Say whether the verb that runs was asked for JSON."""
    return bool(context.meta.get(_META, False))


def settle(**flags: Any) -> Config:
    """Resolve the configuration of one verb from its flags, the environment and the file."""
    return resolve(Flags(**flags), environment=os.environ, cwd=Path.cwd())


def connect(config: Path | None, data_dir: Path | None, api: str | None) -> Client:
    """Find the running ``up``."""
    return Client.of(settle(config=config, data_dir=data_dir, api=api))


def person(by: str | None) -> str:
    """Name who acts: as told, else the OS user."""
    if by:
        return by
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user often has a number alone
        return f"uid {os.getuid()}"
