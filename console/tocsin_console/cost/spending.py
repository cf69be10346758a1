"""What calls cost by day, use case, version and segment, added up from hourly sums. Pure."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from tocsin_console.at_a_glance import said

OTHERS: Final = "all others"
_MOST_LINES: Final = 6  # of a chart: more colours are not told apart
_COUNTS: Final = {
    "calls": "calls_made",
    "retries": "calls_again",
    "priced": "calls_priced",
    "unpriced": "calls_unpriced",
    "fallback": "calls_fallback",
}

NOTHING: Final = {**dict.fromkeys(_COUNTS, 0), "amounts": dict[str, float]()}

Cell = Mapping[str, Any]  # a row of cost_cells.sql or cost_segments.sql


def added(cells: Iterable[Cell], names: Sequence[str]) -> list[dict[str, Any]]:
    """Add cells up by some of their names, the dearest first.

    Returns:
        The names, ``calls``, ``retries``, ``priced``, ``unpriced`` (of the model's), ``fallback``, and ``amounts`` by currency: what
        is known of the cost, none where no call has a price.
    """
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for cell in cells:
        key = tuple(cell[name] for name in names)
        row = found.setdefault(key, {**dict.fromkeys(_COUNTS, 0), "amounts": {}})
        for name, counted in _COUNTS.items():
            row[name] += int(cell[counted])
        if cell["in_currency"]:
            row["amounts"][cell["in_currency"]] = row["amounts"].get(cell["in_currency"], 0.0) + float(cell["amount"])
    rows = [dict(zip(names, key, strict=True)) | row for key, row in found.items()]
    return sorted(
        rows, key=lambda row: (-sum(row["amounts"].values()), -row["calls"], *(str(row[name]) for name in names))
    )


def by_day(
    cells: Sequence[Cell], name: Callable[[Cell], str], *, currency: str, since: datetime, until: datetime
) -> list[dict[str, Any]]:
    """Give what each day cost in one currency as rows of a stacked figure: the dearest names, and all others as one."""
    own = [cell for cell in cells if cell["in_currency"] == currency]
    totals: dict[str, float] = {}
    for cell in own:
        totals[name(cell)] = totals.get(name(cell), 0.0) + float(cell["amount"])
    first = sorted(totals, key=lambda each: (-totals[each], each))
    kept = first if len(first) <= _MOST_LINES else first[: _MOST_LINES - 1]
    sums: dict[tuple[str, str], float] = {}
    for cell in own:
        key = (name(cell) if name(cell) in kept else OTHERS, str(cell["day"]))
        sums[key] = sums.get(key, 0.0) + float(cell["amount"])
    first_day, last_day = since.date(), (until - timedelta(seconds=1)).date()
    days = [str(first_day + timedelta(days=at)) for at in range((last_day - first_day).days + 1)]
    named = [*kept, *([OTHERS] if len(kept) < len(first) else [])]
    return [
        {"at": f"{day}T00:00:00Z", "by": each, "value": sums.get((each, day), 0.0)} for each in named for day in days
    ]


def main_currency(cells: Iterable[Cell]) -> str:
    """Give the currency in which most calls have a price; empty where none has."""
    counts: dict[str, int] = {}
    for cell in cells:
        if cell["in_currency"]:
            counts[cell["in_currency"]] = counts.get(cell["in_currency"], 0) + int(cell["calls_made"])
    return max(sorted(counts), key=lambda each: counts[each], default="")


def months(rows: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str], dict[str, list[dict[str, Any]]]]:
    """Sort rows of ``cost_latest.sql`` by use case, what has no value left out: ``forecast`` and ``per_right``."""
    names = {"cost_forecast": "forecast", "cost_per_correct": "per_right"}
    found: dict[tuple[str, str], dict[str, list[dict[str, Any]]]] = {}
    for row in rows:
        own = found.setdefault((row["project"], row["use_case"]), {"forecast": [], "per_right": []})
        sample = said(row["said"])
        if sample["value"] is not None:
            own[names[row["evaluator"]]].append({"currency": row["in_currency"], **sample})
    return found
