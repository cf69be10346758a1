"""What of a reference window the present is compared with: pooled histograms, deciles, shares and means. Pure."""

import itertools
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

from tocsin_alerts.calendar_days import ordinary_hours
from tocsin_alerts.statistics import WEEK_H, category_buckets, number_buckets, ordinary_silence_s

_MOST_CATEGORIES: Final = 200
_OTHERS: Final = "(other)"


def pooled(cells: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Keep the commonest categories of each field; a reference must not grow with user names."""
    counted: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for cell in cells:
        if cell["category"]:
            counted.setdefault((cell["kind"], cell["field"]), []).append(cell)
    kept = [cell for cell in cells if not cell["category"]]
    for found in counted.values():
        found.sort(key=lambda cell: (-cell["n"], cell["category"]))
        kept += found[:_MOST_CATEGORIES]
        rest = sum(cell["n"] for cell in found[_MOST_CATEGORIES:])
        if rest:
            kept.append({**found[0], "category": _OTHERS, "n": rest})
    return kept


def shapes(cells: Sequence[Mapping[str, Any]], calls: int) -> list[dict[str, Any]]:
    """Work out what confidence, each input field, outputs, latency and missing values are compared with."""
    own = [cell for cell in cells if not cell["segment_name"]]
    confidence = number_buckets([(cell["bin"], cell["n"]) for cell in own if cell["kind"] == "confidence"])
    made = [profile("confidence", edges=confidence)] if len(confidence) > 1 else []
    inputs = sorted((cell for cell in own if cell["kind"] in {"number", "category"}), key=lambda cell: cell["field"])
    for field, of_field in itertools.groupby(inputs, key=lambda cell: str(cell["field"])):
        found = list(of_field)
        numbers = [(cell["bin"], cell["n"]) for cell in found if cell["kind"] == "number"]
        edges = number_buckets(numbers)
        kept, rest = _categories(found, "category")
        made.append(profile("input", field=field, edges=edges if len(edges) > 1 else [], names=kept, rest=rest))
        if numbers:
            made.append(profile("number", field=field, edges=numbers))
    labels, others = _categories(own, "output")
    if labels:
        made.append(profile("output", names=labels, rest=others))
    latency = [(cell["bin"], cell["n"]) for cell in own if cell["kind"] == "latency"]
    if latency:
        made.append(profile("latency", edges=latency))
    nulls = [(cell["field"], cell["n"] / calls) for cell in own if cell["kind"] == "null"]
    made.append(profile("null", names=nulls, n=calls))
    return made


def _categories(cells: Sequence[Mapping[str, Any]], kind: str) -> tuple[list[tuple[str, int]], int]:
    names = [(cell["category"], cell["n"]) for cell in cells if cell["kind"] == kind]
    kept, rest = category_buckets([each for each in names if each[0] != _OTHERS])
    return kept, rest + sum(count for name, count in names if name == _OTHERS)


def traffic_profiles(
    traffic: Sequence[Mapping[str, Any]], since: datetime, until: datetime, calendar: Sequence[tuple[date, date]] = ()
) -> list[dict[str, Any]]:
    """Work out what volume, silence and cost are compared with; of every version of the use case together."""
    hours = ordinary_hours(calendar, since, until)
    weeks = sum(hours) / WEEK_H
    means = [0.0] * WEEK_H
    cost: dict[str, float] = {}
    for row in traffic:
        means[row["hour_of_week"]] += row["all_calls"] / max(1, hours[row["hour_of_week"]])
        if row["priced"]:
            cost[row["currency"]] = cost.get(row["currency"], 0.0) + row["known_cost"] / (7 * weeks)
    calls = sum(int(row["all_calls"]) for row in traffic)
    volume = profile("volume", n=calls) | {"figures": means}
    silence = profile("silence", n=calls) | {"figures": [float(each) for each in ordinary_silence_s(means)]}
    return [volume, silence, profile("cost", names=sorted(cost.items()), n=calls)]


def profile(
    kind: str,
    *,
    field: str = "",
    edges: Sequence[tuple[int, int]] = (),
    names: Sequence[tuple[str, float]] = (),
    rest: int | None = None,
    n: int | None = None,
) -> dict[str, Any]:
    """Write one row of ``reference_profiles`` but for whose it is; its figures are counts, its ``n`` their sum unless given."""
    figures = [float(count) for _, count in (*edges, *names)] + ([float(rest)] if rest is not None else [])
    return {
        "kind": kind,
        "field": field,
        "edges": [edge for edge, _ in edges],
        "names": [name for name, _ in names],
        "figures": figures,
        "n": int(sum(figures)) if n is None else n,
    }
