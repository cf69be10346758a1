"""What stands above everything: who is not told, what does not run, what waits, and what has just come for the first time."""

from dataclasses import asdict
from datetime import timedelta
from typing import Any, Final

from tocsin_console.at_a_glance import Row
from tocsin_console.checkup import urgent
from tocsin_console.parts import Parts
from tocsin_console.snapshot import channels

_FEW_CALLS: Final = 1_000  # with more, how they came is no news
_NEWS: Final = timedelta(hours=1)


def notices(parts: Parts) -> list[dict[str, str]]:
    """List what somebody has to do about this tocsin itself, each with what mends it."""
    mark, now = parts.watermark(), parts.now()
    complete_to = mark.get("complete_to")
    state = {
        "loops": {name: asdict(each) for name, each in parts.loops().items()},
        "collector": dict(parts.collector_stats()),
        "watermark": {"lag_s": max(0.0, (now - complete_to).total_seconds()) if complete_to else None},
        "collectors": [asdict(each) for each in parts.collectors()],
        "channels": channels(parts),
        "lost_routes": parts.lost_routes,
        "delivery": dict(parts.delivery_stats()),
        "failing_rules": parts.book.ask("failing_rules"),
        "notifications": {
            row["state"]: int(row["notifications_known"]) for row in parts.book.ask("notification_counts")
        },
        "reviews_overdue": parts.reviews.overdue(),
    }
    return [{"what": each.name, "said": each.said, "do": each.do} for each in urgent(state)]


def first_calls(parts: Parts, rows: list[Row]) -> list[dict[str, Any]]:
    """Say of use cases that are new what has been received: it is what somebody waits for who has just begun."""
    new = [row for row in rows if 0 < row["calls"] <= _FEW_CALLS]
    if not new:
        return []
    asked = {"projects": sorted({row["project"] for row in new}), "use_cases": sorted({row["use_case"] for row in new})}
    now = parts.now()
    return [
        {
            "project": row["project"],
            "use_case": row["use_case"],
            "services": list(row["services"]),
            "calls": int(row["calls"]),
            "first_arrived_at": row["first_arrived_at"],
            "first_s_ago": max(0.0, (now - row["first_arrived_at"]).total_seconds()),
        }
        for row in parts.book.ask("first_arrivals", asked)
        if now - row["first_arrived_at"] < _NEWS
    ]
