"""Accuracy on labels and without them: the SQL against the textbook."""

from typing import Any

import numpy as np
import pytest
from scipy.stats import binomtest, norm
from tests.alerts.evaluators.store import DAY, EVALUATORS, HOUR, MONDAY, Store

from tocsin_alerts.statistics import Calibration

WEEK = 7 * DAY
LABELLED = MONDAY - WEEK - HOUR  # an hour that is inside the window of MONDAY's slot when no plan says otherwise


def wilson(hits: int, n: int) -> tuple[float, float]:
    """SciPy's interval, at z = 1.96 rather than 1.95996."""
    interval = binomtest(hits, n).proportion_ci(0.9500042097035593, method="wilson")
    return float(interval.low), float(interval.high)


def answers(hits: int, n: int, **row: Any) -> list[dict[str, Any]]:
    """Label calls inside the window, the first of them right."""
    return [{"started_at": LABELLED, "correct": int(i < hits), **row} for i in range(n)]


@pytest.mark.parametrize(("hits", "n"), [(0, 1), (1, 1), (47, 50), (50, 50), (0, 200), (612, 700)])
def test_accuracy_is_the_share_with_wilsons_interval(store: Store, hits: int, n: int) -> None:
    """The floor is compared with the interval's end: it must be the interval that the message names."""
    store.outcomes(answers(hits, n))

    [sample] = store.run("accuracy")

    assert (sample.value, sample.n, sample.baseline) == (hits / n, n, None)
    assert (sample.lower, sample.upper) == pytest.approx(wilson(hits, n), abs=1e-6)


@pytest.mark.parametrize("kind", ["review", "judge"])
def test_what_was_drawn_is_no_share_of_all_calls(store: Store, kind: str) -> None:
    """Samples are mostly of sure answers: counted alike, they would hold a use case above its floor that is below it."""
    told = {"kind": kind, "segments": {"device": "phone"}}
    store.outcomes(answers(60, 60, weight=10.0, **told))
    for name in ("accuracy", "accuracy_by_segment", "segment_accuracy", "estimated_vs_realised"):
        assert store.run(name) == [], name
    store.outcomes(answers(3, 5, **told))

    [sample] = store.run("accuracy")

    assert (sample.value, sample.n) == (0.6, 5)


def test_the_last_word_on_a_call_counts_once(store: Store) -> None:
    """Feedback, a judge, two reviewers and the truth speak of one call; the truth wins, then the later."""
    said = {"call_id": "one", "started_at": LABELLED}
    store.outcomes(
        [
            {**said, "kind": "feedback", "score": 1.0, "observed_at": MONDAY},
            {**said, "kind": "review", "correct": 1, "observed_at": MONDAY - 2 * DAY},
            {**said, "kind": "ground_truth", "correct": 1, "observed_at": MONDAY - 4 * DAY},
            {**said, "kind": "ground_truth", "correct": 0, "observed_at": MONDAY - 3 * DAY},
            {**said, "kind": "support", "correct": 1, "observed_at": MONDAY},
        ]
    )
    store.outcomes([{**said, "call_id": "two", "kind": "review", "score": 0.7}])

    [sample] = store.run("accuracy")

    assert (sample.value, sample.n) == (0.5, 2)


@pytest.mark.parametrize(("people", "says"), [(19, (0.5, 60)), (20, (0.75, 20))])
def test_a_judge_does_not_count_where_it_is_corrected(store: Store, people: int, says: tuple[float, int]) -> None:
    """Uncorrected, a judge's own errors would be read as the model's; before that it is all there is."""
    store.outcomes(answers(people * 3 // 4 + (people == 19), people, kind="review"))
    store.outcomes(answers(30 - people * 3 // 4 - (people == 19), 60 - people, kind="judge"))

    [sample] = store.run("accuracy")

    assert (sample.value, sample.n) == says


def test_an_outcome_sent_again_replaces_itself(store: Store) -> None:
    """Retries and corrections under the same id are one outcome, whatever its parts were merged into."""
    said = {"call_id": "one", "outcome_id": "o", "started_at": LABELLED, "observed_at": MONDAY}
    store.outcomes([{**said, "correct": 1, "ingested_at": MONDAY}])
    store.outcomes([{**said, "correct": 0, "ingested_at": MONDAY + HOUR}])

    [sample] = store.run("accuracy")

    assert (sample.value, sample.n) == (0.0, 1)


def test_fallback_answers_do_not_count_but_probes_do(store: Store) -> None:
    """What the fallback answers says nothing of the model; a probe still does."""
    store.outcomes(answers(0, 5, served_by="fallback", is_probe=0))
    store.outcomes(answers(2, 2, served_by="fallback", is_probe=1))

    [sample] = store.run("accuracy")

    assert (sample.value, sample.n) == (1.0, 2)


@pytest.mark.parametrize("delay_d", [0, 2, 30])
def test_the_window_ends_a_label_delay_before_the_slot(store: Store, delay_d: int) -> None:
    """Days whose labels are not in yet are biased to the easy ones; the plan says how long to wait."""
    store.insert("plans", [{"label_delay_s": delay_d * 86_400, "budget_per_day": None, "quality_floor": None}])
    end = MONDAY - delay_d * DAY
    inside, outside = [end - HOUR, end - WEEK], [end, end - WEEK - HOUR]
    store.outcomes([{"started_at": at, "correct": 1} for at in inside])
    store.outcomes([{"started_at": at, "correct": 0} for at in outside])

    [sample] = store.run("accuracy")

    assert (sample.value, sample.n) == (1.0, 2)


def test_accuracy_by_segment_and_version(store: Store) -> None:
    """The worst segment is what people look at first; few labels are left out on request."""
    store.calibration([0], [0.9], [100], accuracy=0.93, segment_accuracies={"device=a": 0.95})
    store.outcomes(answers(8, 10, segments={"device": "a", "site": "x"}))
    store.outcomes(answers(1, 2, segments={"device": "b", "site": "x"}))

    [whole] = store.run("accuracy")
    samples = store.run("accuracy_by_segment", min_n=3)

    found = {(s.labels["segment_name"], s.labels["segment_value"]): (s.value, s.baseline, s.n) for s in samples}
    assert found == {("device", "a"): (0.8, 0.95, 10), ("site", "x"): (0.75, None, 12)}
    assert (whole.value, whole.baseline, whole.n) == (0.75, 0.93, 12)


@pytest.mark.parametrize("seed", range(3))
def test_estimated_accuracy_is_the_calibrated_mean(store: Store, seed: int) -> None:
    """The label-free estimate, its interval and its baseline, against the same sums in NumPy."""
    random = np.random.default_rng(seed)
    knots = [0, *sorted(random.choice(np.arange(1400, 2000), 12, replace=False).tolist())]
    precision = np.sort(random.uniform(0.3, 1, 13))[::-1]
    precision[0] = 1.0
    labels = random.integers(20, 500, 13)
    store.calibration(knots, precision.tolist(), labels.tolist(), estimate=0.91)
    bins = np.sort(random.choice(np.arange(1303, 2001), 80, replace=False))
    counts = random.poisson(5, (7, 80))
    for day in range(7):
        cells = [(b, n) for b, n in zip(bins, counts[day], strict=True) if n]
        store.histogram("confidence", MONDAY - WEEK + day * DAY, cells)

    [sample] = store.run("estimated_accuracy")

    n = counts.sum()
    index = np.searchsorted(knots, bins, "right") - 1
    shares = np.bincount(index, counts.sum(axis=0), 13) / n
    mean = (shares * precision).sum()
    smooth = (precision * labels + 1) / (labels + 2)
    half = 1.96 * np.sqrt(mean * (1 - mean) / n + (shares**2 * smooth * (1 - smooth) / (labels + 2)).sum())
    assert [sample.value, sample.lower, sample.upper] == pytest.approx([mean, mean - half, min(1, mean + half)])
    assert (sample.baseline, sample.n) == (0.91, n)
    histogram = list(zip(bins.tolist(), counts.sum(axis=0).tolist(), strict=True))
    fitted = Calibration(knots=tuple(knots), precision=tuple(precision), labels=tuple(labels))
    assert fitted.estimate(histogram) == pytest.approx(mean)  # the baseline is the same sum, made in Python


def test_without_a_calibration_there_is_no_estimate(store: Store) -> None:
    """Unknown is not green: NULL with n says "quality unverified"."""
    store.histogram("confidence", MONDAY - HOUR, [(1900, 500)])
    store.histogram("confidence", MONDAY - HOUR, [(1900, 500)], use_case="labelled but without confidence")
    store.calibration([], [], [], n=80, use_case="labelled but without confidence")

    samples = store.run("estimated_accuracy")

    assert [(sample.value, sample.lower, sample.baseline, sample.n) for sample in samples] == 2 * [
        (None, None, None, 500)
    ]


def test_estimates_by_segment(store: Store) -> None:
    """One device may carry all of the decay."""
    store.calibration([0, 1950], [1.0, 0.5], [400, 100], segment_estimates={"device=a": 0.97})
    for value, sure, unsure in (("a", 50, 50), ("b", 100, 0), ("c", 3, 0)):
        row = {"segment_name": "device", "segment_value": value}
        store.histogram("confidence", MONDAY - HOUR, [(1800, sure), (1960, unsure)], **row)

    samples = store.run("estimated_accuracy_by_segment", min_n=10)

    assert [(s.labels["segment_value"], s.value, s.baseline, s.n) for s in samples] == [
        ("a", pytest.approx(0.75), 0.97, 100),
        ("b", pytest.approx(1.0), None, 100),
    ]


def test_a_new_version_is_measured_with_the_latest_calibration(store: Store) -> None:
    """Until it has labels of its own, a version's confidence is read as its predecessor's was."""
    store.calibration([0], [0.8], [100], until=MONDAY - 20 * DAY, model_version="m0", estimate=0.8)
    store.calibration([0], [0.6], [100], until=MONDAY - 10 * DAY, model_version="m1", estimate=0.6)
    for version in ("m0", "m2"):
        store.histogram("confidence", MONDAY - HOUR, [(1900, 300)], model_version=version)

    found = {s.labels["model_version"]: (s.value, s.baseline) for s in store.run("estimated_accuracy")}

    assert found == {"m0": (pytest.approx(0.8), 0.8), "m2": (pytest.approx(0.6), 0.6)}


def test_quality_of_many_use_cases_comes_from_one_query(store: Store) -> None:
    """The number of queries must not grow with the number of use cases."""
    store.outcomes([{"started_at": LABELLED, "correct": 1, "use_case": f"u{i}"} for i in range(20)])

    samples = store.run("accuracy", since=MONDAY - 3 * DAY)

    assert len({sample.use_case for sample in samples}) == 20
    assert {sample.slot for sample in samples} == {MONDAY - 2 * DAY, MONDAY - DAY, MONDAY} - {
        slot for slot in (MONDAY - 2 * DAY, MONDAY - DAY) if slot - WEEK <= LABELLED
    }
    assert EVALUATORS["accuracy"].labels == ("model_version", "prompt_version")


@pytest.mark.parametrize("segments", [1, 2, 40])
def test_intervals_of_segments_hold_for_all_of_them_at_once(store: Store, segments: int) -> None:
    """Forty segments are forty chances to be wrong: the threshold tightens with their number, and the worst is named."""
    store.calibration([0], [0.9], [100], segment_accuracies={"device=d0": 0.9})
    for i in range(segments):
        store.outcomes(answers(40, 50, segments={"device": f"d{i}"}))
    store.outcomes(answers(0, 49, segments={"device": "few"}))
    store.outcomes(answers(0, 60, segments={"device": "d0"}, kind="judge"))

    samples = store.run("segment_accuracy", min_n=50)

    level = 1 - 2 * norm.sf(norm.isf(0.025 / segments))
    interval = binomtest(40, 50).proportion_ci(level, method="wilson")
    assert len(samples) == segments
    for sample in samples:
        assert (sample.value, sample.n) == (0.8, 50)
        assert (sample.lower, sample.upper) == (
            pytest.approx(interval.low, abs=2e-4),
            pytest.approx(interval.high, abs=2e-4),
        )
    assert samples[0].baseline == 0.9
    assert {sample.baseline for sample in samples[1:]} <= {None}
