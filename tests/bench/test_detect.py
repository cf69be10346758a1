"""The simulator: what it writes is what loaded calls would leave, and the shipped rules keep their claims on a short run."""

from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from _detect import rollups, store
from _detect.labels import label
from _detect.measure import delays, pages_opened
from _detect.run import draw_streams, run
from _detect.scenarios import SCENARIOS, Labels
from _detect.world import DEVICES, LABELS, LANGUAGES, Change, Rows, Stream, Wander, simulate

BROKEN = Change(null_share=0.1, new_share=0.05, campaign=True)


def as_calls(rows: Rows) -> list[dict[str, Any]]:
    """Write each simulated call as the loader would have stored it."""
    made = []
    for i in range(len(rows.second)):
        at = store.START + timedelta(seconds=int(rows.second[i]))
        numbers = {"ink": rows.ink[i], "length": rows.length[i], "amount": rows.amount[i]}
        strings = {
            "device": DEVICES[rows.device[i]],
            "language": LANGUAGES[rows.language[i]],
            "customer": f"customer-{rows.customer[i]}",
        }
        missing = ["ink"] if rows.is_null[i] else []
        made.append(
            {
                "project": store.PROJECT,
                "use_case": "stream-7",
                "call_id": f"c{i}",
                "started_at": at,
                "model_version": "v1",
                "served_by": "model",
                "weight": 1.0,
                "output_label": LABELS[rows.label[i]],
                "confidence": float(rows.confidence[i]),
                "input_numbers": {name: float(x) for name, x in numbers.items() if name not in missing},
                "input_strings": strings,
                "input_nulls": missing + (["note"] if rows.has_no_note[i] else []),
                "received_at": at,
                "ingested_at": at,
            }
        )
    return made


def test_what_is_written_is_what_the_views_make_of_calls(database: Any) -> None:
    """Years are written as sums; if they were not the sums of calls, every figure would speak of something else."""
    stream = Stream(
        number=7, seed=3, calls_per_day=900, days=4, wander=Wander(phi=0.9), change=BROKEN, onset_s=2 * 86_400 + 4321
    )
    rows = next(iter(simulate(stream)))
    database.insert("ai_calls", as_calls(rows))
    expected = counted(database)
    for table in ("ai_calls_1h", "input_histogram_1h"):
        database.command(f"TRUNCATE TABLE {table}")

    store.prepare(database)
    store.write(database, "simulated_cells", [rollups.cells(rows, 7, hourly=True)])
    store.write(database, "simulated_hours", [rollups.hours(rows, 7)])

    assert len(rows.second) > 3000
    assert rows.is_null.any()
    assert counted(database) == expected


def counted(database: Any) -> tuple[list[Any], list[Any]]:
    """Read both tables, without latency, of which the simulator says nothing."""
    cells = database.rows(
        "SELECT project, use_case, kind, field, hour, model_version, segment_name, bin, category, sum(n) AS n FROM input_histogram_1h"
        " WHERE kind != 'latency' GROUP BY ALL ORDER BY ALL"
    )
    calls = database.rows(
        "SELECT project, use_case, hour, model_version, segment_name, served_by, sum(calls) AS calls, sum(confident) AS confident,"
        " sum(unpriced) AS unpriced, sum(errors) AS errors, sum(probes) AS probes FROM ai_calls_1h GROUP BY ALL ORDER BY ALL"
    )
    return cells, calls


def test_a_day_in_one_hour_is_the_same_day() -> None:
    """Cells are moved to noon to be fewer; nothing may move out of its day, or be lost."""
    stream = Stream(number=7, seed=3, calls_per_day=900, days=3, wander=Wander(phi=0.5))
    rows = next(iter(simulate(stream)))

    found = []
    for hourly in (True, False):
        cells = rollups.cells(rows, 7, hourly=hourly)
        keys = [cells[name].astype(np.int64) for name in ("kind", "field", "bin", "word")]
        day = cells["second"].astype(np.int64) // 86_400
        total: dict[tuple[int, ...], int] = {}
        for key, n in zip(
            zip(day.tolist(), *(k.tolist() for k in keys), strict=True), cells["n"].tolist(), strict=True
        ):
            total[key] = total.get(key, 0) + n
        found.append(total)

    assert found[0] == found[1]


def test_a_stream_is_what_it_says() -> None:
    """94 % launched, confidence that is right on the mean, and 78 % after sixty days, whichever way it fell."""
    for change, follows in ((Change(covariate=True), True), (Change(concept=True), False)):
        stream = Stream(
            number=1, seed=1, calls_per_day=20_000, days=98, wander=Wander(phi=0.5), change=change, onset_s=28 * 86_400
        )
        days: dict[str, list[float]] = {"first": [], "last": [], "sure_first": [], "sure_last": []}
        for rows in simulate(stream):
            first, last = rows.second < 28 * 86_400, rows.second >= 88 * 86_400
            for name, where in (("first", first), ("last", last)):
                days[name] += rows.is_right[where].tolist()
                days[f"sure_{name}"] += rows.confidence[where].tolist()

        assert np.mean(days["first"]) == pytest.approx(0.94, abs=0.003)
        assert np.mean(days["sure_first"]) == pytest.approx(0.94, abs=0.003)
        assert np.mean(days["last"]) == pytest.approx(0.78, abs=0.006)
        assert np.mean(days["sure_last"]) == pytest.approx(0.78 if follows else 0.94, abs=0.006)


@pytest.mark.parametrize("daily", [True, False])
def test_the_weekly_sample_is_the_one_that_is_drawn_for_people(*, daily: bool) -> None:
    """Twenty a week with known chances, scored after they were drawn; a judge errs at the rate that it is said to."""
    labels = Labels(reference=500, reviews_a_week=20, reviewed_daily=daily, judged_a_day=50)
    stream = Stream(number=1, seed=2, calls_per_day=1000, days=35, wander=Wander(phi=0.5))
    rows = next(iter(simulate(stream)))

    said = label(rows, stream, labels, np.random.default_rng(1))

    outcomes = np.concatenate(said.outcomes)
    truth, reviews, judged = (outcomes[outcomes["kind"] == kind] for kind in range(3))
    assert len(reviews) == len(said.items) == pytest.approx(100, abs=1)
    assert len(truth) == pytest.approx(500, abs=80)
    assert set((reviews["observed"].astype(np.int64) - rollups.START_S) % (86_400 if daily else 7 * 86_400)) == {
        10 * 3600
    }
    assert (reviews["observed"] > reviews["second"]).all()
    assert sum(1 / item["selection_probability"] for item in said.items) == pytest.approx(len(rows.second), rel=0.3)
    assert (reviews["weight"] == [1 / item["selection_probability"] for item in said.items]).all()
    was_right = rows.is_right[judged["call"]]
    assert (judged["correct"][was_right] == 0).mean() == pytest.approx(labels.judge_slanders, abs=0.02)
    assert (judged["correct"][~was_right] == 1).mean() == pytest.approx(labels.judge_misses, abs=0.1)


def test_the_same_seed_gives_the_same_calls() -> None:
    """A published figure can be run again."""
    made = [
        next(iter(simulate(Stream(number=5, seed=24, calls_per_day=300, days=3, wander=Wander(phi=0.9)))))
        for _ in range(2)
    ]

    assert made[0].confidence.tolist() == made[1].confidence.tolist()


def test_a_null_bug_a_swap_and_a_new_category_are_told_once_and_in_time(database: Any) -> None:
    """The claims that people rely on most, through the shipped SQL, rules and states."""
    store.prepare(database)
    told = {}
    for name in ("null", "swap", "category"):
        scenario = SCENARIOS[name]
        streams = draw_streams(scenario, count=2, calls_per_day=2000, seed=24, days=44)
        outcome = run(database, scenario, streams)
        told[name] = delays(scenario, outcome)
        assert pages_opened(outcome, after_onset=False) == (0 if name == "category" else 2)

    assert max(told["null"]) <= 3
    assert max(told["swap"]) <= 1
    assert max(told["category"]) <= 1


def test_a_steady_quarter_pages_nobody(database: Any) -> None:
    """Seasons and slow wander are no decline."""
    store.prepare(database)
    scenario = SCENARIOS["stationary"]

    outcome = run(database, scenario, draw_streams(scenario, count=2, calls_per_day=2000, seed=24, days=119))

    assert pages_opened(outcome, after_onset=False) == 0


def test_a_campaign_pages_nobody(database: Any) -> None:
    """More, other and longer inputs that are answered just as well are a ticket at most."""
    store.prepare(database)
    scenario = SCENARIOS["benign"]

    outcome = run(database, scenario, draw_streams(scenario, count=2, calls_per_day=2000, seed=24, days=50))

    assert pages_opened(outcome, after_onset=False) == 0
    assert any(told.event.severity == "ticket" for told in outcome.told)
