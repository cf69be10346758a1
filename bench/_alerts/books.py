"""The alert side's tables in memory, as far as the engine reads them: a hundred times as fast as a store.

A test holds its answers against those of a real one.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from tocsin_alerts.journal_sql import statement

_KEYS: Final[Mapping[str, tuple[str, ...]]] = {  # of replacing tables
    "alert_events": ("event_id",),
    "alert_state": ("fingerprint", "fence"),
    "rule_runs": ("rule", "slot"),
    "takeovers": ("epoch",),
    "evaluations": ("evaluator", "labels", "slot"),
}
_FIRST: Final = {"page": 0, "ticket": 1}


class PowerCut(Exception):  # noqa: N818 - says what happened
    """The process ends here."""


@dataclass
class Books:
    """A store that may end the process around one of its inserts.

    Args:
        first_hour: Where history begins.
        cut_at: Which insert, counted from 0; none: never.
        after: Whether that insert is stored.
    """

    first_hour: datetime
    cut_at: int = -1
    after: bool = False
    inserts: int = 0
    tables: dict[str, dict[tuple[Any, ...], dict[str, Any]]] = field(
        default_factory=lambda: {name: {} for name in _KEYS}
    )

    def insert(self, table: str, rows: Sequence[Mapping[str, Any]], /, *, token: str | None = None) -> None:
        """Store rows, the later in place of the earlier of the same key."""
        del token
        dies = self.inserts == self.cut_at
        self.inserts += 1
        if dies and not self.after:
            raise PowerCut
        for row in rows:
            self.tables[table][tuple(str(row[name]) for name in _KEYS[table])] = dict(row)
        if dies:
            raise PowerCut

    def rows(self, sql: str, parameters: Mapping[str, Any] | None = None, /) -> list[dict[str, Any]]:
        """Answer one of the journal's own statements."""
        given = parameters or {}
        answers: dict[str, Callable[[], list[dict[str, Any]]]] = {
            "takeover": lambda: sorted(self.tables["takeovers"].values(), key=lambda row: -row["epoch"])[:1],
            "states": lambda: [row for row in self.tables["alert_state"].values() if row["fence"] == given["epoch"]],
            "done": lambda: [{"rule": rule, "done_to": slot} for rule, slot in self._done(given["epoch"]).items()],
            "unsettled": lambda: self._unsettled(given["epoch"], given["carried"]),
            "seen": lambda: self._seen(given["after"], dict(zip(given["evaluators"], given["done_to"], strict=True))),
            "first_hour": lambda: [{"hours": 1, "first_hour": self.first_hour}],
            "outcome_kinds": lambda: [{"kinds": []}],
            "late": lambda: [{"outcomes": 0}],
            "origins": list,
            "streams": list,
        }
        return next(answer() for name, answer in answers.items() if sql == statement(name))

    def events(self) -> list[dict[str, Any]]:
        """List every transition, but for who wrote it and when."""
        kept = [
            {k: v for k, v in row.items() if k not in ("epoch", "at")} for row in self.tables["alert_events"].values()
        ]
        return sorted(kept, key=lambda row: (row["slot"], row["event_id"]))

    def standing(self) -> list[tuple[Any, ...]]:
        """Say where alerts stand; of one at rest only that."""
        newest = max((row["fence"] for row in self.tables["alert_state"].values()), default=0)
        found = []
        for row in self.tables["alert_state"].values():
            if row["fence"] == newest:
                moving = row["state"] in ("pending", "firing", "recovering")
                slot, value = (row["slot"], row["value"]) if moving else (None, None)
                found.append(
                    (row["fingerprint"], row["state"], row["since"], row["incident"], row["severity"], slot, value)
                )
        return sorted(found, key=str)

    def _done(self, epoch: int) -> dict[str, datetime]:
        found: dict[str, datetime] = {}
        for row in self.tables["rule_runs"].values():
            if row["state"] == "done" and epoch in (0, row["epoch"]):
                found[row["rule"]] = max(row["slot"], found.get(row["rule"], row["slot"]))
        return found

    def _unsettled(self, epoch: int, carried: Sequence[str]) -> list[dict[str, Any]]:
        done, never = self._done(epoch), datetime(1970, 1, 1, tzinfo=UTC)
        found = [
            row
            for row in self.tables["alert_events"].values()
            if row["slot"] > done.get(row["rule"], never) and (epoch in (0, row["epoch"]) or row["event_id"] in carried)
        ]
        found.sort(
            key=lambda row: (
                row["slot"],
                row["to_state"] != "firing",
                _FIRST.get(row["severity"], 2),
                row["rule"],
                row["fingerprint"],
            )
        )
        return [{k: v for k, v in row.items() if k not in ("epoch", "at")} for row in found]

    def _seen(self, after: datetime, done_to: Mapping[str, datetime]) -> list[dict[str, Any]]:
        found: dict[tuple[str, ...], dict[str, Any]] = {}
        for row in self.tables["evaluations"].values():
            if after < row["slot"] <= done_to.get(row["evaluator"], after):
                key = (row["project"], row["use_case"], row["evaluator"], str(row["labels"]))
                if key not in found or row["slot"] > found[key]["seen"]:
                    found[key] = {**row, "seen": row["slot"]}
        return list(found.values())
