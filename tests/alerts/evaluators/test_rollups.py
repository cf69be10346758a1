"""From raw calls: what evaluators read in the rollups is what the calls say."""

from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from tests.alerts.evaluators.store import DAY, EVALUATORS, HOUR, MONDAY, SETTABLE, Store
from tests.alerts.evaluators.test_shifts import expect

from tocsin_alerts.records import Sample
from tocsin_alerts.references import maintain
from tocsin_alerts.statistics import number_buckets

FIRST = MONDAY - 28 * DAY
BY_DAY = sorted(name for name, evaluator in EVALUATORS.items() if "AS grain" in evaluator.sql)


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


def test_a_midnight_read_from_days_says_what_its_hours_say(store: Store) -> None:
    """Days are read for speed alone: no figure may depend on how often somebody asks."""
    random = np.random.default_rng(7)
    days = np.append(random.integers(0, 42, 2600), np.full(400, 41))
    rows = [
        {
            "started_at": FIRST + int(day) * DAY + timedelta(seconds=int(random.integers(86_400))),
            "input_numbers": {"ink": float(random.normal(5 + day / 40, 1))},
            "input_strings": {"device": "ab"[int(random.integers(2))]},
            "output_label": "yn"[int(random.integers(2))],
            "confidence": float(1 - random.beta(1, 8)),
            "duration_ns": int(random.lognormal(18, 1)),
            "segments": {"land": "xy"[int(random.integers(2))]},
        }
        for day in days
    ]
    insert_calls(store, rows)
    store.outcomes(
        [
            {
                **{key: row[key] for key in ("started_at", "confidence", "segments")},
                "correct": int(random.random() < 0.9),
            }
            for row in rows
        ]
    )
    maintain(store.database, slot=MONDAY)
    maintain(store.database, slot=MONDAY + 7 * DAY)  # calibrated, once labels of the reference are complete
    slot = MONDAY + 14 * DAY

    by_day = {name: store.run(name, until=slot) for name in BY_DAY}
    by_hour = {name: store.run(name, until=slot, step=HOUR) for name in BY_DAY}

    assert len(BY_DAY) == 10
    assert not [name for name in BY_DAY if all(sample.value is None for sample in by_day[name])]
    for name in BY_DAY:
        assert [(s.slot, s.labels, s.n) for s in by_day[name]] == [(s.slot, s.labels, s.n) for s in by_hour[name]]
        assert _figures(by_day[name]) == pytest.approx(_figures(by_hour[name]), rel=1e-9, abs=1e-12, nan_ok=True), name


def _figures(samples: list[Sample]) -> list[float]:
    figures = [figure for s in samples for figure in (s.value, s.lower, s.upper, s.baseline)]
    return [float("nan") if figure is None else figure for figure in figures]


def test_a_label_delay_of_hours_is_kept_to_the_hour(store: Store) -> None:
    """Twelve hours after the calls, a window ends at noon: whole days would take in labels that are not complete."""
    store.insert("plans", [{"label_delay_s": 43_200}])
    store.calibration([0], [0.9], [100])
    noon = MONDAY - DAY / 2
    store.histogram("confidence", noon - HOUR, [(1, 60)])
    store.histogram("confidence", noon, [(1, 1000)])
    store.outcomes([{"started_at": noon - HOUR, "correct": 1}] * 60 + [{"started_at": noon, "correct": 0}] * 40)

    [sample] = store.run("estimated_vs_realised")

    assert (sample.n, sample.value) == (60, pytest.approx(-0.1))


@pytest.mark.parametrize("name", [name for name in BY_DAY if name != "estimated_vs_realised"])  # it asks all plans
def test_a_midnight_is_read_from_days(store: Store, name: str) -> None:
    """A projection that no longer fits a query is left out without a word, and the query takes twenty times as long."""
    at = MONDAY + 3650 * DAY
    store.database.command(
        "INSERT INTO input_histogram_1h (project, use_case, kind, hour, segment_name, bin, n)"
        " SELECT {project:String}, 'days', kind, toDateTime({at:UInt32}, 'UTC') + toIntervalHour(number % 24), segment, intDiv(number, 24), 1"
        " FROM numbers(12000) ARRAY JOIN ['number', 'confidence', 'latency', 'output'] AS kind, ['', 'land', '', ''] AS segment",
        parameters={"project": store.project, "at": int(at.timestamp())},
    )
    evaluator = EVALUATORS[name]
    given = {key: value for key, value in SETTABLE.items() if key in evaluator.params}

    plan = store.rows("EXPLAIN " + evaluator.sql, since=at, until=at + DAY, step_s=86_400, **given)

    assert any("(by_day)" in row["explain"] for row in plan), name
