"""Every use case in one row: whether it is still right, by what evidence, and what it takes. Nothing is asked use case by use case."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeAlias

from tocsin_alerts.status import ENOUGH_LABELS
from tocsin_console.checkup import TEST_USE_CASE
from tocsin_console.drill.standing import time_to_notice
from tocsin_console.parts import Parts

Row: TypeAlias = dict[str, Any]
Key: TypeAlias = tuple[str, str]

SPARK_DAYS: Final = 60
_FIGURE: Final = re.compile(r"^value (?:>=|<) ([0-9.]+)$")
_DAY_S: Final = 86_400
_LEAST_DAYS: Final = 2  # of a line
_SAID: Final = ("value", "lower", "upper", "baseline", "n")
_FIRST: Final = ("wrong", "drifting", "unverified", "collecting", "right")
_FRESH: Final = timedelta(days=3)
# What quality rests on, the best evidence first, and what it is called.
MEASURES: Final[Mapping[str, str]] = {
    "accuracy": "by labels",
    "reviewed_accuracy": "by reviews",
    "judge_accuracy": "by a judge",
    "estimated_accuracy": "estimated without labels",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What a population stability index means, by the rule on it."""

    moved: float = 0.1  # from here the rule fires
    moving: float = 0.05  # below it clears


_SHIPPED: Final = Bounds()


def bounds_of(rules: Iterable[Mapping[str, Any]]) -> Bounds:
    """Read the bounds of the rule on inputs' drift, where its conditions are as plain as the shipped one's. Pure."""
    for rule in rules:
        if rule.get("evaluator") == "input_psi":
            when, clear = (_FIGURE.match(str(rule.get(name) or "")) for name in ("when", "clear"))
            if when and clear:
                return Bounds(moved=float(when[1]), moving=float(clear[1]))
    return _SHIPPED


def clock_of(parts: Parts) -> datetime:
    """Tell the time of the slots: the end of the data where that is the clock."""
    through: datetime | None = parts.watermark().get("data_complete_to")
    return (parts.config.clock == "data" and through) or parts.now()


def last_day(at: datetime) -> dict[str, datetime]:
    """Give the last 24 whole hours, the one that goes on included."""
    until = at.astimezone(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    return {"since": until - timedelta(days=1), "until": until}


def at_a_glance(parts: Parts) -> list[Row]:
    """Describe every use case that has calls, alerts or a plan; those that need somebody come first."""
    at, ask, bounds = clock_of(parts), parts.book.ask, bounds_of(parts.rules)
    fresh = {"since": at - _FRESH, "until": at}
    traffic = _by_key(ask("glance_traffic", last_day(at)))
    latest = _grouped(ask("glance_latest", fresh))
    days = _grouped(ask("glance_quality", {"since": at - timedelta(days=SPARK_DAYS), "until": at}))
    reviews = _by_key(parts.reviews.standings())
    overdue = {_key(row) for row in parts.reviews.overdue()}
    rows = []
    for standing in parts.book.standings():
        key = _key(standing)
        samples = [row | {"said": said(row["said"])} for row in latest.get(key, ())]
        rows.append(
            standing
            | {"is_test": standing["use_case"] == TEST_USE_CASE, "needs_you": _needs_you(standing)}
            | _traffic(traffic.get(key, {}))
            | {
                "quality": _quality(days.get(key, ()), at) or _of_verdict(standing),
                "quality_days": spark_of(days.get(key, ()), until=at),
                "drift": _drift([row for row in samples if row["evaluator"] == "input_psi"], bounds),
                "latency_p95_ms": _most_behind(row for row in samples if row["evaluator"] == "latency"),
                "month": _month([row for row in samples if row["evaluator"] == "cost_forecast"]),
                "review": _review(reviews.get(key), is_overdue=key in overdue),
                "time_to_notice": time_to_notice(standing["drill"]),
            }
        )
    rows.sort(key=lambda row: (row["is_test"], not row["needs_you"], _FIRST.index(row["verdict"]), _key(row)))
    return rows


def headline(rows: Sequence[Mapping[str, Any]]) -> str:
    """Say in one sentence how many are right and which need somebody."""
    own = [row for row in rows if not row["is_test"]]
    if not own:
        return "No use case of your own yet"
    right = sum(row["verdict"] == "right" for row in own)
    needing = [row["use_case"] for row in own if row["needs_you"]]
    one = len(own) == 1
    if one:
        return f"{_named(own[0]['use_case'])} is {own[0]['verdict']}" + ("; it needs you" if needing else "")
    count = f"All {len(own)} use cases are right" if right == len(own) else f"{right} of {len(own)} use cases are right"
    if not needing:
        return count if right == len(own) else f"{count}; none needs you now"
    first = _named(needing[0])
    if len(needing) == 1:
        return f"{count}; {first} needs you"
    others = f"{len(needing) - 1} more" if len(needing) > 2 else _named(needing[1])
    return f"{count}; {first} and {others} need you"


def said(sample: Sequence[Any]) -> Row:
    """Name the figures of a sample."""
    found = dict(zip(_SAID, sample, strict=True))
    return found | {"n": int(found["n"])}


def spark_of(rows: Sequence[Mapping[str, Any]], *, until: datetime) -> list[float | None]:
    """Give quality by day over the last weeks, of the best measure that has a line; a day without a figure is None."""
    last = int(until.timestamp()) // _DAY_S
    for measure in MEASURES:
        for row in rows:
            known = dict(zip(row["days"], (share for (share,) in row["shares"]), strict=True))
            if row["evaluator"] == measure and sum(value is not None for value in known.values()) >= _LEAST_DAYS:
                return [known.get(day) for day in range(min(known), last + 1)]
    return []


def _quality(rows: Sequence[Mapping[str, Any]], at: datetime) -> Row | None:
    """Pick the best evidence that is fresh: enough labels first, then whatever there is."""
    newest = {
        row["evaluator"]: said(row["newest"]) | {"measure": row["evaluator"], "slot": row["slot"]}
        for row in rows
        if row["slot"] > at - _FRESH
    }
    known = [newest[measure] for measure in MEASURES if measure in newest and newest[measure]["value"] is not None]
    enough = [each for each in known if each["n"] >= ENOUGH_LABELS or each["measure"] == "estimated_accuracy"]
    found = next(iter(enough or known), None)
    return found and found | {"by": MEASURES[found["measure"]]}


def _of_verdict(standing: Mapping[str, Any]) -> Row | None:
    """Give the sample that the verdict rests on, where nothing else is fresh."""
    for name, measure in (("accuracy", "accuracy"), ("estimate", "estimated_accuracy")):
        if standing[name] and standing[name]["value"] is not None:
            return {**standing[name], "measure": measure, "by": MEASURES[measure]}
    return None


def _drift(rows: Sequence[Mapping[str, Any]], bounds: Bounds) -> Row | None:
    known = [row for row in rows if row["said"]["value"] is not None]
    if not rows:
        return None
    if not known:
        return {"field": "", "psi": None, "fields": len(rows), "fields_moved": 0, "words": "no reference yet"}
    worst = max(known, key=lambda row: row["said"]["value"])
    psi = worst["said"]["value"]
    moved = sum(row["said"]["value"] >= bounds.moved for row in known)
    return {
        "field": worst["labels"]["field"],
        "psi": psi,
        "fields": len(rows),
        "fields_moved": moved,
        "words": psi_words(psi, bounds),
    }


def psi_words(psi: float | None, bounds: Bounds = _SHIPPED) -> str:
    """Say what a population stability index means."""
    if psi is None:
        return "not enough to say"
    return "moved" if psi >= bounds.moved else "moving" if psi >= bounds.moving else "as in the reference"


def _most_behind(rows: Iterable[Mapping[str, Any]]) -> float | None:
    known = [row for row in rows if row["said"]["value"] is not None]
    found = max(known, key=lambda row: (row["last_slot"], row["said"]["n"]), default=None)
    return None if found is None else float(found["said"]["value"])


def _traffic(row: Mapping[str, Any]) -> Row:
    calls = int(row.get("calls", 0))
    cost = {name: spent for name, spent in row.get("cost", {}).items() if spent}
    unpriced = int(row.get("calls_unpriced", 0))
    return {
        "calls_24h": calls,
        "errors_24h": int(row.get("calls_failed", 0)),
        "error_share_24h": int(row.get("calls_failed", 0)) / calls if calls else None,
        "cost_24h": cost if calls > unpriced else None,  # by currency; None: no call has a price
        "unpriced_24h": unpriced,
    }


def _month(rows: Sequence[Mapping[str, Any]]) -> list[Row]:
    return [
        {
            "currency": row["labels"].get("currency", ""),
            "forecast": row["said"]["value"],
            "budget": row["said"]["baseline"],
            "is_over": bool(
                row["said"]["value"] and row["said"]["baseline"] and row["said"]["value"] > row["said"]["baseline"]
            ),
        }
        for row in sorted(rows, key=lambda row: str(row["labels"]))
        if row["said"]["value"] is not None
    ]


def _review(row: Mapping[str, Any] | None, *, is_overdue: bool) -> Row | None:
    if row is None:
        return None
    size, scored = int(row["size"]), int(row["scored"])
    return {"week": str(row["week"]), "size": size, "scored": scored, "due": size - scored, "is_overdue": is_overdue}


def _needs_you(standing: Mapping[str, Any]) -> bool:
    pages = any(each["severity"] == "page" and each["state"] == "firing" for each in standing["alerts"])
    return standing["verdict"] in ("wrong", "drifting") or standing["guard"] != "normal" or pages


def _named(name: str) -> str:
    return name if len(name) <= 60 else f"{name[:59]}…"


def _key(row: Mapping[str, Any]) -> Key:
    return str(row["project"]), str(row["use_case"])


def _by_key(rows: Iterable[Row]) -> dict[Key, Row]:
    return {_key(row): row for row in rows}


def _grouped(rows: Iterable[Row]) -> dict[Key, list[Row]]:
    found: dict[Key, list[Row]] = {}
    for row in rows:
        found.setdefault(_key(row), []).append(row)
    return found
