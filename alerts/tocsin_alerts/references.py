"""Reference windows: what "as it was" means for each version, frozen once; and the calibration that goes with it."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib import resources
from typing import Any, Final, Literal

from tocsin_alerts.daily_errors import Day, daily_errors
from tocsin_alerts.daily_estimates import DayEstimate, daily_estimates
from tocsin_alerts.ports import Query
from tocsin_alerts.statistics import (
    WEEK_H,
    Calibration,
    category_buckets,
    isotonic,
    number_buckets,
    ordinary_silence_s,
)

WINDOW: Final = timedelta(days=28)
MIN_CALLS: Final = 200
MIN_LABELS: Final = 50
MIN_STEP: Final = 20  # labels behind each step of a calibration

_WEEK: Final = timedelta(days=7)
_MOST_CATEGORIES: Final = 200
_OTHERS: Final = "(other)"
_ALL: Final = ("", "")  # the segment that holds every call


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """What a reference belongs to."""

    project: str
    use_case: str
    model_version: str
    prompt_version: str

    def as_params(self) -> dict[str, Any]:
        """Give the four as query parameters, or as the first columns of a row."""
        return {
            "project": self.project,
            "use_case": self.use_case,
            "model_version": self.model_version,
            "prompt_version": self.prompt_version,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """One thing that :func:`maintain` has written."""

    kind: Literal["reference", "calibration"]
    version: Version
    since: datetime
    until: datetime
    n: int  # calls of the reference, labels of the calibration


def maintain(query: Query, *, slot: datetime) -> list[Kept]:
    """Freeze the references that are due at a daily slot, and fit their calibrations.

    A version that is in use gets its reference after 28 whole days, or as many more weeks as 200 calls take. Its
    calibration is fitted again each day until labels are usually complete, and stays as it is from then on.
    Doing it again at the same slot changes nothing.
    """
    known = {_version(row): row for row in query.rows(_sql("frozen"))}
    active = [_version(row) for row in query.rows(_sql("active"), {"slot": slot})]
    done = []
    for version in active:
        if version in known:
            since, until = _utc(known[version]["since"]), _utc(known[version]["until"])
            wanted = _wants_fit(known[version], until, slot)
        else:
            found = _window(query.rows(_sql("days"), {**version.as_params(), "slot": slot}), slot)
            if found is None:
                continue
            since, until = found
            done.append(_freeze(query, version, since, until, slot))
            wanted = True
        fitted = _fit(query, version, since, until, slot) if wanted else None
        if fitted:
            done.append(fitted)
    return done


def _wants_fit(row: Mapping[str, Any], until: datetime, slot: datetime) -> bool:
    if not row["labels"]:
        return True
    fitted_at = _utc(row["fitted_at"])
    return fitted_at < slot and fitted_at < until + timedelta(seconds=row["label_delay_s"])


def _window(days: Sequence[Mapping[str, Any]], slot: datetime) -> tuple[datetime, datetime] | None:
    """Find the first whole weeks that hold enough calls, if they have passed by now."""
    if not days:
        return None
    first = datetime.fromtimestamp(days[0]["first_hour"], UTC)
    since = first.replace(hour=0)
    if since < first:  # the day it was installed is not a whole one
        since += timedelta(days=1)
    until = since + WINDOW
    while until <= slot:
        calls = sum(day["calls"] for day in days if since.timestamp() <= day["day"] < until.timestamp())
        if calls >= MIN_CALLS:
            return since, until
        until += _WEEK
    return None


def _freeze(query: Query, version: Version, since: datetime, until: datetime, slot: datetime) -> Kept:
    params = {**version.as_params(), "since": since, "until": until}
    traffic = query.rows(_sql("traffic"), params)
    cells = _pooled(query.rows(_sql("histogram"), params))
    calls = sum(int(row["own_calls"]) for row in traffic)
    profiles = [
        {**version.as_params(), **profile, "until": until, "frozen_at": slot}
        for profile in (*_shapes(cells, calls), *_traffic_profiles(traffic, since, until))
    ]
    window = {"since": since, "until": until, "frozen_at": slot}
    query.insert("reference_profiles", profiles)
    # The row of kind "calls" says that all is there, so it comes in the last insert.
    query.insert("reference_windows", [{**version.as_params(), **window, **cell} for cell in (*cells, _cell(n=calls))])
    return Kept(kind="reference", version=version, since=since, until=until, n=calls)


def _cell(*, n: int) -> dict[str, Any]:
    return {"kind": "calls", "field": "", "segment_name": "", "segment_value": "", "bin": 0, "category": "", "n": n}


def _pooled(cells: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Keep the commonest categories of each field; a reference must not grow with user names."""
    counted: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for cell in cells:
        if cell["category"]:
            counted.setdefault((cell["kind"], cell["field"]), []).append(cell)
    pooled = [cell for cell in cells if not cell["category"]]
    for found in counted.values():
        found.sort(key=lambda cell: (-cell["n"], cell["category"]))
        pooled += found[:_MOST_CATEGORIES]
        rest = sum(cell["n"] for cell in found[_MOST_CATEGORIES:])
        if rest:
            pooled.append({**found[0], "category": _OTHERS, "n": rest})
    return pooled


def _shapes(cells: Sequence[Mapping[str, Any]], calls: int) -> list[dict[str, Any]]:
    """Work out what confidence, each input field and missing values are compared with."""
    own = [cell for cell in cells if not cell["segment_name"]]
    confidence = number_buckets([(cell["bin"], cell["n"]) for cell in own if cell["kind"] == "confidence"])
    shapes = [_profile("confidence", edges=confidence)] if len(confidence) > 1 else []
    inputs = sorted((cell for cell in own if cell["kind"] in {"number", "category"}), key=lambda cell: cell["field"])
    for field, of_field in itertools.groupby(inputs, key=lambda cell: str(cell["field"])):
        found = list(of_field)
        edges = number_buckets([(cell["bin"], cell["n"]) for cell in found if cell["kind"] == "number"])
        names = [(cell["category"], cell["n"]) for cell in found if cell["kind"] == "category"]
        kept, rest = category_buckets([each for each in names if each[0] != _OTHERS])
        rest += sum(count for name, count in names if name == _OTHERS)
        shapes.append(_profile("input", field=field, edges=edges if len(edges) > 1 else [], names=kept, rest=rest))
    nulls = [(cell["field"], cell["n"] / calls) for cell in own if cell["kind"] == "null"]
    shapes.append(_profile("null", names=nulls, n=calls))
    return shapes


def _traffic_profiles(traffic: Sequence[Mapping[str, Any]], since: datetime, until: datetime) -> list[dict[str, Any]]:
    weeks = (until - since) / _WEEK
    means = [0.0] * WEEK_H
    cost: dict[str, float] = {}
    for row in traffic:
        means[row["hour_of_week"]] += row["all_calls"] / weeks
        if row["priced"]:
            cost[row["currency"]] = cost.get(row["currency"], 0.0) + row["known_cost"] / (7 * weeks)
    calls = sum(int(row["all_calls"]) for row in traffic)
    volume = _profile("volume", n=calls) | {"figures": means}
    silence = _profile("silence", n=calls) | {"figures": [float(each) for each in ordinary_silence_s(means)]}
    return [volume, silence, _profile("cost", names=sorted(cost.items()), n=calls)]


def _profile(
    kind: str,
    *,
    field: str = "",
    edges: Sequence[tuple[int, int]] = (),
    names: Sequence[tuple[str, float]] = (),
    rest: int | None = None,
    n: int | None = None,
) -> dict[str, Any]:
    figures = [float(count) for _, count in (*edges, *names)] + ([float(rest)] if rest is not None else [])
    return {
        "kind": kind,
        "field": field,
        "edges": [edge for edge, _ in edges],
        "names": [name for name, _ in names],
        "figures": figures,
        "n": int(sum(figures)) if n is None else n,
    }


def _fit(query: Query, version: Version, since: datetime, until: datetime, slot: datetime) -> Kept | None:
    """Fit confidence to the labels of the reference window; None while there are too few."""
    labelled: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    window = {**version.as_params(), "since": since, "until": until}
    for row in query.rows(_sql("labels"), window):
        labelled.setdefault((row["segment_name"], row["segment_value"]), []).append(row)
    n = sum(row["labels"] for row in labelled.get(_ALL, []))
    if n < MIN_LABELS:
        return None
    cells = [(row["bin"], row["labels"], row["hits"]) for row in labelled[_ALL] if row["bin"] >= 0]
    enough = sum(labels for _, labels, _ in cells) >= MIN_LABELS
    calibration = isotonic(cells if enough else [], least=MIN_STEP)
    accuracies = {segment: _share(rows) for segment, rows in labelled.items()}
    estimates = _estimates(query, version, calibration)
    daily = daily_errors([Day(**row) for row in query.rows(_sql("label_days"), window)])
    query.insert(
        "calibrations",
        [
            {
                **version.as_params(),
                "bins": list(calibration.knots),
                "precision": list(calibration.precision),
                "labels": list(calibration.labels),
                "n": n,
                "accuracy": accuracies.pop(_ALL),
                "fitted_at": slot,
                "until": until,
                "estimate": estimates.pop(_ALL, 0.0),
                "segment_estimates": {"=".join(segment): share for segment, share in estimates.items()},
                "segment_accuracies": {"=".join(segment): share for segment, share in accuracies.items()},
                "daily_errors": list(daily.by_weekday) if daily else [],
                "daily_wander": daily.wander if daily else 0.0,
                "daily_doubt": daily.doubt if daily else 0.0,
            }
        ],
    )
    query.insert("reference_profiles", _daily_profile(query, version, calibration, window, slot))
    return Kept(kind="calibration", version=version, since=since, until=until, n=n)


def _daily_profile(
    query: Query, version: Version, calibration: Calibration, window: Mapping[str, Any], slot: datetime
) -> list[dict[str, Any]]:
    histograms: dict[int, list[tuple[int, int]]] = {}
    for row in query.rows(_sql("estimate_days"), window):
        histograms.setdefault(row["day"], []).append((row["bin"], row["n"]))
    shares = {day: calibration.estimate(histogram) for day, histogram in histograms.items()}
    days = [
        DayEstimate(day=day, share=share, calls=sum(count for _, count in histograms[day]))
        for day, share in shares.items()
        if share is not None
    ]
    found = daily_estimates(days)
    if found is None:
        return []
    profile = _profile("estimate", n=sum(each.calls for each in days)) | {"figures": found.as_figures()}
    return [{**version.as_params(), **profile, "until": window["until"], "frozen_at": slot}]


def _estimates(query: Query, version: Version, calibration: Calibration) -> dict[tuple[str, str], float]:
    histograms: dict[tuple[str, str], list[tuple[int, int]]] = {}
    for row in query.rows(_sql("confidences"), version.as_params()):
        histograms.setdefault((row["segment_name"], row["segment_value"]), []).append((row["bin"], row["n"]))
    found = {segment: calibration.estimate(histogram) for segment, histogram in histograms.items()}
    return {segment: share for segment, share in found.items() if share is not None}


def _share(rows: Sequence[Mapping[str, Any]]) -> float:
    return float(sum(row["hits"] for row in rows) / sum(row["labels"] for row in rows))


def _version(row: Mapping[str, Any]) -> Version:
    return Version(
        project=row["project"],
        use_case=row["use_case"],
        model_version=row["model_version"],
        prompt_version=row["prompt_version"],
    )


def _utc(when: datetime) -> datetime:
    return when if when.tzinfo else when.replace(tzinfo=UTC)


def _sql(name: str) -> str:
    return resources.files("tocsin_alerts").joinpath("references", f"{name}.sql").read_text(encoding="utf-8")
