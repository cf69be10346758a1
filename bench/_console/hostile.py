"""A store in which every text that a page could show is a payload: what senders, models, users and colleagues may write."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final

from tocsin_collector.store.database import Database

# What a sender could not choose either: the words that the product itself reads.
_FIXED: Final[dict[str, dict[str, Any]]] = {
    "ai_calls": {"served_by": "model", "guard_state": "normal", "task": "classification", "currency": "USD", "sign": 1, "weight": 1.0},
    "call_content": {"kind": "input"},
    "otel_traces": {},
    "outcomes": {"kind": "ground_truth", "served_by": "model", "correct": 0, "weight": 1.0, "confidence": 0.9},
    "evaluations": {"value": 0.9, "lower": 0.8, "upper": 0.95, "n": 500, "restated": 0, "epoch": 0},
    "alert_events": {"severity": "page", "from_state": "pending", "to_state": "firing", "epoch": 0},
    "alert_state": {"severity": "page", "state": "firing", "overlay": "", "epoch": 0, "fence": 0},
    "notifications": {"state": "sent", "transition": "firing", "severity": "page", "epoch": 0},
    "silences": {"matchers": []},
    "guard_events": {"state": "fallback", "mode": "automatic", "applied": 1, "epoch": 0},
    "audit_log": {"action": "acknowledge"},
    "reviews": {},
    "review_items": {"state": "drawn", "selection_probability": 0.1},
    "releases": {},
    "reference_windows": {"kind": "number"},
    "calibrations": {"bins": [1000], "precision": [0.9], "labels": [100], "daily_errors": [0.1]},
    "rule_runs": {"state": "failed", "epoch": 0},
    "drills": {"kind": "covariate"},
    "retraining_runs": {"state": "manual"},
    "held_alerts": {"why": "night"},
    "prices": {"currency": "USD", "is_withdrawn": 0},
    "dead_letters": {"kind": "traces"},
    "outcomes_waiting": {"kind": "ground_truth", "is_resolved": 0},
}  # fmt: skip
_EVALUATORS: Final = ("accuracy", "estimated_accuracy", "input_psi")
_MOST_ROWS: Final = 50  # an insert, so that one bad row is found


def poison(database: Database, payloads: Sequence[str], *, now: datetime) -> list[str]:
    """Write for each payload one row into each table, with it in every text.

    Returns:
        The use cases' names, which are the payloads.
    """
    for table, fixed in _FIXED.items():
        columns = database.rows(
            "SELECT name, type FROM system.columns WHERE database = currentDatabase() AND table = {table:String}"
            " AND default_kind NOT IN ('MATERIALIZED', 'ALIAS') ORDER BY position",
            {"table": table},
        )
        rows = [
            _row(columns, payload, {**fixed, **more}, now - timedelta(minutes=number))
            for number, payload in enumerate(payloads)
            for more in _variants(table, payload)
        ]
        for begin in range(0, len(rows), _MOST_ROWS):
            database.insert(table, rows[begin : begin + _MOST_ROWS])
    return list(payloads)


def _variants(table: str, payload: str) -> list[Mapping[str, Any]]:
    if table == "evaluations":
        labels = {"field": payload, "segment": payload, payload: payload}
        return [{"evaluator": name, "labels": labels} for name in (*_EVALUATORS, payload)]
    if table == "notifications":
        return [{"body": json.dumps(_message(payload))}]
    if table == "audit_log":
        return [{}, {"action": payload, "id": f"2{payload}"}]
    return [{}]


def _message(payload: str) -> dict[str, Any]:
    data = {
        "use_case": payload,
        "days": [
            {"slot": f"2026-03-{day:02}T00:00:00+00:00", "labelled": 0.9, "estimated": 0.9} for day in range(1, 6)
        ],
        "lead": {"unit": "share", "evaluator": "accuracy", "threshold": 0.9, "rule": payload, "summary": payload},
        "onset": "2026-03-03",
        "dashboard": payload,
        "runbook": payload,
    }
    return {
        "message": {"subject": payload, "text": payload, "html": payload, "data": data},
        "created_at": "2026-03-01T00:00:00+00:00",
    }


def _row(columns: Sequence[Mapping[str, Any]], payload: str, fixed: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    made = {str(column["name"]): _value(str(column["type"]), payload, at) for column in columns}
    made |= {"project": "default"} if "project" in made else {}
    made |= {"incident": sha256(payload.encode()).hexdigest()} if "incident" in made else {}  # ids are digests of ours
    return {**made, **{name: value for name, value in fixed.items() if name in made}}


def _value(kind: str, payload: str, at: datetime) -> Any:
    inner = kind.removeprefix("LowCardinality(").removeprefix("Nullable(").rstrip(")")
    if kind.startswith("Map("):
        key, _, value = kind.removeprefix("Map(").removesuffix(")").partition(", ")
        return {_value(key, payload, at): _value(value, payload, at)}
    if kind.startswith("Array("):
        return [_value(kind.removeprefix("Array(").removesuffix(")"), payload, at)]
    if inner.startswith("DateTime"):
        return at
    if inner.startswith("Date"):
        return at.date()
    if inner.startswith(("Float", "Decimal")):
        return 0.5
    return 1 if inner.startswith(("UInt", "Int")) else payload
