"""What tocsin says, asked over the same loopback API that its own commands use. Knows nothing of the truth."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from tocsin_console.demo.schedule import Calendar
from tocsin_console.demo.story import AlertChange, Belief, GuardChange
from tocsin_console.demo.workspace import USE_CASE

# One statement for all three: the API opens a client for each question.
_NEWS = f"""
SELECT 'belief' AS kind, formatRowNoNewline('JSONEachRow', evaluator, slot, value, lower, upper, baseline, n) AS row
FROM evaluations
WHERE use_case = '{USE_CASE}' AND evaluator IN ('accuracy', 'estimated_accuracy') AND value IS NOT NULL
    AND slot > toDateTime64('{{after}}', 3, 'UTC')
UNION ALL
SELECT 'guard' AS kind, formatRowNoNewline('JSONEachRow', version, state, actor, cause, since) AS row
FROM guard_events
WHERE use_case = '{USE_CASE}' AND applied = 1
UNION ALL
SELECT 'alert' AS kind, formatRowNoNewline('JSONEachRow', event_id, rule, labels, severity, to_state, slot, reason) AS row
FROM alert_events
WHERE use_case = '{USE_CASE}' AND to_state IN ('firing', 'resolved')
"""
_SHOWN = ("field", "device", "currency")  # of an alert's labels; there is one model and one prompt
_STORED = "SELECT count() AS spans FROM otel_traces"


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What tocsin has written into its books."""

    beliefs: tuple[Belief, ...]  # since last asked
    changes: tuple[GuardChange, ...]  # all of them, in order
    alerts: tuple[AlertChange, ...]  # all of them, in order


class Api(Protocol):
    """What the observer needs of the loopback API's client."""

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """Ask for something and give the JSON answer."""
        ...


class Observer:
    """Reads evaluations, alerts and the guard's book of one use case."""

    def __init__(self, api: Api, calendar: Calendar) -> None:
        self._api = api
        self._calendar = calendar
        self._after = calendar.midnight(0)

    def news(self) -> News:
        """What tocsin has written since last asked."""
        beliefs: dict[tuple[str, int], Belief] = {}
        changes: dict[int, GuardChange] = {}
        alerts: dict[str, tuple[datetime, AlertChange]] = {}
        for kind, line in self._rows(_NEWS.format(after=self._after.strftime("%Y-%m-%d %H:%M:%S"))):
            row = json.loads(line)
            if kind == "belief":
                belief = self._belief(row)
                beliefs[belief.evaluator, belief.day] = belief
            elif kind == "guard":
                changes[int(row["version"])] = self._guard_change(row)
            else:
                alerts[row["event_id"]] = _instant(row["slot"]), self._alert_change(row)
        return News(
            beliefs=tuple(sorted(beliefs.values(), key=lambda belief: belief.day)),
            changes=tuple(changes[version] for version in sorted(changes)),
            alerts=tuple(alert for _, alert in sorted(alerts.values(), key=lambda pair: pair[0])),
        )

    def spans_stored(self) -> int:
        """How many spans are in the store."""
        return int(self._rows(_STORED)[0][0])

    def day_of(self, instant: datetime) -> int:
        """The day that an instant ends or falls in: midnight belongs to the day before it."""
        passed = instant - self._calendar.midnight(0)
        return -(-int(passed.total_seconds() * 1000) // 86_400_000) - 1

    def _belief(self, row: Mapping[str, Any]) -> Belief:
        slot = _instant(row["slot"])
        self._after = max(self._after, slot)
        return Belief(
            evaluator=row["evaluator"],
            day=self.day_of(slot),
            value=float(row["value"]),
            lower=_share(row["lower"]),
            upper=_share(row["upper"]),
            baseline=_share(row["baseline"]),
            n=int(row["n"]),
        )

    def _guard_change(self, row: Mapping[str, Any]) -> GuardChange:
        day = self.day_of(_instant(row["since"]))
        return GuardChange(day=day, state=row["state"], actor=row["actor"], cause=row["cause"])

    def _alert_change(self, row: Mapping[str, Any]) -> AlertChange:
        return AlertChange(
            day=self.day_of(_instant(row["slot"])),
            rule=row["rule"],
            labels=", ".join(f"{name}={row['labels'][name]}" for name in _SHOWN if name in row["labels"]),
            severity=row["severity"],
            state=row["to_state"],
            reason=row["reason"],
        )

    def _rows(self, sql: str) -> Sequence[Sequence[Any]]:
        return list(self._api.post("/api/query", {"sql": sql})["rows"])


def _instant(written: Any) -> datetime:
    instant = datetime.fromisoformat(str(written))
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def _share(value: Any) -> float | None:
    return None if value is None else float(value)
