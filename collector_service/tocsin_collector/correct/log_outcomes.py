"""Outcomes that came as log events: each waits until its call is found, whose facts it then carries."""

from importlib import resources

from tocsin_collector.store.database import Database


def resolve_outcomes(database: Database) -> int:
    """Give the waiting outcomes whose calls are stored to `outcomes`; says how many wait on. Safe to run again at any point.

    Raises:
        StoreUnavailable: run it again.
    """
    if not _waiting(database):
        return 0
    database.command(_statement("resolve_outcomes"))
    database.command(_statement("mark_resolved"))
    return _waiting(database)


def _waiting(database: Database) -> int:
    return int(database.rows("SELECT count() AS n FROM outcomes_waiting FINAL WHERE NOT is_resolved")[0]["n"])


def _statement(name: str) -> str:
    return resources.files("tocsin_collector").joinpath("statements", f"{name}.sql").read_text(encoding="utf-8")
