"""The calibration that goes with a reference: how often calls of each confidence were right in its window."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

from tocsin_alerts.calendar_days import left_out
from tocsin_alerts.daily_errors import Day, daily_errors
from tocsin_alerts.daily_estimates import DayEstimate, daily_estimates
from tocsin_alerts.expected_errors import Cell, expected_errors
from tocsin_alerts.ports import Query
from tocsin_alerts.reference_shapes import profile
from tocsin_alerts.reference_sql import statement
from tocsin_alerts.statistics import Calibration, isotonic
from tocsin_alerts.versions import Version

MIN_LABELS: Final = 50
MIN_STEP: Final = 20  # labels behind each step of a calibration

_ALL: Final = ("", "")  # the segment that holds every call


def fit(
    query: Query,
    version: Version,
    since: datetime,
    until: datetime,
    *,
    slot: datetime,
    calendar: Sequence[tuple[date, date]] = (),
) -> int | None:
    """Fit confidence to the labels of a reference window, store that, and say how many they were; None: too few."""
    labelled: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    window = {**version.as_params(), **left_out(calendar), "since": since, "until": until}
    query.insert("reference_profiles", _score_profile(query, version, window, slot))
    query.insert("reference_profiles", _error_profile(query, version, window, slot))
    for row in query.rows(statement("labels"), window):
        labelled.setdefault((row["segment_name"], row["segment_value"]), []).append(row)
    n = sum(int(row["labels"]) for row in labelled.get(_ALL, []))
    if n < MIN_LABELS:
        return None
    cells = [(row["bin"], row["labels"], row["hits"]) for row in labelled[_ALL] if row["bin"] >= 0]
    enough = sum(labels for _, labels, _ in cells) >= MIN_LABELS
    calibration = isotonic(cells if enough else [], least=MIN_STEP)
    accuracies = {
        segment: _share(rows, of="calls", right="right_calls")
        for segment, rows in labelled.items()
        if segment != _ALL and any(row["calls"] for row in rows)
    }
    estimates = _estimates(query, version, calibration)
    daily = daily_errors([Day(**row) for row in query.rows(statement("label_days"), window)])
    query.insert(
        "calibrations",
        [
            {
                **version.as_params(),
                "bins": list(calibration.knots),
                "precision": list(calibration.precision),
                "labels": list(calibration.labels),
                "n": n,
                "accuracy": _share(labelled[_ALL], of="calls", right="right_calls"),
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
    return n


def _score_profile(query: Query, version: Version, window: Mapping[str, Any], slot: datetime) -> list[dict[str, Any]]:
    found = query.rows(statement("scores"), window)
    if not found:
        return []
    shape = profile("score", names=[(row["name"], row["value"]) for row in found], n=max(row["n"] for row in found))
    return [{**version.as_params(), **shape, "until": window["until"], "frozen_at": slot}]


def _error_profile(query: Query, version: Version, window: Mapping[str, Any], slot: datetime) -> list[dict[str, Any]]:
    found = expected_errors([Cell(**row) for row in query.rows(statement("errors"), window)])
    if found is None:
        return []
    shape = profile("error", n=sum(found.labels)) | {"edges": list(found.edges), "figures": found.as_figures()}
    return [{**version.as_params(), **shape, "until": window["until"], "frozen_at": slot}]


def _daily_profile(
    query: Query, version: Version, calibration: Calibration, window: Mapping[str, Any], slot: datetime
) -> list[dict[str, Any]]:
    histograms: dict[int, list[tuple[int, int]]] = {}
    for row in query.rows(statement("estimate_days"), window):
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
    shape = profile("estimate", n=sum(each.calls for each in days)) | {"figures": found.as_figures()}
    return [{**version.as_params(), **shape, "until": window["until"], "frozen_at": slot}]


def calibration_of_rows(
    version: Version,
    labelled: Sequence[tuple[int, int, int]],
    confidences: Sequence[tuple[int, int]],
    *,
    until: datetime,
    fitted_at: datetime,
) -> dict[str, Any]:
    """Fit confidence to the labels of training rows, as a row of ``calibrations``.

    Args:
        version: Whose they are.
        labelled: Doubt bin, labels and right answers; bin -1 is of rows without confidence.
        confidences: Doubt bin and rows.
        until: From when on it holds.
        fitted_at: Now.
    """
    n, hits = (sum(row[at] for row in labelled) for at in (1, 2))
    known = [row for row in labelled if row[0] >= 0]
    enough = sum(labels for _, labels, _ in known) >= MIN_LABELS
    calibration = isotonic(known if enough else [], least=MIN_STEP)
    return {
        **version.as_params(),
        "bins": list(calibration.knots),
        "precision": list(calibration.precision),
        "labels": list(calibration.labels),
        "n": n,
        "accuracy": hits / n,
        "fitted_at": fitted_at,
        "until": until,
        "estimate": calibration.estimate(confidences) or 0.0,
    }


def _estimates(query: Query, version: Version, calibration: Calibration) -> dict[tuple[str, str], float]:
    histograms: dict[tuple[str, str], list[tuple[int, int]]] = {}
    for row in query.rows(statement("confidences"), version.as_params()):
        histograms.setdefault((row["segment_name"], row["segment_value"]), []).append((row["bin"], row["n"]))
    found = {segment: calibration.estimate(histogram) for segment, histogram in histograms.items()}
    return {segment: share for segment, share in found.items() if share is not None}


def _share(rows: Sequence[Mapping[str, Any]], *, of: str = "labels", right: str = "hits") -> float:
    return float(sum(row[right] for row in rows) / sum(row[of] for row in rows))
