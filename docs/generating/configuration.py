"""The pages of plans and of tocsin.yaml: keys, defaults, environment variables and flags."""

from typing import Final

import typer

from generating.keys import key_tables
from generating.markdown import code, codes, page, prose, table
from tocsin_console.cli.app import build
from tocsin_console.schemas import schema
from tocsin_console.variables import OTHERS, VARIABLES

FLAGS: Final = {
    "data_dir": "--data-dir",
    "clock": "--clock",
    "insecure": "--insecure",
    "max_disk": "--max-disk",
    "store.url": "--clickhouse",
    "listen.grpc": "--grpc",
    "listen.http": "--http",
    "listen.api": "--api",
    "listen.guard": "--guard",
    "listen.clickhouse": "--clickhouse-http",
}


def configuration_page() -> str:
    """Write the page of tocsin.yaml."""
    return page(
        "Keys of tocsin.yaml",
        "Every key that `tocsin.yaml` may have, with the environment variable and the flag of `tocsin up` that go before it.",
        "A flag wins over a variable, that over the file, that over the default. An unknown key is refused with its line and the nearest valid name. "
        "Relative paths begin at the file's own folder, those of variables at the folder where tocsin is started. "
        "An example with all of them is in [configuration](../configuration.md).",
        *key_tables(schema("tocsin"), heading="At the top", extra=("Variable, flag", _before)),
        "## Variables without a key",
        table(("Variable", "Says"), ((code(name), prose(text)) for name, text in OTHERS.items())),
        "Those of services, which send calls, are in [configuration of the SDK](../instrumentation/configuration.md).",
    )


def plan_page() -> str:
    """Write the page of plans."""
    return page(
        "Keys of a plan",
        "Every key that a plan, `use_cases/NAME.yaml`, may have; what is left out is an open question and never guessed.",
        "`tocsin plan init NAME` asks for them, `tocsin plan check` reads them all.",
        *key_tables(schema("plan"), heading="At the top"),
    )


def _before(key: str) -> str:
    return codes(said for said in (VARIABLES.get(key), FLAGS.get(key)) if said)


def flags_of_up() -> set[str]:
    """List the flags of ``tocsin up`` that are no key's: of these two are said once and for all."""
    up = typer.main.get_command(build()).commands["up"]  # type: ignore[attr-defined]
    return {name for option in up.params for name in option.opts} - {"--config", "--json"}
