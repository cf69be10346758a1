"""One engine, seen from the project of one test."""

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from tocsin_alerts.evaluator import Evaluator, evaluate, load_evaluators
from tocsin_alerts.records import Sample
from tocsin_collector.store.database import Database

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
EVALUATORS = load_evaluators()
SETTABLE = {
    "min_n": 1,
    "allowance": 0.005,
    "short_h": 1,
    "long_h": 6,
    "most_evidence": 8.0,
    "strict": 0.0,
}  # parameters that rules give, by name


@dataclass(frozen=True, kw_only=True)
class Store:
    """One engine, seen from one project: tests share the tables, which cost more to make than to fill."""

    database: Database
    project: str
    _kept_back: dict[tuple[str, ...], list[dict[str, Any]]] | None = None

    def insert(self, table: str, rows: Sequence[dict[str, Any]]) -> None:
        """Insert rows of this test's project; the use case is "triage" unless they say otherwise."""
        made = [{"project": self.project, "use_case": "triage", **row} for row in rows]
        if self._kept_back is None or not made:
            self.database.insert(table, made)
        else:
            self._kept_back.setdefault((table, *made[0]), []).extend(made)

    @contextmanager
    def together(self) -> Iterator["Store"]:
        """Give a store whose inserts are one for each table, at the end: hundreds of them cost more than what they fill."""
        kept_back: dict[tuple[str, ...], list[dict[str, Any]]] = {}
        yield replace(self, _kept_back=kept_back)
        for (table, *_), rows in kept_back.items():
            self.database.insert(table, rows)

    def rows(self, sql: str, **parameters: Any) -> list[dict[str, Any]]:
        """Select with ``{project:String}`` bound."""
        return self.database.rows(sql, {"project": self.project, **parameters})

    def calls(self, hour: datetime, count: int, **row: Any) -> None:
        """Count some calls of one hour."""
        zero = dict.fromkeys(("probes", "errors", "retries", "unpriced", "confident"), 0)
        given = {"model_version": "m1", "served_by": "model", "currency": "", "cost": 0, **zero, **row}
        self.insert("ai_calls_1h", [{"hour": hour, "calls": count, **given}])

    def histogram(self, kind: str, hour: datetime, cells: Sequence[tuple[Any, int]], **row: Any) -> None:
        """Count some values of one hour: bins, or categories when they are text."""
        self.insert(
            "input_histogram_1h",
            [
                {
                    "kind": kind,
                    "hour": hour,
                    "field": "",
                    "model_version": "m1",
                    "bin": 0 if isinstance(cell, str) else int(cell),
                    "category": cell if isinstance(cell, str) else "",
                    "n": int(count),
                    **row,
                }
                for cell, count in cells
            ],
        )

    def profile(self, kind: str, figures: Sequence[float], **row: Any) -> None:
        """Freeze what one kind is compared with."""
        given = {"model_version": "m1", "field": "", "until": MONDAY - 7 * DAY, "edges": [], "names": [], **row}
        n = row.get("n", int(sum(figures)))
        self.insert("reference_profiles", [{**given, "kind": kind, "figures": list(figures), "n": n}])

    def calibration(self, knots: Sequence[int], precision: Sequence[float], labels: Sequence[int], **row: Any) -> None:
        """Write down a calibration."""
        fitted = {"bins": list(knots), "precision": list(precision), "labels": list(labels), "n": sum(labels)}
        given = {
            "model_version": "m1",
            "until": MONDAY - 7 * DAY,
            "fitted_at": MONDAY,
            "accuracy": 0.9,
            "estimate": 0.9,
        }
        self.insert("calibrations", [{**given, **fitted, **row}])

    def outcomes(self, rows: Sequence[dict[str, Any]]) -> None:
        """Insert outcomes; a call's id and an outcome's are made up unless given."""
        given = {"model_version": "m1", "served_by": "model", "kind": "ground_truth", "source": "labels", "weight": 1.0}
        keys = dict.fromkeys(key for row in rows for key in row)
        self.insert(
            "outcomes",
            [
                {
                    **given,
                    **dict.fromkeys(keys),
                    "observed_at": row["started_at"] + 3 * DAY,
                    "call_id": uuid.uuid4().hex,
                    "outcome_id": uuid.uuid4().hex,
                    **row,
                }
                for row in rows
            ],
        )

    def run(
        self,
        name: str | Evaluator,
        *,
        until: datetime = MONDAY,
        since: datetime | None = None,
        step: timedelta = DAY,
        **extra: Any,
    ) -> list[Sample]:
        """Evaluate one slot, or a range, and keep this project's samples in order of slot and labels."""
        evaluator = EVALUATORS[name] if isinstance(name, str) else name
        settled = {param: value for param, value in SETTABLE.items() if param in evaluator.params}
        samples = evaluate(
            self.database,
            evaluator,
            since=until - step if since is None else since,
            until=until,
            step_s=int(step.total_seconds()),
            extra={**settled, **extra},
        )
        mine = [sample for sample in samples if sample.project == self.project]
        return sorted(mine, key=lambda sample: (sample.slot, sorted(sample.labels.items())))
