"""Evidence: what a person reads first, from a store that was filled by hand."""

from datetime import datetime

import pytest
from tests.alerts.evaluators.store import DAY, EVALUATORS, HOUR, MONDAY, Store
from tests.alerts.evaluators.test_rollups import insert_calls

from tocsin_alerts.evidence import Evidence, gather


def look(store: Store, *, onset: datetime = MONDAY) -> Evidence:
    """Gather as of Monday."""
    return gather(store.database, EVALUATORS, project=store.project, use_case="triage", slot=MONDAY, onset=onset)


def test_of_nothing_there_is_nothing_to_say(store: Store) -> None:
    """A message must be possible on the first day."""
    found = look(store)

    assert found == Evidence(
        since=MONDAY,
        quality=None,
        estimated=None,
        calls_per_day=None,
        days=(),
        drifted=(),
        worst_segment=None,
        examples=(),
    )


def test_since_when_and_the_series(store: Store) -> None:
    """It began on the first day of the current run below the baseline, by whichever measure saw it first."""
    values = {
        "estimated_accuracy": [0.94, 0.92, 0.94, 0.92, 0.91, 0.90],
        "accuracy": [0.94, 0.94, 0.94, 0.94, None, 0.91],
    }
    store.insert(
        "evaluations",
        [
            {"evaluator": name, "slot": MONDAY - (5 - i) * DAY, "value": value, "baseline": 0.94, "n": 100 + i, **kind}
            for name, series in values.items()
            for i, value in enumerate(series)
            for kind in (
                {"labels": {"model_version": "m1"}, "lower": 0.8, "upper": 0.95},
                {"labels": {"model_version": "canary"}, "lower": None, "upper": None, "n": 3, "value": 0.1},
            )
        ],
    )

    found = look(store)

    assert found.since == MONDAY - 2 * DAY
    assert found.estimated is not None
    assert found.quality is not None
    assert (found.estimated.value, found.estimated.n, found.quality.value) == (0.90, 105, 0.91)
    assert found.history == (0.94, 0.94, 0.94, 0.94, 0.91, 0.91)
    assert len(found.days) == 6


def test_what_drifted_and_how(store: Store) -> None:
    """A number by its median, a category by the value that moved most; what has hardly moved is left out."""
    until = MONDAY - DAY
    window = {"model_version": "m1", "since": until - 28 * DAY, "until": until, "frozen_at": until}
    cells = [("calls", "", 0, "", 1000), ("number", "ink", 2035, "", 500), ("number", "ink", 2100, "", 500)]
    cells += [("category", "device", 0, name, 500) for name in ("flatbed", "handheld")]
    store.insert(
        "reference_windows",
        [{**window, "kind": k, "field": f, "bin": b, "category": c, "n": n} for k, f, b, c, n in cells],
    )
    store.profile("input", [500.0, 500.0, 0.0], field="ink", edges=[-32768, 2050], until=until)
    store.profile("input", [500.0, 500.0, 0.0], field="device", names=["flatbed", "handheld"], until=until)
    store.profile("input", [1000.0, 0.0], field="still", edges=[-32768, 2050], until=until)
    store.histogram("number", MONDAY - HOUR, [(2035, 100), (2100, 900)], field="ink")
    store.histogram("number", MONDAY - HOUR, [(2035, 1000)], field="still")
    store.histogram("category", MONDAY - HOUR, [("flatbed", 200), ("handheld", 250), ("phone", 550)], field="device")
    store.calls(MONDAY - HOUR, 1000)

    found = look(store)

    assert [(drift.field, drift.detail) for drift in found.drifted] == [
        ("device", "phone 0% → 55%"),
        ("ink", "median 2.02 → 7.32"),
    ]
    assert found.calls_per_day == 1000


@pytest.mark.parametrize(("labels_say", "is_estimate", "worst"), [(0.9, True, "b"), (0.2, False, "a")])
def test_the_worst_segment_is_the_one_that_fell_most(
    store: Store, labels_say: float, is_estimate: bool, worst: str
) -> None:
    """By labels or by estimate, whichever saw more of it: labels are late, estimates are blind to some changes."""
    at = {"segment_estimates": {"device=a": 0.95, "device=b": 0.95}, "segment_accuracies": {"device=a": 0.95}}
    store.calibration([0, 1950], [1.0, 0.5], [400, 100], **at)
    for value, sure, unsure in (("a", 290, 10), ("b", 150, 150)):
        row = {"segment_name": "device", "segment_value": value}
        store.histogram("confidence", MONDAY - HOUR, [(1800, sure), (1960, unsure)], **row)
    store.outcomes(
        [
            {"started_at": MONDAY - 8 * DAY, "correct": int(i < 40 * labels_say), "segments": {"device": "a"}}
            for i in range(40)
        ]
    )

    found = look(store).worst_segment

    assert found is not None
    assert (found.name, found.value, found.is_estimate) == ("device", worst, is_estimate)
    assert found.measure.baseline == 0.95


def test_examples_are_confidently_wrong_first(store: Store) -> None:
    """Those teach most; where labels are missing, the least confident calls fill the list."""
    at = MONDAY - 2 * HOUR
    confidence = {"sure": 0.99, "surer": 0.999, "fine": 0.6, "unsure": 0.2, "lost": 0.1}
    inputs = {"input_numbers": {"ink": 0.3123, "age": 4.0}, "input_strings": {"device": "flatbed"}}
    insert_calls(
        store,
        [
            {"call_id": name, "started_at": at, "confidence": c, "output_label": "7", **inputs}
            for name, c in confidence.items()
        ],
    )
    store.outcomes(
        [
            {
                "call_id": name,
                "started_at": at,
                "confidence": confidence[name],
                "predicted_label": "7",
                "label": "1",
                "correct": 0,
            }
            for name in ("sure", "surer")
        ]
    )

    found = look(store).examples

    assert [(call.call_id, call.truth) for call in found] == [
        ("surer", "1"),
        ("sure", "1"),
        ("lost", None),
        ("unsure", None),
        ("fine", None),
    ]
    assert {call.inputs for call in found} == {"device=flatbed age=4 ink=0.312"}
    assert {call.answer for call in found} == {"7"}
