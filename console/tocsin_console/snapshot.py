"""The state of a running tocsin in one document, with a ledger that either balances or says that it does not."""

import shutil
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any, Final

from tocsin_alerts.itself import SELF
from tocsin_console.arrivals import arrivals
from tocsin_console.heartbeats import heartbeats, of_itself
from tocsin_console.ledger import ledger
from tocsin_console.parts import Parts
from tocsin_console.resting import waiting

_SHIPPED: Final = timedelta(days=30)
_FOR_EVER_DAYS: Final = 36_500


def snapshot(parts: Parts) -> dict[str, Any]:
    """Put together what ``/api/status`` and ``/metrics`` show."""
    use_cases = parts.book.use_cases()
    return {
        **standing(parts),
        "evaluations": int(parts.book.ask("evaluation_counts")[0]["evaluations_stored"]),
        "waiting": waiting(parts.book.ask("waiting_pages")),
        "use_cases": use_cases,
        "arrivals": None if any(each["calls"] for each in use_cases) else arrivals(parts),
        "reviews_overdue": parts.reviews.overdue(),
        "retraining": parts.retraining.warnings(),
    }


def standing(parts: Parts) -> dict[str, Any]:
    """Say how tocsin itself stands, without its use cases: the page of the system."""
    now = parts.now()
    collector = dict(parts.collector_stats())
    mark = parts.watermark()
    complete_to = mark.get("complete_to")
    loops = parts.loops()
    config = parts.config
    return {
        "version": parts.version,
        "store": {"kind": "server" if config.store_url else "embedded", "version": parts.store_version},
        "clock": config.clock,
        "data_dir": config.data_dir,
        "configuration": config.file,
        "addresses": parts.addresses,
        "started_at": parts.started_at,
        "uptime_s": (now - parts.started_at).total_seconds(),
        "disk_free_bytes": shutil.disk_usage(config.data_dir).free,
        "disk": parts.disk(),
        "ledger": _ledger(parts),
        "spool_max_bytes": parts.spool_max_bytes,
        "reading": dict(parts.reading()),
        "collector": collector,
        "watermark": {**mark, "lag_s": max(0.0, (now - complete_to).total_seconds()) if complete_to else None},
        "collectors": [asdict(member) for member in parts.collectors()],
        "evaluated_through": parts.evaluated_through(),
        "evaluation_lag_s": _lag_s(parts, mark, now),
        "notifications": {
            row["state"]: int(row["notifications_known"]) for row in parts.book.ask("notification_counts")
        },
        "delivery": dict(parts.delivery_stats()),
        "failing_rules": parts.book.ask("failing_rules"),
        "heartbeats": heartbeats(parts.book.ask("heartbeats")),
        "itself": of_itself(parts.book.alerts(use_case=SELF)),
        "loops": loops,
        "ready": all(loop.is_alive for loop in loops.values()),
        "channels": channels(parts),
        "lost_routes": parts.lost_routes,
        "rules": len(parts.rules),
        "plans": len(parts.plans),
    }


def _kept_days(parts: Parts, table: str) -> int:
    period = parts.config.retention.get(table, _SHIPPED)
    return _FOR_EVER_DAYS if period is None else period.days


def channels(parts: Parts) -> list[dict[str, Any]]:
    """Name the channels; none of their secrets."""
    return [
        {
            "name": channel.name,
            "type": type(channel).__name__.removesuffix("Channel").lower(),
            "severities": channel.severities,
        }
        for channel in parts.channels
    ]


def _ledger(parts: Parts) -> dict[str, Any]:
    """Read the books; again when they do not balance, since a load may have ended between two tables."""
    kept = {
        f"{what}_kept_days": _kept_days(parts, f"otel_{table}")
        for what, table in (("spans", "traces"), ("logs", "logs"))
    }
    for _ in range(3):
        found = ledger(parts.book.ask("ledger", kept)[0], parts.collector_stats())
        if found["balances"]:
            break
    return found


def _lag_s(parts: Parts, mark: Mapping[str, Any], now: datetime) -> float | None:
    """Say how far evaluation is behind: the clock, or the data where that is the clock."""
    through = parts.evaluated_through()
    head = mark.get("data_complete_to") if parts.config.clock == "data" else now
    return max(0.0, (head - through).total_seconds()) if head and through else None
