"""The state of a running tocsin in one document, with a ledger that either balances or says that it does not."""

import shutil
from collections.abc import Mapping
from typing import Any

from tocsin_console.parts import Parts


def snapshot(parts: Parts) -> dict[str, Any]:
    """Put together what ``/api/status``, ``/metrics`` and the page show."""
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
        "ledger": ledger(parts.book.ask("ledger")[0], collector),
        "collector": collector,
        "watermark": {**mark, "lag_s": max(0.0, (now - complete_to).total_seconds()) if complete_to else None},
        "evaluated_through": parts.evaluated_through(),
        "evaluations": int(parts.book.ask("evaluation_counts")[0]["evaluations_stored"]),
        "notifications": {
            row["state"]: int(row["notifications_known"]) for row in parts.book.ask("notification_counts")
        },
        "delivery": dict(parts.delivery_stats()),
        "failing_rules": parts.book.ask("failing_rules"),
        "loops": loops,
        "ready": all(loop.is_alive for loop in loops.values()),
        "channels": channels(parts),
        "rules": len(parts.rules),
        "plans": len(parts.plans),
        "use_cases": parts.book.use_cases(),
    }


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


def ledger(stored: Mapping[str, Any], collector: Mapping[str, Any]) -> dict[str, Any]:
    """Set what was received since the start, and what was ever loaded, against what became of it.

    Balanced means: every span received is stored, a duplicate, refused, set aside, damaged on disk or waiting; and the tables hold what
    the load ledger says. The latter cannot be said once the oldest spans have expired.
    """
    by_ledger, in_table = int(stored["spans_by_ledger"] or 0), int(stored["spans_stored"])
    erased = int(stored.get("spans_erased") or 0)  # for a person, or to make room
    lost = None if stored["spans_may_have_expired"] else by_ledger - in_table - erased
    fates = ("stored", "duplicate", "refused", "dead_lettered", "damaged", "waiting")
    since_start = {fate: int(collector[f"{fate}_spans"]) for fate in ("received", *fates)}
    unaccounted = since_start["received"] - sum(since_start[fate] for fate in fates) or min(0, since_start["waiting"])
    return {
        "since_start": since_start,
        "spans_loaded": by_ledger,
        "spans_stored": in_table,
        "spans_erased": erased,
        "calls_stored": int(stored["calls_stored"]),
        "outcomes_loaded": int(stored["outcomes_by_ledger"] or 0),
        "outcomes_stored": int(stored["outcomes_stored"]),
        "requests_set_aside": int(stored["requests_set_aside"]),
        "spool_bytes": int(collector["spool_bytes"]),
        "difference": lost,  # None: older spans have expired
        "unaccounted": unaccounted,
        "balances": not lost and not unaccounted,
    }
