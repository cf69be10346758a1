"""What the collector counts, whatever it counts: a field that it gains is a metric from then on."""

import re
from collections.abc import Mapping
from typing import Any, Final

from tocsin_console.api.exposition import Text
from tocsin_console.api.health import waiting_of

_ITEMS: Final = ("requests", "spans", "outcomes", "logs")
_FATE = re.compile(rf"^(\w+)_({'|'.join(_ITEMS)})$")
_GAUGES: Final = re.compile(r"^(waiting|oldest|spool|open|free|current)_|_in_flight$|_(now|open|age|lag|max|cap)$")

# What a name alone does not say; the others say it by their words.
_HELP: Final[Mapping[str, str]] = {
    "keys_refused": "Requests that showed no ingest key where one is needed, or a wrong one, since the start; refused, too.",
    "values_cut": "Values that were longer than limits.max_value_bytes, since the start.",
    "attributes_dropped": "Attributes, events and links beyond limits.max_attributes, since the start.",
    "spool_bytes": "What lies in the spool, now.",
    "bytes_in_flight": "Requests that are being taken in, now.",
    "segments_loaded": "Segments of the spool that were stored, since the start.",
    "torn_tails": "Files of the spool whose last write a crash had cut short, since the start; none of it was acknowledged.",
    "torn_bytes": "What was cut off of them, since the start.",
    "damaged_files": "Files of the spool that the disk has damaged after they were acknowledged, since the start.",
    "damaged_bytes": "What was damaged of them, since the start; kept in spool/damaged.",
    "strange_files": "Files in the spool's folder that are not the spool's, or not to be read, since the start.",
    "load_errors": "Loads that failed and are tried again, since the start.",
}


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
            text.add(
                f"tocsin_collector_{base}",
                "gauge",
                _HELP.get(name, f"The collector's {words}, now."),
                [({}, value)],
            )
        else:
            text.add(
                f"tocsin_collector_{base}_total",
                "counter",
                _HELP.get(name, f"The collector's {words}, since the start."),
                [({}, value)],
            )
