"""Training rows as a day-one reference: the bins of calls, tickets until calls have come, and nothing that replaces calls."""

import random
from datetime import timedelta
from typing import Any

import pytest
from tests.alerts.evaluators.store import DAY, HOUR, MONDAY, Store

from tocsin_alerts.errors import ReferenceRefused
from tocsin_alerts.reference_rows import RowCounts, TrainingRow, doubt_bin, number_bin
from tocsin_alerts.references import maintain
from tocsin_alerts.releases import load_rows, releases
from tocsin_alerts.versions import Version


def rows(count: int, *, ink: float = 10.0, confidence: float = 0.95) -> RowCounts:
    """Count some rows: nine of ten right, every tenth without ink."""
    counts = RowCounts()
    for at in range(count):
        inputs: dict[str, Any] = {
            "ink": None if at % 10 == 0 else ink + at % 5,
            "device": "flatbed" if at % 2 else "fax",
        }
        counts.add(TrainingRow(inputs=inputs, confidence=confidence, is_right=at % 10 != 3, output="3"))
    return counts


def load(store: Store, counts: RowCounts, model: str = "m1") -> Any:
    """Load them for a version."""
    version = Version(project=store.project, use_case="triage", model_version=model, prompt_version="")
    return load_rows(store.database, version, counts, by="ada", reason="launch", now=MONDAY, wall=MONDAY)


def test_bins_are_those_of_calls(store: Store) -> None:
    """A bin off by one would be drift on the first day."""
    drawn = random.Random(7)
    values = [drawn.lognormvariate(0, 6) * drawn.choice((-1, 1)) for _ in range(500)] + [
        0.0,
        1.0,
        -1.0,
        1e-13,
        1e13,
        1.02,
    ]
    shares = [drawn.betavariate(5, 0.3) for _ in range(500)] + [0.0, 1.0, 0.5, 1 - 1e-7]

    [row] = store.database.rows(
        "SELECT arrayMap(x -> tocsin_bin_v1(x), {values:Array(Float64)}) AS numbers,"
        " arrayMap(y -> tocsin_doubt_bin_v1(y), {shares:Array(Float64)}) AS doubts",
        {"values": values, "shares": shares},
    )

    assert row["numbers"] == [number_bin(value) for value in values]
    assert row["doubts"] == [doubt_bin(share) for share in shares]


def test_training_rows_are_what_the_first_day_is_compared_with(store: Store) -> None:
    """Four weeks without any verdict are the four weeks in which most goes wrong."""
    kept = load(store, rows(400))
    cells = [(number_bin(10.0 + at), 80) for at in range(5)]
    store.histogram("number", MONDAY, cells, field="ink")
    store.histogram("number", MONDAY, [(number_bin(500.0), 400)], field="size")
    store.histogram("confidence", MONDAY, [(doubt_bin(0.95), 400)])

    samples = {sample.labels["field"]: sample for sample in store.run("input_psi", until=MONDAY + DAY)}
    [confidence] = store.run("confidence_shift", until=MONDAY + DAY)
    [estimate] = store.run("estimated_accuracy", until=MONDAY + DAY)

    assert (kept.kind, kept.n) == ("reference", 400)
    assert samples["ink"].value is not None
    assert samples["ink"].value < 0.05
    assert confidence.value == 0
    assert estimate.value == pytest.approx(0.9)
    assert estimate.baseline == pytest.approx(0.9)
    [line] = [
        each.line() for each in releases(store.database, now=MONDAY + DAY) if each.version.project == store.project
    ]
    assert line == "provisional reference: loaded 2026-03-02, 400 rows, accuracy 90.0% on 400 labels"


def test_four_weeks_of_calls_replace_them(store: Store) -> None:
    """Rows of a laboratory are for the first day, not for ever."""
    load(store, rows(400))
    with store.together() as filling:
        for day in range(28):
            filling.calls(MONDAY + day * DAY, 20)
            filling.histogram("number", MONDAY + day * DAY, [(number_bin(99.0), 20)], field="ink")

    maintain(store.database, slot=MONDAY + 28 * DAY)

    found = [each for each in releases(store.database, now=MONDAY + 28 * DAY) if each.version.project == store.project]
    assert [each.line() for each in found] == [
        "reference: 2026-03-02 to 2026-03-30, 560 calls, accuracy 90.0% on 400 labels"
    ]
    sql = "SELECT field, sum(n) AS n FROM reference_windows FINAL WHERE project = {project:String} AND field != '' GROUP BY ALL"
    assert {row["field"]: row["n"] for row in store.rows(sql)} == {"ink": 560, "device": 0}


def test_rows_never_replace_four_weeks_of_calls(store: Store) -> None:
    """A reload by a script would take the pages away."""
    with store.together() as filling:
        for day in range(28):
            filling.calls(MONDAY - (28 - day) * DAY, 20)
    maintain(store.database, slot=MONDAY)

    with pytest.raises(ReferenceRefused, match="four whole weeks of calls"):
        load(store, rows(400))


def test_a_handful_of_rows_is_refused(store: Store) -> None:
    """As with calls: fewer than 200 say nothing."""
    with pytest.raises(ReferenceRefused, match="at least 200 rows, got 199"):
        load(store, rows(199))

    assert timedelta(days=1) > HOUR
