"""Outcomes that name a call which nobody knows yet: each waits until the call is found, whose facts it then carries."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, Final

from tocsin_collector.correct.call_finder import EVER, CallFinder, Facts, Reference
from tocsin_collector.store.database import Database
from tocsin_collector.store.statement import statement

_CHUNK: Final = 4_000  # outcomes in memory at a time
_LOOK_BACK: Final = timedelta(days=30)  # most outcomes are of calls this recent; older ones are looked for every hour
_OVERLAP: Final = timedelta(minutes=2)  # what was under way while somebody looked
_WIDE_EVERY: Final = timedelta(hours=1)


class OutcomeKeeper:
    """Joins waiting outcomes to calls as they arrive, the former or the latter. From any thread, one at a time."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._looked_to = self._looked_wide_at = EVER

    def resolve(self, now: datetime) -> None:
        """Look at what arrived since the last time; at everything the first time, and every hour at old calls too.

        Raises:
            StoreUnavailable: call it again.
        """
        wide = now - self._looked_wide_at >= _WIDE_EVERY
        since = EVER if wide else self._looked_to - _OVERLAP
        if resolve_outcomes(self._database, since=since, look_back=None if wide else _LOOK_BACK) and wide:
            # What was settled is merged with its mark, so that erasing a call finds all that was said of it.
            self._database.command("OPTIMIZE TABLE outcomes_waiting FINAL")
        self._looked_to = now
        self._looked_wide_at = now if wide else self._looked_wide_at


def resolve_outcomes(database: Database, *, since: datetime = EVER, look_back: timedelta | None = None) -> int:
    """Give the waiting outcomes whose calls are stored to `outcomes`; says how many. Safe to run again at any point.

    Args:
        database: The store.
        since: Only outcomes that arrived since, or one of whose calls did.
        look_back: How long before an outcome was observed its call may have begun; None: ever.

    Raises:
        StoreUnavailable: run it again.
    """
    if not _any_waits(database):
        return 0
    finder = CallFinder(database)
    resolved = 0
    for chunk in _chunks(database, since):
        for project, outcomes in groupby(chunk, key=lambda row: str(row["project"])):
            rows = list(outcomes)
            bound = EVER if look_back is None else min(row["observed_at"] for row in rows) - look_back
            calls = finder.find(project, [_reference(row) for row in rows], since=max(bound, EVER))
            pairs = [(row, call) for row, call in zip(rows, calls, strict=True) if call is not None]
            _settle(database, pairs)
            resolved += len(pairs)
    return resolved


def _settle(database: Database, pairs: Sequence[tuple[Mapping[str, Any], Facts]]) -> None:
    if not pairs:
        return
    token = hashlib.sha256("".join(row["outcome_id"] + call["call_id"] for row, call in pairs).encode()).hexdigest()
    database.insert("outcomes", [_outcome(row, call) for row, call in pairs], token=token, quorum=True)
    marks = [{**row, "call_id": call["call_id"], "author": "", "comment": "", "is_resolved": 1} for row, call in pairs]
    database.insert("outcomes_waiting", marks, quorum=True)


def _any_waits(database: Database) -> bool:
    return bool(database.rows("SELECT 1 AS one FROM outcomes_waiting FINAL WHERE NOT is_resolved LIMIT 1"))


def _chunks(database: Database, since: datetime) -> Iterator[list[dict[str, Any]]]:
    sql = statement("waiting_outcomes")
    last = {"project": "", "outcome_id": ""}
    while rows := database.rows(sql, {**last, "since": since, "limit": _CHUNK}):
        yield rows
        if len(rows) < _CHUNK:
            return
        last = {name: str(rows[-1][name]) for name in last}


def _reference(row: Mapping[str, Any]) -> Reference:
    return Reference(
        call_id=row["call_id"],
        response_id=row["response_id"],
        key=row["business_key"],
        use_case=row["use_case"],
        observed_at=row["observed_at"],
    )


def _outcome(row: Mapping[str, Any], call: Facts) -> dict[str, Any]:
    said = ("project", "kind", "source", "outcome_id", "observed_at", "label", "value", "score", "minutes", "author")
    known = (
        "use_case",
        "call_id",
        "started_at",
        "model_version",
        "prompt_version",
        "served_by",
        "is_probe",
        "confidence",
    )
    correct = row["correct"]
    if correct is None and row["label"] and call["output_label"]:
        correct = int(row["label"] == call["output_label"])
    return {
        **{name: row[name] for name in said},
        **{name: call[name] for name in known},
        "predicted_label": call["output_label"],
        "predicted_value": call["output_value"],
        "weight": call["weight"],
        "segments": call["segments"],
        "correct": correct,
        "comment": row["comment"],
        "business_key": row["business_key"],
        "response_id": row["response_id"],
        "received_at": row["received_at"],
        "ingested_at": row["ingested_at"],
        "segment": f"resolved:{row['segment']}",  # a restart counts the rows of a segment; these are not of its insert
    }
