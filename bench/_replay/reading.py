"""What tocsin made of it: its own figures and alerts, asked over the same loopback API as its commands use."""

from collections.abc import Mapping
from typing import Any, Final

import pandas as pd

from tocsin_console.client import Client

_EVALUATIONS: Final = """
SELECT evaluator, toDate(slot) - 1 AS date, argMax(value, evaluated_at) AS value, argMax(lower, evaluated_at) AS lower,
    argMax(upper, evaluated_at) AS upper, argMax(baseline, evaluated_at) AS baseline, argMax(n, evaluated_at) AS n
FROM (SELECT * FROM evaluations WHERE evaluator IN ('accuracy', 'estimated_accuracy') AND value IS NOT NULL)
GROUP BY evaluator, slot
ORDER BY evaluator, slot
"""
_ALERTS: Final = """
SELECT rule, labels['field'] AS field, severity, to_state AS state, toDate(slot) - 1 AS date, reason
FROM alert_events
WHERE to_state IN ('firing', 'resolved')
ORDER BY slot, rule, field
"""


def read(facts: Mapping[str, Any]) -> tuple["pd.DataFrame", "pd.DataFrame"]:
    """Give the two accuracies by day, and every alert's beginning and end, each by the day that its slot closes."""
    client = Client(str(facts["api"]), where="for the replay")
    return _table(client, _EVALUATIONS), _table(client, _ALERTS)


def _table(client: Client, sql: str) -> "pd.DataFrame":
    answer = client.post("/api/query", {"sql": sql})
    return pd.DataFrame(answer["rows"], columns=answer["columns"])
