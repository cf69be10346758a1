"""What the collector counts, whatever it counts: a field that it gains is a metric from then on."""

import re
from collections.abc import Mapping
from typing import Any, Final

from tocsin_console.api.exposition import Text
from tocsin_console.api.health import waiting_of

_ITEMS: Final = ("requests", "spans", "outcomes", "logs")
_FATE = re.compile(rf"^(\w+)_({'|'.join(_ITEMS)})$")
_GAUGES: Final = re.compile(r"^(waiting|oldest|spool|open|free|current)_|_in_flight$|_(now|open|age|lag|max|cap)$")


def add_collector(text: Text, stats: Mapping[str, Any], *, spool_max_bytes: int | None, lag_s: float | None) -> None:
    """Add every number of :class:`CollectorStats`: fates by kind, the rest by name."""
    numbers = {k: v for k, v in stats.items() if isinstance(v, int | float) and not isinstance(v, bool)}
    fates = [(match.group(2), match.group(1), numbers[name]) for name in numbers if (match := _FATE.match(name))]
    text.add(
        "tocsin_collector_items_total",
        "counter",
        "Requests and their items by what became of them; waiting ones have no fate yet.",
        [({"kind": kind, "fate": fate}, value) for kind, fate, value in fates if fate != "waiting"],
    )
    text.add(
        "tocsin_collector_waiting_items",
        "gauge",
        "Acknowledged and not yet stored: in the spool.",
        [({"kind": kind}, value) for kind, fate, value in fates if fate == "waiting"],
    )
    waits = any(waiting_of(stats).values())
    text.add(
        "tocsin_collector_oldest_waiting_seconds",
        "gauge",
        "Age of the oldest that waits; 0 when nothing does.",
        [({}, lag_s if waits else 0.0)],
    )
    text.add(
        "tocsin_collector_spool_limit_bytes", "gauge", "Beyond it, senders are asked to wait.", [({}, spool_max_bytes)]
    )
    text.add(
        "tocsin_collector_unfit",
        "gauge",
        "1 while the tables take nothing: tocsin doctor says why.",
        [({}, int(bool(stats.get("unfit"))))],
    )
    for name, value in numbers.items():
        if _FATE.match(name):
            continue
        base = re.sub(r"_ms$", "_milliseconds", re.sub(r"_s$", "_seconds", name))
        words = name.replace("_", " ")
        if _GAUGES.search(name) or name.endswith("_s"):
            text.add(f"tocsin_collector_{base}", "gauge", f"The collector's {words}, now.", [({}, value)])
        else:
            text.add(
                f"tocsin_collector_{base}_total", "counter", f"The collector's {words}, since the start.", [({}, value)]
            )
