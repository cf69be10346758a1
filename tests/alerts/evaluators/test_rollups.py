"""From raw calls: what evaluators read in the rollups is what the calls say."""

from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from tests.alerts.evaluators.store import DAY, HOUR, MONDAY, Store
from tests.alerts.evaluators.test_shifts import expect

from tocsin_alerts.references import maintain
from tocsin_alerts.statistics import number_buckets

FIRST = MONDAY - 28 * DAY


def insert_calls(store: Store, rows: list[dict[str, Any]]) -> None:
    """Insert raw calls; the materialized views do the rest."""
    base = {"model_version": "m1", "served_by": "model", "weight": 1.0, "segments": {}, "input_nulls": []}
    empty = {"input_numbers": {}, "input_strings": {}, "confidence": None, "cost": None, "currency": ""}
    made = [
        {**base, **empty, "call_id": f"c{i}", "received_at": row["started_at"], "ingested_at": MONDAY, **row}
        for i, row in enumerate(rows)
    ]
    for month in sorted({row["started_at"].strftime("%Y%m") for row in made}):
        store.insert("ai_calls", [row for row in made if row["started_at"].strftime("%Y%m") == month])


def test_evaluators_on_rollups_say_what_raw_calls_say(store: Store) -> None:
    """Cost must not grow with traffic, and the figures must not change for it."""
    random = np.random.default_rng(5)
    n = 1500
    hours = random.integers(0, 35 * 24, n)
    ink = np.where(hours < 28 * 24, random.normal(5, 1, n), random.normal(5.6, 1, n))
    doubt = random.beta(1, np.where(hours < 28 * 24, 12, 6))
    has_null = random.random(n) < 0.05
    rows = [
        {
            "started_at": FIRST + int(hours[i]) * HOUR + timedelta(seconds=int(random.integers(3600))),
            "input_numbers": {"ink": float(ink[i])},
            "input_strings": {"device": "ab"[int(random.integers(2))]},
            "input_nulls": ["note"] if has_null[i] else [],
            "confidence": float(1 - doubt[i]),
            "cost": 0.25 if i % 2 else None,
            "currency": "USD",
        }
        for i in range(n)
    ]
    insert_calls(store, rows)
    bins = {
        row["call_id"]: (row["ink"], row["doubt"])
        for row in store.rows(
            "SELECT call_id, tocsin_bin_v1(input_numbers['ink']) AS ink, tocsin_doubt_bin_v1(assumeNotNull(confidence)) AS doubt"
            " FROM ai_calls WHERE project = {project:String}"
        )
    }
    raw = np.array([bins[f"c{i}"] for i in range(n)])
    maintain(store.database, slot=MONDAY)
    slot = MONDAY + 7 * DAY

    [device, moved] = store.run("input_psi", until=slot)
    shifts = store.run("confidence_shift", since=MONDAY, until=slot)
    nulls = store.run("null_rate", since=MONDAY, until=slot, step=HOUR)
    costs = store.run("cost_per_day", since=MONDAY, until=slot)
    volumes = store.run("volume", since=MONDAY, until=slot, step=HOUR)

    then, now = hours < 28 * 24, hours >= 28 * 24
    reference, counts = np.unique(raw[then, 0], return_counts=True)
    buckets = number_buckets(list(zip(reference.tolist(), counts.tolist(), strict=True)))
    edges = [edge for edge, _ in buckets]
    seen = np.bincount(np.searchsorted(edges, raw[now, 0], "right") - 1, minlength=len(edges))
    expected = expect(np.append(seen, 0), np.array([*(count for _, count in buckets), 0]))
    assert [moved.value, moved.lower, moved.upper] == pytest.approx(expected)
    assert moved.n == device.n == now.sum()
    assert [sample.n for sample in shifts] == [
        ((hours >= 24 * day) & (hours < 24 * day + 24)).sum() for day in range(28, 35)
    ]
    calls = np.bincount(hours[now] - 28 * 24, minlength=168)
    assert [sample.value for sample in volumes] == calls.tolist()
    found = {sample.slot: sample.value for sample in nulls}
    bad = np.bincount(hours[now & has_null] - 28 * 24, minlength=168)
    assert found == {
        MONDAY + (hour + 1) * HOUR: pytest.approx(bad[hour] / calls[hour]) for hour in range(168) if calls[hour]
    }
    priced = np.array([row["cost"] is not None for row in rows])
    by_day = np.bincount((hours[now & priced] - 28 * 24) // 24, minlength=7)
    assert [(sample.value, sample.n) for sample in costs] == [(pytest.approx(0.25 * day), day) for day in by_day]


def test_fallback_answers_stay_out_of_confidence_but_inputs_count(store: Store) -> None:
    """In fallback the scanner can still be seen to be mended."""
    at = MONDAY - HOUR
    insert_calls(
        store,
        [
            {
                "started_at": at,
                "served_by": served_by,
                "is_probe": probe,
                "confidence": 0.9,
                "input_strings": {"device": "a"},
            }
            for served_by, probe in [("model", 0)] * 3 + [("fallback", 1)] * 2 + [("fallback", 0)] * 10
        ],
    )

    [shift], [drift] = store.run("confidence_shift"), store.run("input_psi")
    [volume] = store.run("volume", step=HOUR)

    assert (shift.n, drift.n, volume.value) == (5, 15, 15)
