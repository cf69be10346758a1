"""One use case for people who look at it: how its quality went, in which parts, how sure it may be, and where it was wrong."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final

from tocsin_alerts.documents import suggest
from tocsin_console.at_a_glance import MEASURES, Row, at_a_glance, clock_of, said
from tocsin_console.errors import UsageProblem
from tocsin_console.parts import Parts

_FRESH: Final = timedelta(days=3)
_MOST_SEGMENTS: Final = 50
_MOST_WRONG: Final = 10
_MOST_INCIDENTS: Final = 20
_LABELLED: Final = timedelta(days=28)
_ENOUGH_POINTS: Final = 20_000  # labelled calls behind a picture; of more a part is as good


def named(parts: Parts, project: str, use_case: str) -> Row:
    """Find the row of one use case.

    Raises:
        UsageProblem: there is no such use case.
    """
    rows = at_a_glance(parts)
    for row in rows:
        if (row["project"], row["use_case"]) == (project, use_case):
            return row
    known = sorted({str(row["use_case"]) for row in rows})
    raise UsageProblem(f"expected a use case with calls or a plan, got {use_case[:80]!r}: {suggest(use_case, known)}")


def history(parts: Parts, project: str, use_case: str, *, days: int) -> dict[str, Any]:
    """Read what quality was at each midnight, and what happened meanwhile: releases, incidents, the reference's window."""
    until = clock_of(parts)
    since = until - timedelta(days=days)
    asked = {"project": project, "use_case": use_case, "since": since, "until": until}
    samples = parts.book.ask("quality_days", asked)
    versions = [
        each for each in parts.references.listed() if (each["project"], each["use_case"]) == (project, use_case)
    ]
    references = [each["reference"] for each in versions if each["reference"]]
    return {
        "since": since,
        "until": until,
        "quality": [
            {"slot": row["slot"], "measure": row["evaluator"], "by": MEASURES[row["evaluator"]], **said(row["said"])}
            for row in samples
        ],
        "releases": versions,
        "reference": max(references, key=lambda each: each["until"], default=None),
        "incidents": [
            each
            for each in parts.book.history(since, use_case=use_case, most=_MOST_INCIDENTS)
            if each["project"] == project
        ],
    }


def figures(parts: Parts, project: str, use_case: str) -> dict[str, Any]:
    """Read the newest figures beyond quality: by segment, of calibration, per right answer."""
    at = clock_of(parts)
    asked = {"project": project, "use_case": use_case, "since": at - _FRESH, "until": at}
    latest = [row | {"said": said(row["said"])} for row in parts.book.ask("use_case_latest", asked)]
    lines = parts.book.ask("use_case_segments", {**asked, "since": at - timedelta(days=60)})
    return {
        "segments": _segments(latest, lines),
        "cost_per_correct": [
            {"currency": row["labels"].get("currency", ""), **row["said"]}
            for row in latest
            if row["evaluator"] == "cost_per_correct" and row["said"]["value"] is not None
        ],
        "calibration": calibration(parts, project, use_case) | {"scores": _scores(latest)},
        "confidently_wrong": confidently_wrong(parts, project, use_case, at),
    }


def calibration(parts: Parts, project: str, use_case: str) -> dict[str, Any]:
    """Say how often the reference was right where it was so sure; no points without labels in it."""
    known = parts.book.ask("use_case_calibration", {"project": project, "use_case": use_case})
    if not known:
        return {"points": [], "labels": 0, "reference_until": None, "model_version": ""}
    [row] = known
    edges = [*row["confidences"], 0.0]
    points = [
        {"confidence": (upper + lower) / 2, "accuracy": share, "labels": int(behind)}
        for upper, lower, share, behind in zip(edges, edges[1:], row["shares"], row["behind"], strict=False)
    ]
    return {
        "points": points,
        "labels": int(row["n"]),
        "reference_until": row["until"],
        "model_version": row["model_version"],
    }


def reliability(parts: Parts, project: str, use_case: str) -> list[Row]:
    """Count how often labelled calls of the last four weeks were right where they were so sure."""
    at = clock_of(parts)
    asked = {"project": project, "use_case": use_case, "since": at - _LABELLED, "until": at}
    found = parts.book.ask("labelled_lately", asked)
    every = max(1, int(found[0]["labelled"]) // _ENOUGH_POINTS)
    return [
        {"confidence": row["confidence"], "accuracy": row["share"], "labels": int(row["labelled"])}
        for row in parts.book.ask("reliability", asked | {"every": every})
    ]


def confidently_wrong(parts: Parts, project: str, use_case: str, at: datetime) -> list[Row]:
    """List calls of the last four weeks that turned out wrong, the surest first."""
    asked = {"project": project, "use_case": use_case, "since": at - _LABELLED, "until": at, "most": _MOST_WRONG}
    return [
        {
            "project": project,
            "use_case": use_case,
            "call_id": row["call_id"],
            "started_at": row["called_at"],
            "model_version": row["version"],
            "confidence": row["sure"],
            "answer": row["said_label"] or row["said_value"],
            "truth": row["true_label"] or row["true_value"],
            "by": row["by"],
        }
        for row in parts.book.ask("confidently_wrong", asked)
    ]


def _segments(latest: Sequence[Row], lines: Sequence[Row]) -> list[Row]:
    days: dict[tuple[str, str], dict[date, float | None]] = {}
    for line in lines:
        days.setdefault((line["segment"], line["segment_value"]), {})[line["day"]] = line["accuracy"]
    errors = {_segment(row): row["said"] for row in latest if row["evaluator"] == "segment_errors"}
    found: dict[tuple[str, str], Row] = {}
    for row in latest:
        if row["evaluator"] != "segment_accuracy":
            continue
        key = _segment(row)
        failed = errors.get(key)
        if key not in found or row["said"]["n"] > found[key]["n"]:  # of several versions the one with most behind it
            found[key] = {
                "segment": key[0],
                "value_of": key[1],
                **row["said"],
                "below_reference": _below(row["said"]),
                "error_share": failed and failed["value"],
                "days": _days(days.get(key, {})),
            }
    ranked = sorted(found.values(), key=lambda row: (row["value"] is None, row["value"] or 0.0))
    return ranked[:_MOST_SEGMENTS]


def _below(sample: Mapping[str, Any]) -> float | None:
    known = sample["value"] is not None and sample["baseline"] is not None
    return sample["baseline"] - sample["value"] if known else None


def _segment(row: Mapping[str, Any]) -> tuple[str, str]:
    return row["labels"].get("segment_name", ""), row["labels"].get("segment_value", "")


def _days(known: Mapping[Any, float | None]) -> list[float | None]:
    if not known:
        return []
    first, last = min(known), max(known)
    return [known.get(first + timedelta(days=number)) for number in range((last - first).days + 1)]


def _scores(latest: Sequence[Row]) -> list[Row]:
    words = {"ece": "expected calibration error", "brier": "Brier score"}
    return [
        {"score": row["evaluator"], "words": words[row["evaluator"]], **row["said"]}
        for row in latest
        if row["evaluator"] in words and row["said"]["value"] is not None
    ]
