"""Errors of numbers without labels: what the reference teaches, and what is made of it, against NumPy."""

from datetime import datetime
from typing import Any

import numpy as np
import pytest
from tests.alerts.evaluators.store import DAY, HOUR, MONDAY, Store

from tocsin_alerts.expected_errors import Cell, expected_errors
from tocsin_alerts.references import maintain

FIRST = MONDAY - 28 * DAY


def answer(store: Store, values: Any, at: datetime, **row: Any) -> None:
    """Insert calls that got these numbers."""
    given = {"model_version": "m1", "served_by": "model", "weight": 1.0, "received_at": at, "ingested_at": at}
    nothing = dict.fromkeys(("confidence", "cost", "input_tokens", "output_tokens"))
    calls = [{**given, **nothing, "started_at": at, "output_value": float(v), **row} for v in values]
    store.insert("ai_calls", [{**call, "call_id": f"{store.project}-{at}-{i}"} for i, call in enumerate(calls)])


def test_an_estimate_follows_predictions_to_where_the_model_is_worse(store: Store) -> None:
    """Large numbers were always missed by more; a stream that turns to them is estimated so before any label comes."""
    random = np.random.default_rng(0)
    predicted = np.exp(random.normal(3, 1, 600))
    truth = predicted * (1 + 0.2 * random.standard_normal(600))
    for day in range(28):
        store.calls(FIRST + day * DAY, 40)
    answer(store, predicted, FIRST + DAY)
    given = zip(predicted.tolist(), truth.tolist(), strict=True)
    store.outcomes([{"started_at": FIRST + DAY, "predicted_value": p, "value": t} for p, t in given])
    maintain(store.database, slot=MONDAY)
    answer(store, predicted[:300], MONDAY + HOUR)
    answer(store, 3 * predicted[:300], MONDAY + 9 * DAY)
    answer(store, predicted[:300], MONDAY + 9 * DAY, served_by="fallback", is_probe=0)

    [calm] = store.run("estimated_regression_error", until=MONDAY + DAY)
    [moved] = store.run("estimated_regression_error", until=MONDAY + 10 * DAY)

    error = np.abs(truth - predicted)
    assert calm.baseline == pytest.approx(error.mean(), rel=0.01)
    assert calm.value == pytest.approx(error[:300].mean(), rel=0.1)
    assert calm.lower is not None
    assert moved.lower is not None
    assert calm.upper is not None
    assert calm.lower < error[:300].mean() < calm.upper < moved.lower
    assert (calm.n, moved.n) == (300, 300)


def test_without_a_reference_nothing_is_estimated(store: Store) -> None:
    """Unknown is not small."""
    answer(store, [1.0] * 60, MONDAY - HOUR)

    [sample] = store.run("estimated_regression_error")

    assert (sample.value, sample.baseline, sample.n) == (None, None, 60)


@pytest.mark.parametrize("seed", range(3))
def test_buckets_hold_a_tenth_of_the_labels_each(seed: int) -> None:
    """Each mean rests on enough, and together they are the mean of all."""
    random = np.random.default_rng(seed)
    labels, calls = random.integers(0, 30, 60), random.integers(0, 300, 60)
    total = labels * random.uniform(0, 9, 60)
    cells = [
        Cell(bin=i, labels=int(n), total=t, squares=t * t, calls=int(c))
        for i, (n, t, c) in enumerate(zip(labels, total, calls, strict=True))
    ]

    found = expected_errors(cells)

    assert found is not None
    assert 2 <= len(found.edges) <= 10
    assert min(found.labels) >= 20
    assert sum(found.labels) == labels.sum()
    assert np.average(found.means, weights=found.labels) == pytest.approx(total.sum() / labels.sum())
    bucket = np.searchsorted(found.edges, np.arange(60), "right") - 1
    assert found.estimate == pytest.approx(np.average(np.array(found.means)[bucket], weights=calls))
    assert all(variance >= 0 for variance in found.variances)


@pytest.mark.parametrize(
    "cells",
    [[], [Cell(bin=5, labels=199, total=1.0, squares=1.0, calls=9)]],
)
def test_few_labels_teach_nothing(cells: list[Cell]) -> None:
    """Below the minimum there is no reference."""
    assert expected_errors(cells) is None


@pytest.mark.parametrize(
    "cells",
    [
        [Cell(bin=5, labels=10**9, total=3e9, squares=9e9, calls=0)],
        [Cell(bin=i, labels=200 * (i == 3), total=0.0, squares=0.0, calls=1) for i in range(9)],
    ],
)
def test_degenerate_references_stay_finite(cells: list[Cell]) -> None:
    """One bin, a billion labels, no calls, no errors."""
    found = expected_errors(cells)

    assert found is not None
    assert all(np.isfinite(found.as_figures()))
