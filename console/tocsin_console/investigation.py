"""Evidence for messages, looked up in a client of its own and within a time."""

from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import datetime
from typing import Final

from tocsin_alerts.briefing import Findings
from tocsin_alerts.delivery import Investigator
from tocsin_alerts.evaluator import Evaluator
from tocsin_alerts.evidence import gather
from tocsin_collector.store.database import Database

TIME_S: Final = 10  # of one query: a message without evidence is better than one that comes too late


def investigator(database: Database, evaluators: Mapping[str, Evaluator]) -> Investigator:
    """Make what delivery asks for evidence; :func:`client_for` makes the client."""

    def look(*, project: str, use_case: str, slot: datetime, onset: datetime) -> Findings:
        found = gather(database, evaluators, project=project, use_case=use_case, slot=slot, onset=onset)
        return Findings(**{field.name: getattr(found, field.name) for field in fields(Findings)})

    return look


def client_for(database: Database) -> Database:
    """Open a client whose queries end in time."""
    if database.address.url is not None:
        mark = "&" if "?" in database.address.url else "?"
        limited = replace(database.address, url=f"{database.address.url}{mark}send_receive_timeout={TIME_S}")
        return Database.open(limited)
    client = database.sibling()
    client.command(f"SET max_execution_time = {TIME_S}")
    return client
