"""What there is to say about an incident: which inputs moved, who is worst off, calls to look at, and since when."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib import resources
from typing import Any, Final

from tocsin_alerts.evaluator import Evaluator, evaluate
from tocsin_alerts.message import Day, Drift, Example, Measure, Segment
from tocsin_alerts.ports import Query
from tocsin_alerts.records import Sample

DROP: Final = 0.01  # below the baseline by so much counts as "since"

_DAY_S: Final = 86_400
_MOST_DRIFTED: Final = 3
_LEAST_PSI: Final = 0.02  # below it a field has not moved
_MOST_EXAMPLES: Final = 5
_MOST_FIELDS: Final = 4
_LEAST_LABELS: Final = 30
_LEAST_CALLS: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """The evidence of one incident as of one slot, in plain values."""

    since: datetime  # first daily slot of the current run below the baseline by a point; else the onset given
    quality: Measure | None  # the latest accuracy on labels
    estimated: Measure | None  # the latest accuracy estimated without labels
    calls_per_day: float | None
    days: tuple[Day, ...]  # at most 90, oldest first
    drifted: tuple[Drift, ...]  # most first
    worst_segment: Segment | None
    examples: tuple[Example, ...]  # confidently wrong first, then the least confident

    @property
    def history(self) -> tuple[float | None, ...]:
        """Accuracy by day, labelled where known, oldest first."""
        return tuple(day.labelled if day.labelled is not None else day.estimated for day in self.days)


def gather(
    query: Query,
    evaluators: Mapping[str, Evaluator],
    *,
    project: str,
    use_case: str,
    slot: datetime,
    onset: datetime,
) -> Evidence:
    """Look everything up, as of a slot; the caller bounds the time.

    Args:
        query: The store.
        evaluators: At least ``input_psi`` and the two accuracies by segment.
        project: Of the incident.
        use_case: Of the incident.
        slot: Nothing after it is looked at.
        onset: When the first alert of the incident left "inactive".
    """
    stream = {"project": project, "use_case": use_case, "slot": slot}
    measured = _by_evaluator(query.rows(_sql("daily"), stream))
    drifted = _drifted(query, evaluators, stream)
    calls = query.rows(_sql("traffic"), stream)
    return Evidence(
        since=_since(measured.get("estimated_accuracy", {}), measured.get("accuracy", {})) or onset,
        quality=_latest(measured.get("accuracy", {})),
        estimated=_latest(measured.get("estimated_accuracy", {})),
        calls_per_day=float(calls[0]["calls"]) if calls and calls[0]["calls"] else None,
        days=_days(measured),
        drifted=drifted,
        worst_segment=_worst_segment(query, evaluators, stream),
        examples=_examples(query, stream, [drift.field for drift in drifted]),
    )


def _by_evaluator(rows: Sequence[Mapping[str, Any]]) -> dict[str, dict[datetime, Measure]]:
    found: dict[str, dict[datetime, Measure]] = {}
    for row in rows:
        value, lower, upper, baseline, n = row["sample"]
        measure = Measure(value=value, lower=lower, upper=upper, baseline=baseline, n=n)
        found.setdefault(row["evaluator"], {})[_utc(row["slot"])] = measure
    return found


def _latest(series: Mapping[datetime, Measure]) -> Measure | None:
    known = [slot for slot, measure in series.items() if measure.value is not None]
    return series[max(known)] if known else None


def _days(measured: Mapping[str, Mapping[datetime, Measure]]) -> tuple[Day, ...]:
    estimated, labelled = measured.get("estimated_accuracy", {}), measured.get("accuracy", {})
    slots = sorted({*estimated, *labelled})
    return tuple(
        Day(
            slot=slot,
            estimated=estimated[slot].value if slot in estimated else None,
            labelled=labelled[slot].value if slot in labelled else None,
        )
        for slot in slots
    )


def _since(*every: Mapping[datetime, Measure]) -> datetime | None:
    """Find where the current run below the baseline begins, in the series that saw it first."""
    begins = [begin for series in every if (begin := _run(series)) is not None]
    return min(begins, default=None)


def _run(series: Mapping[datetime, Measure]) -> datetime | None:
    begin = None
    for slot in sorted(series, reverse=True):
        measure = series[slot]
        if measure.value is None or measure.baseline is None or measure.value >= measure.baseline - DROP:
            break
        begin = slot
    return begin


def _drifted(query: Query, evaluators: Mapping[str, Evaluator], stream: Mapping[str, Any]) -> tuple[Drift, ...]:
    samples = [
        sample
        for sample in _samples(query, evaluators, "input_psi", stream)
        if sample.value is not None and sample.value >= _LEAST_PSI
    ]
    samples.sort(key=lambda sample: (-(sample.value or 0.0), sample.labels["field"]))
    fields = [sample.labels["field"] for sample in samples[:_MOST_DRIFTED]]
    if not fields:
        return ()
    eras: dict[tuple[str, str], dict[str, Mapping[str, Any]]] = {}
    for row in query.rows(_sql("fields"), {**stream, "fields": fields}):
        eras.setdefault((row["field"], row["kind"]), {})[row["era"]] = row
    return tuple(
        Drift(field=sample.labels["field"], psi=sample.value or 0.0, detail=_detail(sample.labels["field"], eras))
        for sample in samples[:_MOST_DRIFTED]
    )


def _detail(field: str, eras: Mapping[tuple[str, str], Mapping[str, Mapping[str, Any]]]) -> str:
    numbers = eras.get((field, "number"), {})
    if numbers.keys() == {"now", "then"}:
        return f"median {numbers['then']['median']:.3g} → {numbers['now']['median']:.3g}"
    texts = eras.get((field, "category"), {})
    if texts.keys() != {"now", "then"}:
        return ""
    shares = {era: {name: count / row["total"] for name, count in row["categories"]} for era, row in texts.items()}
    now, then = shares["now"], shares["then"]
    moved = max(sorted({*now, *then}), key=lambda name: abs(now.get(name, 0.0) - then.get(name, 0.0)))
    return f"{moved or '(empty)'} {then.get(moved, 0.0):.0%} → {now.get(moved, 0.0):.0%}"


def _worst_segment(query: Query, evaluators: Mapping[str, Evaluator], stream: Mapping[str, Any]) -> Segment | None:
    """Pick the segment furthest below its own baseline, by labels or by estimate; without baselines, the lowest."""
    labelled = _samples(query, evaluators, "accuracy_by_segment", stream, min_n=_LEAST_LABELS)
    estimated = _samples(query, evaluators, "estimated_accuracy_by_segment", stream, min_n=_LEAST_CALLS)
    known = [(sample, False) for sample in labelled] + [(sample, True) for sample in estimated]
    found = [each for each in known if each[0].value is not None]
    if not found:
        return None
    fallen = [each for each in found if each[0].baseline is not None]
    worst, is_estimate = min(fallen or found, key=lambda each: (each[0].value or 0.0) - (each[0].baseline or 0.0))
    return Segment(
        name=worst.labels["segment_name"],
        value=worst.labels["segment_value"],
        measure=Measure(value=worst.value, lower=worst.lower, upper=worst.upper, baseline=worst.baseline, n=worst.n),
        is_estimate=is_estimate,
    )


def _samples(
    query: Query, evaluators: Mapping[str, Evaluator], name: str, stream: Mapping[str, Any], **extra: Any
) -> list[Sample]:
    slot = stream["slot"]
    return evaluate(
        query,
        evaluators[name],
        since=slot - timedelta(seconds=1),
        until=slot,
        step_s=_DAY_S if int(slot.timestamp()) % _DAY_S == 0 else 3600,
        extra=extra,
        only=(stream["project"], stream["use_case"]),
    )


def _examples(query: Query, stream: Mapping[str, Any], fields: Sequence[str]) -> tuple[Example, ...]:
    wrong = query.rows(_sql("wrong"), {**stream, "most": _MOST_EXAMPLES})
    inputs = {}
    if wrong:
        hours = sorted({_utc(row["started_at"]).replace(minute=0, second=0, microsecond=0) for row in wrong})
        ids = [row["call_id"] for row in wrong]
        found = query.rows(_sql("inputs"), {**stream, "hours": hours, "call_ids": ids})
        inputs = {row["call_id"]: _inputs(row, fields) for row in found}
    examples = [
        Example(
            call_id=row["call_id"],
            at=_utc(row["started_at"]),
            inputs=inputs.get(row["call_id"], ""),
            answer=_answer(row["predicted_label"], row["predicted_value"]),
            confidence=row["confidence"],
            truth=_answer(row["label"], row["value"]) or "something else",
        )
        for row in wrong
    ]
    if len(examples) < _MOST_EXAMPLES:
        unsure = query.rows(_sql("unsure"), {**stream, "most": _MOST_EXAMPLES})
        examples += [
            Example(
                call_id=row["call_id"],
                at=_utc(row["started_at"]),
                inputs=_inputs(row, fields),
                answer=_answer(row["output_label"], row["output_value"]) or row["output_text"][:200],
                confidence=row["confidence"],
                truth=None,
            )
            for row in unsure
            if row["call_id"] not in inputs
        ]
    return tuple(examples[:_MOST_EXAMPLES])


def _answer(label: str, value: float | None) -> str:
    return label or ("" if value is None else f"{value:.6g}")


def _inputs(row: Mapping[str, Any], first: Sequence[str]) -> str:
    """Write a few inputs on one line, those that drifted first."""
    said = {name: f"{value:.3g}" for name, value in row["input_numbers"].items()}
    said |= {name: value[:40] for name, value in row["input_strings"].items()}
    names = [name for name in first if name in said]
    names += [name for name in sorted(row["input_strings"]) if name not in names]
    names += [name for name in sorted(said) if name not in names]
    return " ".join(f"{name}={said[name]}" for name in names[:_MOST_FIELDS])


def _utc(when: datetime) -> datetime:
    return when if when.tzinfo else when.replace(tzinfo=UTC)


def _sql(name: str) -> str:
    return resources.files("tocsin_alerts").joinpath("evidence", f"{name}.sql").read_text(encoding="utf-8")
