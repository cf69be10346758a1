"""The use cases that have calls, asked of a running tocsin, or of the store while nothing runs."""

from datetime import datetime

from tocsin_console.client import Client
from tocsin_console.config import Config
from tocsin_console.errors import Unreachable
from tocsin_console.statements import statement


def streams_with_calls(config: Config, *, now: datetime) -> list[tuple[str, str]]:
    """List project and use case of each.

    Raises:
        Unreachable: an address was given, and nothing answers there.
        StoreInUse: as for :func:`tocsin_console.at_rest.opened`.
    """
    try:
        found = Client.of(config).get("/api/use-cases")["use_cases"]
    except Unreachable:
        if config.api_is_given:
            raise
        if config.store_path is not None and not config.store_path.exists():
            return []
        from tocsin_console.at_rest import opened

        with opened(config, now=now) as store:
            return sorted((row["project"], row["use_case"]) for row in store.rows(statement("known_use_cases")))
    return sorted((each["project"], each["use_case"]) for each in found if each["calls"])
