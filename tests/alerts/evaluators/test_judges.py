"""Judges: their verdicts corrected by what people say of the same calls, and as evidence, against NumPy."""

from datetime import datetime
from typing import Any

import numpy as np
import pytest
from tests.alerts.evaluators.store import DAY, HOUR, MONDAY, SETTABLE, Store

UNTIL = MONDAY - 100 * DAY  # end of the reference
KNOTS, PRECISION, LABELS = [0, 1850], [0.99, 0.8], [900, 300]


def say(store: Store, kind: str, rows: list[dict[str, Any]]) -> None:
    """Insert verdicts, known an hour after the call unless they say otherwise."""
    source = "judge-1" if kind == "judge" else "people"
    store.outcomes([{"kind": kind, "source": source, "observed_at": row["started_at"] + HOUR, **row} for row in rows])


def powered(truth: Any, seen: Any, weights: Any, alone: Any, alone_weights: Any) -> tuple[float, float]:
    """Estimate as the paper does, with lambda from the weighted moments; give the estimate and its half interval."""
    both_n = weights.sum() ** 2 / (weights**2).sum()
    alone_n = alone_weights.sum() ** 2 / (alone_weights**2).sum()
    moments = np.cov(np.array([truth, seen]), aweights=weights, ddof=0)
    factor = np.clip(moments[0, 1] / (moments[1, 1] * (1 + both_n / alone_n)), 0, 1) if moments[1, 1] > 0 else 0.0
    share = np.average(alone, weights=alone_weights)
    value = factor * share + np.average(truth - factor * seen, weights=weights)
    rest = np.average(
        (truth - factor * seen - np.average(truth - factor * seen, weights=weights)) ** 2, weights=weights
    )
    variance = factor**2 * share * (1 - share) / alone_n + (rest * both_n + 1) / both_n**2
    return float(value), float(1.96 * np.sqrt(variance))


def pair(store: Store, seed: int, *, misses: float, slanders: float, at: datetime = MONDAY - 3 * DAY) -> Any:
    """Let a judge see 400 calls, and people 60 of them."""
    random = np.random.default_rng(seed)
    right = random.random(400) < 0.8
    seen = np.where(right, random.random(400) >= slanders, random.random(400) < misses)
    weights, alone_weights = random.uniform(1, 50, 60), random.uniform(1, 5, 400)
    calls = [{"started_at": at, "call_id": f"{store.project}-{i}"} for i in range(400)]
    given = zip(calls, seen, alone_weights, strict=True)
    say(store, "judge", [{**call, "correct": int(s), "weight": float(w)} for call, s, w in given])
    reviewed = zip(calls, right, weights, strict=False)
    say(store, "review", [{**call, "correct": int(r), "weight": float(w)} for call, r, w in reviewed])
    return powered(right[:60].astype(float), seen[:60].astype(float), weights, seen[60:], alone_weights[60:])


@pytest.mark.parametrize(("seed", "misses", "slanders"), [(0, 0.1, 0.02), (1, 0.4, 0.2), (2, 0.5, 0.5), (3, 1.0, 0.0)])
def test_the_corrected_share_is_ppi(store: Store, seed: int, misses: float, slanders: float) -> None:
    """A good judge narrows the interval, a coin or a yes-sayer leaves what people said."""
    value, half = pair(store, seed, misses=misses, slanders=slanders)
    store.calibration(KNOTS, PRECISION, LABELS, until=UNTIL, accuracy=0.93)

    [sample] = store.run("judge_accuracy")

    assert [sample.value, sample.lower, sample.upper] == pytest.approx([value, value - half, min(1, value + half)])
    assert (sample.baseline, sample.n, sample.labels["source"]) == (0.93, 400, "judge-1")


def test_a_kind_judge_is_corrected(store: Store) -> None:
    """It lets every third wrong answer pass; uncorrected it would hide a third of any decline."""
    found = []
    for seed in range(12):
        use_case = f"u{seed}"
        random = np.random.default_rng(seed)
        right = random.random(600) < 0.7
        seen = right | (random.random(600) < 0.33)
        calls = [{"started_at": MONDAY - DAY, "call_id": f"{use_case}-{i}", "use_case": use_case} for i in range(600)]
        say(store, "judge", [{**call, "correct": int(s)} for call, s in zip(calls, seen, strict=True)])
        say(store, "review", [{**call, "correct": int(r)} for call, r in zip(calls[:200], right, strict=False)])

    found = [(sample.lower, sample.value, sample.upper) for sample in store.run("judge_accuracy")]

    assert np.mean([value for _, value, _ in found]) == pytest.approx(0.7, abs=0.02)
    assert sum(lower <= 0.7 <= upper for lower, _, upper in found if lower is not None and upper is not None) >= 10


def test_without_enough_of_both_there_is_no_corrected_share(store: Store) -> None:
    """A judge whose errors nobody has measured is an opinion; another judge's measured errors are not its own."""
    calls = [{"started_at": MONDAY - DAY, "call_id": f"{store.project}-{i}"} for i in range(120)]
    say(store, "judge", [{**call, "correct": 1} for call in calls])
    say(store, "judge", [{**call, "correct": 1, "source": "judge-2"} for call in calls[:60]])
    say(store, "review", [{**call, "correct": 1} for call in calls[41:60]])

    samples = store.run("judge_accuracy")

    assert [(s.labels["source"], s.value, s.lower, s.n) for s in samples] == [
        ("judge-1", None, None, 120),
        ("judge-2", None, None, 60),
    ]


UNLABELLED = [(0.999 if i % 3 else 0.75, i % 11 == 0) for i in range(90)]  # of the reference: confidence, condemned


def calibrated(confidence: float) -> tuple[float, float]:
    """Give the calibration's chance of a wrong answer, and the same one standard error up."""
    step = int(np.floor(np.log(1 - confidence) / np.log(1.02) + 2000.0000001) >= KNOTS[1])
    mean = ((1 - PRECISION[step]) * LABELS[step] + 0.5) / (LABELS[step] + 1)
    return mean, mean + np.sqrt(mean * (1 - mean) / (LABELS[step] + 2))


def judged(store: Store, seed: int) -> list[tuple[datetime, float, bool, bool, datetime | None]]:
    """Write 180 calls that a judge saw, of which people later score every sixth, and an older set by which it is known."""
    random = np.random.default_rng(seed)
    made = []
    for number in range(180):
        at = UNTIL + (number * 12 + 2) * HOUR
        confidence = float(np.round(random.uniform(0.7, 0.9999), 6))
        bad = bool(random.random() < 0.1 + 0.3 * (number > 120))
        condemned = bool(random.random() < (0.8 if bad else 0.05))
        made.append((at, confidence, bad, condemned, at + 5 * DAY if number % 6 == 0 else None))
    calls = [
        {"started_at": at, "confidence": c, "call_id": f"{store.project}-{i}"} for i, (at, c, *_) in enumerate(made)
    ]
    say(store, "judge", [{**call, "correct": int(not row[3])} for call, row in zip(calls, made, strict=True)])
    people = [(call, row) for call, row in zip(calls, made, strict=True) if row[4]]
    say(store, "review", [{**call, "correct": int(not row[2]), "observed_at": row[4]} for call, row in people])
    old = [{"started_at": UNTIL - 9 * DAY, "call_id": f"{store.project}-old-{i}"} for i in range(60)]
    say(store, "ground_truth", [{**call, "correct": int(i >= 12)} for i, call in enumerate(old)])
    say(store, "judge", [{**call, "correct": int(i >= 10 and i != 40)} for i, call in enumerate(old)])
    unseen = [
        {
            "started_at": UNTIL - 3 * DAY,
            "confidence": c,
            "call_id": f"{store.project}-unseen-{i}",
            "correct": int(not bad),
        }
        for i, (c, bad) in enumerate(UNLABELLED)
    ]
    say(store, "judge", unseen)
    return made


def expected(
    made: list[tuple[datetime, float, bool, bool, datetime | None]], slot: datetime
) -> tuple[float, float, int]:
    """Sum verdict by verdict: value, effect and number of them."""
    known = [(bad, condemned) for at, _, bad, condemned, seen in made if seen and seen <= slot and at + HOUR <= slot]
    old = [(i < 12, not (i >= 10 and i != 40)) for i in range(60)] if slot - 180 * DAY <= UNTIL - 9 * DAY else []
    met = [*old, *known]
    rights, wrongs = [c for bad, c in met if not bad], [c for bad, c in met if bad]
    misses = (sum(not c for c in wrongs) + 0.5) / (len(wrongs) + 1)
    quiet = [(bad, q) for c, bad in UNLABELLED if (q := calibrated(c)[0]) <= 0.1]
    behind = len(rights) + sum(1 - q for _, q in quiet)
    slanders = (sum(rights) + 0.5 + max(0.0, sum(bad - (1 - misses) * q for bad, q in quiet))) / (behind + 1)
    chances = [slanders + (1 - slanders - misses) * q for _, q in quiet]
    spread = (len(rights) + 2) * slanders * (1 - slanders) + sum(p * (1 - p) for p in chances)
    harsh = slanders + np.sqrt(spread) / (behind + 2)
    sums, effects, count = np.ones(2), [], 0
    for at, confidence, bad, condemned, seen in made:
        if at + HOUR > slot or at < slot - 90 * DAY:
            continue
        mean, q = calibrated(confidence)
        is_people = seen is not None and seen <= slot
        wrong = bad if is_people else condemned
        floor, slope = (0.0, 1.0) if is_people else (harsh, 1 - harsh - misses)
        then = floor + slope * (q + (1 - q) * np.array([0.03, 0.06]))
        now = floor + slope * q
        sums = np.clip(sums, 1, np.exp(SETTABLE["most_evidence"])) * (then / now if wrong else (1 - then) / (1 - now))
        count += 1
        if at >= slot - 14 * DAY:
            effects.append((wrong if is_people else (wrong - slanders) / (1 - slanders - misses)) - mean)
    return max(0.0, float(np.log(sums.mean()))), float(np.mean(effects)), count


@pytest.mark.parametrize("seed", range(3))
def test_a_judge_is_heard_through_its_own_errors(store: Store, seed: int) -> None:
    """A rule pages on this figure, at every slot of a range as at a slot alone."""
    store.calibration(KNOTS, PRECISION, LABELS, until=UNTIL)
    made = judged(store, seed)

    ranged = store.run("judged_sample", since=MONDAY - 15 * DAY)
    single = [each for k in (14, 7, 3, 0) for each in store.run("judged_sample", until=MONDAY - k * DAY)]

    assert single == [ranged[14 - k] for k in (14, 7, 3, 0)]
    assert len(ranged) == 15
    for sample in ranged:
        value, effect, n = expected(made, sample.slot)
        assert (sample.value, sample.effect) == (pytest.approx(value), pytest.approx(effect))
        assert (sample.n, sample.baseline) == (n, 0)


def test_a_judge_whose_errors_are_unknown_is_not_heard(store: Store) -> None:
    """Its "wrong" may be its own; without people beside it there is no sample at all."""
    store.calibration(KNOTS, PRECISION, LABELS, until=UNTIL)
    calls = [{"started_at": MONDAY - DAY, "confidence": 0.99, "call_id": f"{store.project}-{i}"} for i in range(100)]
    say(store, "judge", [{**call, "correct": 0} for call in calls])
    say(store, "review", [{**call, "correct": 1} for call in calls[:34]])

    assert store.run("judged_sample") == []
