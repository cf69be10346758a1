"""What fires and is not told at present, kept in ``held_alerts`` so that people who look see it, and until when."""

from collections.abc import Mapping
from datetime import datetime

from tocsin_alerts.incidents import Incident
from tocsin_alerts.journal_sql import statement
from tocsin_alerts.ports import Query
from tocsin_alerts.quieting import Quiet


class Held:
    """The alerts that are kept still, by incident; written when something about them changes."""

    def __init__(self, query: Query) -> None:
        self._query = query
        self._known: dict[str, dict[str, Quiet]] = {}
        for row in query.rows(statement("held")):
            quiet = Quiet(why=row["why"], detail=row["detail"], until=row["until"], wrong=row["wrong"])
            self._known.setdefault(row["incident"], {})[row["fingerprint"]] = quiet

    def __contains__(self, incident: str) -> bool:
        return incident in self._known

    def note(self, incident: Incident, quiet: Mapping[str, Quiet], *, now: datetime) -> None:
        """Keep what is not told of an incident; nothing once it is over."""
        kept = {key: each for key, each in quiet.items() if incident.members[key].is_active}
        known = self._known.get(incident.id, {})
        if kept == known:
            return
        told = dict.fromkeys(known.keys() - kept.keys())
        changed = {key: each for key, each in kept.items() if known.get(key) != each}
        self._query.insert(
            "held_alerts",
            [
                {
                    "incident": incident.id,
                    "fingerprint": key,
                    "project": incident.project,
                    "use_case": incident.use_case,
                    "why": each.why if each else "",
                    "detail": each.detail if each else "",
                    "until": each.until if each else None,
                    "wrong": each.wrong if each else None,
                    "at": now,
                }
                for key, each in {**told, **changed}.items()
            ],
        )
        if kept:
            self._known[incident.id] = kept
        else:
            self._known.pop(incident.id, None)
