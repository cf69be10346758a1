"""Incidents as people name them: by the beginning of their ids, as lists show it."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from tocsin_alerts.errors import IncidentRefused
from tocsin_alerts.journal_sql import statement
from tocsin_alerts.ports import Query

_NAMED: Final = 3


def named(query: Query, beginning: str) -> list[dict[str, Any]]:
    """List the incidents that begin like this, the latest first; none for nothing. Their columns are of ``journal/incidents.sql``."""
    return query.rows(statement("incidents"), {"beginning": beginning}) if beginning else []


def one_of(found: Sequence[Mapping[str, Any]], beginning: str) -> Mapping[str, Any]:
    """Give the only one.

    Raises:
        IncidentRefused: there is none, or more than one.
    """
    if len(found) != 1:
        like_it = ", ".join(f"{each['incident'][:12]} of {each['use_case']}" for each in found[:_NAMED])
        raise IncidentRefused(
            f"expected one incident, got {beginning!r}, with which {like_it or 'none'} begins: "
            f"'tocsin alerts list' names those that are open, with --all those that are over too"
        )
    return found[0]
