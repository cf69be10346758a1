"""Figures on labelled calls beside right and wrong: against NumPy, with the reference's own beside them."""

from typing import Any

import numpy as np
import pytest
from sklearn.metrics import ndcg_score
from tests.alerts.evaluators.store import DAY, HOUR, MONDAY, Store

from tocsin_alerts.references import maintain

LABELLED = MONDAY - 7 * DAY - HOUR  # inside the window of MONDAY's slot when no plan says otherwise


def calibration_error(sure: Any, right: Any) -> tuple[float, float]:
    """Bin by tenths, as the paper does: the distance, and its standard error."""
    cells = np.minimum(9, np.floor(sure * 10)).astype(int)
    counts, hits, promised = (np.bincount(cells, weights, 10) for weights in (None, right, sure))
    kept = counts > 0
    share = hits[kept] / counts[kept]
    error = np.sqrt((counts[kept] * share * (1 - share)).sum()) / len(sure)
    return float(np.abs(hits - promised).sum() / len(sure)), float(error)


def label(store: Store, seed: int = 0, n: int = 400, **row: Any) -> tuple[Any, Any]:
    """Label calls of which the surer are righter, though less than they say."""
    random = np.random.default_rng(seed)
    sure = np.append(random.random(n - 2), [0.0, 1.0])
    right = random.random(n) < sure**1.5
    given = zip(sure.tolist(), right.tolist(), strict=True)
    store.outcomes([{"started_at": LABELLED, "confidence": c, "correct": int(r), **row} for c, r in given])
    return sure, right


@pytest.mark.parametrize("seed", range(2))
def test_brier_and_calibration_error_are_the_textbooks(store: Store, seed: int) -> None:
    """A model may be as right as ever and no longer know when: these two see it."""
    sure, right = label(store, seed)
    label(store, 9, kind="judge")
    store.profile("score", [0.1, 0.02], names=["brier", "ece"])

    [brier], [ece] = store.run("brier"), store.run("ece")

    squares = (sure - right) ** 2
    half = 1.96 * squares.std() / np.sqrt(len(sure))
    distance, error = calibration_error(sure, right)
    assert [brier.value, brier.lower, brier.upper] == pytest.approx(
        [squares.mean(), squares.mean() - half, squares.mean() + half]
    )
    assert [ece.value, ece.lower, ece.upper] == pytest.approx(
        [distance, distance - 1.96 * error, distance + 1.96 * error]
    )
    assert (brier.baseline, ece.baseline, brier.n, ece.n) == (0.1, 0.02, 400, 400)


def test_too_few_labels_score_nothing(store: Store) -> None:
    """A figure on a handful would be believed."""
    label(store, n=49)
    store.outcomes([{"started_at": LABELLED, "predicted_value": 1.0, "value": 2.0} for _ in range(49)])
    store.outcomes([{"started_at": LABELLED, "source": "rank", "value": 1.0} for _ in range(49)])
    store.outcomes([{"started_at": LABELLED, "kind": "feedback", "score": 1.0} for _ in range(19)])
    store.outcomes([{"started_at": LABELLED, "kind": "review", "score": 1.0} for _ in range(19)])

    for name in ("brier", "ece", "regression_error", "ranking", "feedback", "review_scores"):
        found = store.run(name)
        assert len(found) == (3 if name == "ranking" else 1)
        for sample in found:
            assert (sample.value, sample.lower, sample.upper, sample.baseline) == (None, None, None, None), name
            assert 19 <= sample.n <= 68, name


def test_regression_error_is_the_mean_distance(store: Store) -> None:
    """In the unit that people think in; what is not a number says nothing."""
    random = np.random.default_rng(1)
    predicted, truth = random.normal(100, 20, 200), random.normal(100, 20, 200)
    given = zip(predicted.tolist(), truth.tolist(), strict=True)
    store.outcomes([{"started_at": LABELLED, "predicted_value": p, "value": v} for p, v in given])
    store.outcomes(
        [
            {"started_at": LABELLED, "predicted_value": float("nan"), "value": 1.0},
            {"started_at": LABELLED, "predicted_value": 5.0},
        ]
    )
    store.profile("score", [15.0], names=["mae"])

    [sample] = store.run("regression_error")

    errors = np.abs(predicted - truth)
    half = 1.96 * errors.std() / np.sqrt(200)
    assert [sample.value, sample.lower, sample.upper] == pytest.approx(
        [errors.mean(), errors.mean() - half, errors.mean() + half]
    )
    assert (sample.baseline, sample.n) == (15.0, 200)


def test_a_ranking_is_scored_by_where_the_right_item_stood(store: Store) -> None:
    """First is 1, second a half, not shown nothing."""
    ranks = [1.0] * 30 + [2.0] * 20 + [4.0] * 10 + [0.0] * 40
    store.outcomes([{"started_at": LABELLED, "source": "rank", "value": rank} for rank in ranks])
    store.outcomes([{"started_at": LABELLED, "value": 1.0, "predicted_value": 3.0}])

    found = {sample.labels["measure"]: sample for sample in store.run("ranking")}

    shown = np.zeros((100, 10))  # one right item, nowhere for those not shown
    for row, rank in zip(shown, ranks, strict=True):
        row[int(rank) - 1 if rank else 9] = 1.0
    scores = np.tile(-np.arange(10.0), (100, 1))
    shown_gain = ndcg_score(shown, scores, k=9)
    assert {name: sample.value for name, sample in found.items()} == {
        "mrr": pytest.approx((30 + 10 + 2.5) / 100),
        "ndcg": pytest.approx(shown_gain),
        "first": pytest.approx(0.3),
    }
    assert {sample.n for sample in found.values()} == {100}


def test_a_gain_that_was_told_goes_before_one_that_is_worked_out(store: Store) -> None:
    """Of a ranking with many grades only whoever graded it knows the gain; a call with both has one."""
    at = {"started_at": LABELLED, "call_id": store.project}
    store.outcomes([{**at, "source": "rank", "value": 1.0}, {**at, "source": "ndcg", "value": 0.25}])
    store.outcomes([{"started_at": LABELLED, "source": "ndcg", "value": 0.75} for _ in range(99)])

    found = {sample.labels["measure"]: sample for sample in store.run("ranking")}

    assert (found["ndcg"].value, found["ndcg"].n) == (pytest.approx(0.745), 100)
    assert (found["mrr"].value, found["mrr"].n) == (None, 1)


def test_feedback_is_the_share_of_the_last_ratings(store: Store) -> None:
    """Who changes their mind counts once."""
    store.outcomes([{"started_at": LABELLED, "kind": "feedback", "score": float(i < 15)} for i in range(24)])
    said = {"started_at": LABELLED, "kind": "feedback", "call_id": store.project}
    store.outcomes(
        [
            {**said, "score": 1.0, "observed_at": MONDAY - 5 * DAY},
            {**said, "score": 0.0, "observed_at": MONDAY - 4 * DAY},
        ]
    )

    [sample] = store.run("feedback")

    middle, half = (15 + 1.96**2 / 2) / (25 + 1.96**2), 1.96 * np.sqrt(15 * 10 / 25 + 1.96**2 / 4) / (25 + 1.96**2)
    assert (sample.value, sample.n) == (0.6, 25)
    assert [sample.lower, sample.upper] == pytest.approx([middle - half, middle + half])


def test_review_scores_are_weighted(store: Store) -> None:
    """A call that was likelier to be drawn stands for fewer."""
    random = np.random.default_rng(2)
    marks, weights = random.choice([0.0, 0.5, 1.0], 40), random.uniform(1, 30, 40)
    given = zip(marks.tolist(), weights.tolist(), strict=True)
    store.outcomes(
        [
            {"started_at": LABELLED, "kind": "review", "score": m, "weight": w, "observed_at": MONDAY - DAY}
            for m, w in given
        ]
    )

    samples = store.run("review_scores", since=MONDAY - 2 * DAY)

    mean, effective = np.average(marks, weights=weights), weights.sum() ** 2 / (weights**2).sum()
    spread = np.average((marks - mean) ** 2, weights=weights)
    half = 1.96 * np.sqrt((spread * effective + max(mean, 1 - mean) ** 2) / effective**2)
    for sample in samples:
        assert [sample.value, sample.lower, sample.upper] == pytest.approx([mean, mean - half, mean + half])
    assert [sample.slot for sample in samples] == [MONDAY - DAY, MONDAY]


def test_the_estimate_is_held_against_what_labels_then_said(store: Store) -> None:
    """Where the two part, confidence has lost its meaning, and no estimate without labels can say so."""
    store.calibration([0, 1900], [0.98, 0.7], [900, 100])
    store.histogram("confidence", LABELLED.replace(minute=0), [(1800, 800), (1950, 200)])
    store.outcomes([{"started_at": LABELLED, "correct": int(i >= 40)} for i in range(200)])
    store.histogram("confidence", MONDAY - HOUR, [(1950, 500)])  # of calls whose labels are not due yet

    [sample] = store.run("estimated_vs_realised")

    estimate = 0.8 * 0.98 + 0.2 * 0.7
    doubt = sum(s**2 * (p * n + 1) * (n - p * n + 1) / (n + 2) ** 3 for s, p, n in ((0.8, 0.98, 900), (0.2, 0.7, 100)))
    half = 1.96 * np.sqrt(161 * 41 / 202**3 + estimate * (1 - estimate) / 1000 + doubt)
    assert [sample.value, sample.lower, sample.upper] == pytest.approx(
        [estimate - 0.8, estimate - 0.8 - half, estimate - 0.8 + half]
    )
    assert (sample.baseline, sample.n) == (0, 200)


def test_labels_without_a_calibration_are_held_against_nothing(store: Store) -> None:
    """There was no estimate to be wrong."""
    store.outcomes([{"started_at": LABELLED, "correct": 1} for _ in range(80)])

    [sample] = store.run("estimated_vs_realised")

    assert (sample.value, sample.baseline, sample.n) == (None, None, 80)


def test_a_reference_keeps_its_scores(store: Store) -> None:
    """What is compared with it is worked out once, from the same calls by the same formula."""
    first = MONDAY - 28 * DAY
    with store.together() as filling:
        for day in range(28):
            filling.calls(first + day * DAY, 40)
    sure, right = label(store, started_at=first + DAY)
    store.outcomes([{"started_at": first, "predicted_value": 1.0, "value": 3.0} for _ in range(30)])
    store.outcomes([{"started_at": first, "source": "rank", "value": 2.0} for _ in range(30)])
    store.outcomes([{"started_at": first, "kind": "feedback", "score": float(i < 5)} for i in range(20)])
    store.outcomes([{"started_at": first, "kind": "review", "score": 0.5} for _ in range(19)])

    maintain(store.database, slot=MONDAY)

    [kept] = store.rows(
        "SELECT names, figures FROM reference_profiles FINAL WHERE project = {project:String} AND kind = 'score'"
    )
    assert dict(zip(kept["names"], kept["figures"], strict=True)) == {
        "brier": pytest.approx(((sure - right) ** 2).mean()),
        "ece": pytest.approx(calibration_error(sure, right)[0]),
        "feedback": 0.25,
        "first": 0.0,
        "mae": 2.0,
        "mrr": 0.5,
        "ndcg": pytest.approx(1 / np.log2(3)),
    }
