"""The page of metrics: what the exposition writes of a tocsin of which everything is known, and what is absent when it is not."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from generating.markdown import code, codes, page, prose, table
from tocsin_collector.load.tally import Tally
from tocsin_console.api.metrics import exposition
from tocsin_console.heartbeats import BEATS
from tocsin_console.loop import LoopStats

_WHEN: Final = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
_SAMPLE: Final = re.compile(r"(\w+)(?:\{(.*)\})? ")
_LABEL: Final = re.compile(r'(\w+)="([^"]*)"')
_NAMED: Final = "…"  # stands for names that an installation has of its own
_EVERYWHERE: Final = ("process_cpu_seconds_total", "process_start_time_seconds")  # the others are read of /proc
_UNITS: Final = (("_seconds", "s"), ("_milliseconds", "ms"), ("_bytes", "bytes"))
_GROUPS: Final = (
    ("tocsin_collector_", "Taking in", "Of this process, since it started."),
    ("tocsin_ledger_", "The ledger", "Received and stored must agree: `difference` and `unaccounted` are 0 while nothing is lost."),
    ("tocsin_rule_", "Rules", "A heartbeat of each: what its last run did."),
    ("tocsin_channel_", "Channels", "What became of messages."),
    ("tocsin_loop_", "Loops", "What runs again and again inside the process; one that is not up has ended."),
    ("tocsin_clickhouse_", "Reading", "Queries over ClickHouse's HTTP interface."),
    ("tocsin_use_case_", "Use cases", "What `tocsin status` says."),
    ("tocsin_disk_", "Room", "Of the data folder."),
    ("process_", "The process", "Under the names that every Prometheus client uses."),
    ("", "tocsin as a whole", "Whether it runs, keeps up and tells people."),
)  # fmt: skip


@dataclass(slots=True)
class Family:
    """One metric as it is scraped."""

    kind: str = ""
    help: str = ""
    labels: dict[str, set[str]] = field(default_factory=dict)


def metrics_page() -> str:
    """Write it."""
    known = families(exposition(_state()))
    absent = {when: known.keys() - families(exposition(change(_state()))).keys() for when, change in _ABSENT.items()}
    rest = dict(known)
    parts: dict[str, str] = {}
    for prefix, title, what in _GROUPS:
        group = {name: rest.pop(name) for name in list(rest) if name.startswith(prefix)}
        parts[title] = f"## {title}\n\n{what}\n\n{_table(group, absent)}"
    ordered = [_GROUPS[-1], *_GROUPS[:-1]]
    return page(
        "Metrics",
        "What Prometheus scrapes at `/metrics` of the API, `127.0.0.1:8317` by default: every metric with its type, labels and unit.",
        "What is not known is left out, and never 0. Where people sign in, a scrape shows a key of access as bearer token ([security](../security.md)).",
        *(parts[title] for _, title, _ in ordered),
    )


def families(text: str) -> dict[str, Family]:
    """Read a scrape: each metric by its name, with the labels of its series."""
    found: dict[str, Family] = {}
    for line in text.splitlines():
        if line.startswith("# "):
            _, word, name, rest = line.split(" ", 3)
            family = found.setdefault(name, Family())
            family.kind, family.help = (rest, family.help) if word == "TYPE" else (family.kind, rest)
        elif said := _SAMPLE.match(line):
            for label, value in _LABEL.findall(said[2] or ""):
                found[said[1]].labels.setdefault(label, set()).add(value)
    return found


def _table(group: Mapping[str, Family], absent: Mapping[str, Iterable[str]]) -> str:
    return table(
        ("Metric", "Type, unit", "Labels", "Says"),
        (
            (
                code(name),
                ", ".join(said for said in (family.kind, _unit(name, family)) if said),
                "; ".join(_label(label, values) for label, values in family.labels.items()),
                f"{prose(family.help)} {_there(name, absent)}".strip(),
            )
            for name, family in group.items()
        ),
    )


def _there(name: str, absent: Mapping[str, Iterable[str]]) -> str:
    """Say when it is there at all."""
    said = [when for when, names in absent.items() if name in names]
    if name.startswith("process_") and name not in _EVERYWHERE:
        said.append("on Linux")
    return f"*There {', '.join(said)}.*" if said else ""


def _label(label: str, values: set[str]) -> str:
    return code(label) if _NAMED in values else f"{code(label)}: {codes(sorted(values))}"


def _unit(name: str, family: Family) -> str:
    if family.help.startswith("Unix time"):
        return "s since 1970"
    unit = next((unit for part, unit in _UNITS if f"{part}_" in f"{name}_"), "")
    return unit or ("1 or 0" if family.help.startswith("1 ") else "share" if "0 to 1" in family.help else "")


def _state() -> dict[str, Any]:
    """Make up a tocsin of which everything is known; the API's own document has these keys."""
    ledger = dict.fromkeys(("loaded", "stored", "erased", "difference", "unaccounted"), 0)
    use_case = {
        "project": _NAMED, "use_case": _NAMED, "calls": 1, "accuracy": {"value": 0.9}, "estimate": {"value": 0.9}, "verdict": "right",
        "guard": "normal", "alerts": [],
    }  # fmt: skip
    beat = {"rule": _NAMED, "slot": _WHEN, "at": _WHEN, "did": BEATS[0], "samples": 1, "rows_read": 1}
    channel = {"channel": _NAMED, "sent": 0, "dead": 0, "failed_attempts": 0}
    loop = LoopStats(turns=1, failures=0, consecutive_failures=0, last_error="", is_alive=True, since_turn_s=1.0)
    return {
        "version": _NAMED, "store": {"kind": _NAMED, "version": _NAMED}, "started_at": _WHEN, "uptime_s": 1.0,
        "ledger": {"calls_stored": 1, "outcomes_stored": 1, "requests_set_aside": 0, "balances": True,
                   "kinds": {kind: dict(ledger) for kind in ("spans", "outcomes", "logs")}},
        "collector": asdict(Tally().snapshot()), "spool_max_bytes": 1, "watermark": {"lag_s": 1.0}, "collectors": [],
        "evaluated_through": _WHEN, "evaluation_lag_s": 1.0, "evaluations": 1, "notifications": {_NAMED: 1},
        "delivery": {"pages": 0, "template_errors": 0, "evidence_errors": 0, "channels": [channel]},
        "waiting": {"pages": 1, "until": _WHEN}, "failing_rules": [], "heartbeats": [beat], "loops": {_NAMED: loop},
        "reading": {"answered": 0, "failed": 0, "turned_away": 0, "running": 0}, "disk_free_bytes": 1,
        "disk": {"used_bytes": 1, "limit_bytes": 1, "warning": ""}, "use_cases": [use_case],
    }  # fmt: skip


def _without(**changes: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda state: state | changes


def _unlabelled(state: dict[str, Any]) -> dict[str, Any]:
    return state | {"use_cases": [each | {"accuracy": None, "estimate": None} for each in state["use_cases"]]}


def _expired(state: dict[str, Any]) -> dict[str, Any]:
    kinds = {kind: each | {"difference": None} for kind, each in state["ledger"]["kinds"].items()}
    return state | {"ledger": state["ledger"] | {"kinds": kinds}}


# When something is there: said of what is absent after the change.
_ABSENT: Final[Mapping[str, Callable[[dict[str, Any]], dict[str, Any]]]] = {
    "where calls are received": _without(spool_max_bytes=None),
    "where the embedded engine is read": _without(reading={}),
    "once something was received": _without(watermark={"lag_s": None}),
    "once a slot was evaluated": _without(evaluated_through=None, evaluation_lag_s=None),
    "once somebody was told": _without(notifications={}),
    "where messages are sent": _without(delivery={"pages": 0, "template_errors": 0, "evidence_errors": 0, "channels": []}),
    "while a page waits": _without(waiting={"pages": 0, "until": None}),
    "once a rule has run": _without(heartbeats=[]),
    "once there is a use case": _without(use_cases=[]),
    "with labels or an estimate": _unlabelled,
    "with `max_disk`": _without(disk={"used_bytes": 1, "limit_bytes": None, "warning": ""}),
    "once the disk was looked at": _without(disk={"used_bytes": None, "limit_bytes": 1, "warning": ""}),
    "until rows may have expired": _expired,
}  # fmt: skip
