"""Reviews: evidence against the calibration, and the estimate for all calls, against NumPy."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from scipy.stats import binomtest
from tests.alerts.evaluators.store import DAY, HOUR, MONDAY, SETTABLE, Store

UNTIL = MONDAY - 100 * DAY  # end of the reference
KNOTS, PRECISION, LABELS = [0, 1700, 1900], [0.998, 0.95, 0.6], [900, 400, 60]
ALTERNATIVES = [(2.0, 0.0), (0.0, 0.05), (0.0, 0.12)]


def doubt_bin(confidence: float) -> int:
    """Bin one confidence as the loader does."""
    return int(np.floor(np.log(max(1e-12, 1 - confidence)) / np.log(1.02) + 2000.0000001))


def chance(confidence: float | None, *, wary: bool = True) -> float:
    """Give the calibration's chance of a wrong answer, with its uncertainty or without."""
    if confidence is None:
        share, labels = 0.9, sum(LABELS)
    else:
        step = max(0, int(np.searchsorted(KNOTS, doubt_bin(confidence), "right")) - 1)
        share, labels = PRECISION[step], LABELS[step]
    mean = ((1 - share) * labels + 0.5) / (labels + 1)
    return float(np.clip(mean + np.sqrt(mean * (1 - mean) / (labels + 2)), 0.001, 0.95)) if wary else mean


def detector(items: Sequence[tuple[float | None, bool]]) -> float:
    """Sum review by review, as the paper does: each alternative starts over where it falls below 1."""
    sums = np.ones(len(ALTERNATIVES))
    for confidence, is_wrong in items:
        q = chance(confidence)
        ratios = []
        for odds, flips in ALTERNATIVES:
            then = odds * q / (1 - q + odds * q) if odds else q + (1 - q) * flips
            ratios.append(then / q if is_wrong else (1 - then) / (1 - q))
        sums = np.clip(sums, 1, np.exp(SETTABLE["most_evidence"])) * ratios
    return max(0.0, float(np.log(sums.mean())))


def review(store: Store, rows: Sequence[dict[str, Any]]) -> None:
    """Insert reviews, known an hour after the call unless they say otherwise."""
    given = {"kind": "review", "source": "people"}
    store.outcomes([{**given, "observed_at": row["started_at"] + HOUR, **row} for row in rows])


@pytest.mark.parametrize("seed", range(3))
def test_the_detector_is_the_papers_recursion(store: Store, seed: int) -> None:
    """A rule pages on this figure, at every slot of a range as at a slot alone."""
    random = np.random.default_rng(seed)
    store.calibration(KNOTS, PRECISION, LABELS, until=UNTIL)
    rows = []
    for number in range(150):
        confidence = None if number % 11 == 0 else float(np.round(1 - 0.6 * random.random() ** 6, 6))
        is_wrong = bool(random.random() < 0.05 + 0.2 * (number > 90))
        rows.append((UNTIL + (number * 15 + 2) * HOUR, confidence, is_wrong))
    review(store, [{"started_at": at, "confidence": sure, "correct": int(not bad)} for at, sure, bad in rows])

    ranged = store.run("reviewed_sample", since=MONDAY - 12 * DAY)
    single = [each for k in range(11, -1, -1) for each in store.run("reviewed_sample", until=MONDAY - k * DAY)]

    assert single == ranged
    assert len(ranged) == 12
    for sample in ranged:
        seen = [(at, c, bad) for at, c, bad in rows if at + HOUR <= sample.slot and at >= sample.slot - 90 * DAY]
        late = [(c, bad) for at, c, bad in seen if at >= sample.slot - 28 * DAY]
        assert sample.value == pytest.approx(detector([(c, bad) for _, c, bad in seen]))
        effect = None if not late else np.mean([bad - chance(c, wary=False) for c, bad in late])
        assert sample.effect == (None if effect is None else pytest.approx(effect))
        assert (sample.n, sample.baseline) == (len(seen), 0)


def test_a_confidently_wrong_answer_is_worth_many_unsure_ones(store: Store) -> None:
    """This is what twenty reviews can see and a share of wrong answers cannot."""
    for use_case, confidence in (("sure", 0.9999), ("unsure", 0.5)):
        store.calibration(KNOTS, PRECISION, LABELS, until=UNTIL, use_case=use_case)
        rows = [
            {"started_at": MONDAY - (20 - i) * HOUR, "confidence": confidence, "correct": int(i < 17)}
            for i in range(20)
        ]
        review(store, [{**row, "use_case": use_case} for row in rows])

    found = {sample.use_case: sample.value for sample in store.run("reviewed_sample")}

    assert found["sure"] > 6
    assert found["unsure"] < 1


def test_a_poor_calibration_convicts_nobody(store: Store) -> None:
    """The same wrong answers, against a promise that rests on 25 labels instead of 900."""
    store.calibration(KNOTS, PRECISION, LABELS, until=UNTIL)
    store.calibration([0], [1.0], [25], until=UNTIL, use_case="poor")
    for use_case in ("triage", "poor"):
        rows = [
            {"started_at": MONDAY - (20 - i) * HOUR, "confidence": 0.9999, "correct": int(i < 17)} for i in range(20)
        ]
        review(store, [{**row, "use_case": use_case} for row in rows])

    found = {sample.use_case: sample.value for sample in store.run("reviewed_sample")}

    assert found["triage"] > 6
    assert found["poor"] < 4


def test_only_reviews_that_were_known_count_and_the_last_of_a_call(store: Store) -> None:
    """A backtest that knew tomorrow's reviews would promise what live evaluation cannot keep."""
    store.calibration(KNOTS, PRECISION, LABELS, until=UNTIL)
    at = MONDAY - 3 * DAY
    said = {"started_at": at, "confidence": 0.9999, "call_id": "c"}
    review(
        store, [{**said, "correct": 0, "observed_at": MONDAY - 2 * DAY}, {**said, "correct": 1, "observed_at": MONDAY}]
    )
    review(
        store, [{"started_at": at, "confidence": 0.9999, "correct": 0, "kind": kind} for kind in ("judge", "feedback")]
    )
    review(store, [{"started_at": UNTIL - HOUR, "confidence": 0.9999, "correct": 0}])

    samples = store.run("reviewed_sample", since=MONDAY - 4 * DAY)

    wrong, right = detector([(0.9999, True)]), detector([(0.9999, False)])
    assert [(s.slot, s.n, s.value) for s in samples if s.n] == [
        (MONDAY - 2 * DAY, 1, pytest.approx(wrong)),
        (MONDAY - DAY, 1, pytest.approx(wrong)),
        (MONDAY, 1, pytest.approx(right)),
    ]


def test_without_a_calibration_reviews_are_no_evidence(store: Store) -> None:
    """Nothing was promised, so nothing can be broken; the estimate is still given."""
    review(store, [{"started_at": MONDAY - DAY, "confidence": 0.9, "correct": 0} for _ in range(20)])

    [sample] = store.run("reviewed_sample")
    [estimate] = store.run("reviewed_accuracy")

    assert (sample.value, sample.effect, sample.baseline, sample.n) == (None, None, None, 20)
    assert (estimate.value, estimate.baseline, estimate.n) == (0, None, 20)


def test_many_reviews_stay_finite(store: Store) -> None:
    """A backlog reviewed at once must not overflow into "unknown", nor be held against the model for months."""
    store.calibration(KNOTS, PRECISION, LABELS, until=UNTIL)
    review(store, [{"started_at": MONDAY - DAY, "confidence": 0.9999, "correct": 0} for _ in range(1500)])

    [sample] = store.run("reviewed_sample")

    assert sample.value is not None
    assert SETTABLE["most_evidence"] < sample.value < 2 * SETTABLE["most_evidence"]


@pytest.mark.parametrize("seed", range(3))
def test_reviewed_accuracy_is_hajeks_estimate(store: Store, seed: int) -> None:
    """Calls that were likelier to be drawn stand for fewer others."""
    random = np.random.default_rng(seed)
    n = 60
    weights, right = 1 / random.uniform(0.01, 1, n), random.random(n) < 0.8
    at = MONDAY - 3 * DAY
    review(
        store, [{"started_at": at, "correct": int(r), "weight": float(w)} for r, w in zip(right, weights, strict=True)]
    )
    store.calibration(KNOTS, PRECISION, LABELS, until=UNTIL, accuracy=0.93)

    [sample] = store.run("reviewed_accuracy")

    share, effective = np.average(right, weights=weights), weights.sum() ** 2 / (weights**2).sum()
    middle, half = (
        share + 1.96**2 / 2 / effective,
        1.96 * np.sqrt(share * (1 - share) / effective + 1.96**2 / 4 / effective**2),
    )
    scale = 1 + 1.96**2 / effective
    assert [sample.value, sample.lower, sample.upper] == pytest.approx(
        [share, (middle - half) / scale, (middle + half) / scale]
    )
    assert (sample.baseline, sample.n) == (0.93, n)


@pytest.mark.parametrize("hits", [0, 17, 20])
def test_unweighted_the_interval_is_wilsons(store: Store, hits: int) -> None:
    """All right and all wrong included: there the weighted variance would be 0."""
    review(store, [{"started_at": MONDAY - DAY, "correct": int(i < hits)} for i in range(20)])

    [sample] = store.run("reviewed_accuracy")

    interval = binomtest(hits, 20).proportion_ci(0.9500042097035593, method="wilson")
    assert (sample.value, sample.lower, sample.upper) == (
        hits / 20,
        pytest.approx(interval.low, abs=1e-6),
        pytest.approx(interval.high, abs=1e-6),
    )


def test_nineteen_reviews_are_not_an_estimate(store: Store) -> None:
    """Below the minimum a figure is unknown, whatever it would be."""
    review(store, [{"started_at": MONDAY - DAY, "correct": 1} for _ in range(19)])

    samples = store.run("reviewed_accuracy", since=MONDAY - 2 * DAY)

    assert [(s.slot, s.value, s.lower, s.n) for s in samples] == [(MONDAY, None, None, 19)]
