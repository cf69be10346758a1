"""Daily errors of a reference, and the CUSUM over the days since: against NumPy, and the same whoever asks when."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from tests.alerts.evaluators.store import DAY, HOUR, MONDAY, SETTABLE, Store

from tocsin_alerts.daily_errors import DailyErrors, Day, daily_errors
from tocsin_alerts.references import maintain

UNTIL = MONDAY - 70 * DAY  # end of the reference
ALLOWANCE, MOST = SETTABLE["allowance"], SETTABLE["most_evidence"]


def days(errors: Sequence[int], labels: int, *, first: int = 0) -> list[Day]:
    """Make days on end, from a Monday."""
    return [Day(day=4 + first + i, labels=labels, errors=int(x)) for i, x in enumerate(errors)]


def refer(store: Store, by_weekday: Sequence[float], *, wander: float = 0.0, doubt: float = 0.001) -> None:
    """Write down a reference by day."""
    daily = {"daily_errors": list(by_weekday), "daily_wander": wander, "daily_doubt": doubt}
    store.calibration([0], [0.9], [100], until=UNTIL, **daily)


def label(store: Store, day: Any, labels: int, errors: int, **row: Any) -> None:
    """Label some calls of one day."""
    store.outcomes([{"started_at": day + 9 * HOUR, "correct": int(i >= errors), **row} for i in range(labels)])


def cusum(rows: Sequence[tuple[int, int, int]], daily: DailyErrors) -> float:
    """Sum day by day, as a textbook does, and keep no more than is asked for: weekday, labels, errors."""
    found = 0.0
    for weekday, labels, errors in rows:
        expected = daily.by_weekday[weekday]
        deviation = np.sqrt(expected * (1 - expected) / labels + daily.wander)
        rise = max(deviation, 2 * ALLOWANCE)
        z = (errors / labels - expected - daily.doubt - rise / 2) / deviation
        found = min(MOST, max(0.0, found + rise / deviation * z))
    return found


@pytest.mark.parametrize("seed", range(3))
def test_the_cusum_is_pages_recursion(store: Store, seed: int) -> None:
    """A rule pages on this figure: it must be the one that the simulation measured, at every slot."""
    random = np.random.default_rng(seed)
    daily = DailyErrors(by_weekday=tuple(random.uniform(0.05, 0.3, 7)), wander=0.001 * seed, doubt=0.002)
    refer(store, daily.by_weekday, wander=daily.wander, doubt=daily.doubt)
    store.insert("plans", [{"label_delay_s": 2 * 86_400, "budget_per_day": None, "quality_floor": None}])
    seen = []
    with store.together() as filling:
        for number in range(68):
            labels = int(random.integers(0, 40)) if number % 9 else 0
            errors = int(random.binomial(labels, 0.2 + 0.01 * (number > 40) * (number - 40)))
            seen.append((number % 7, labels, errors))
            label(filling, UNTIL + number * DAY, labels, errors)

    samples = store.run("accuracy_cusum", since=MONDAY - 20 * DAY)

    assert [sample.slot for sample in samples] == [MONDAY - k * DAY for k in range(19, -1, -1)]
    for number, sample in enumerate(samples, start=49):
        kept = [row for row in seen[max(0, number - 60) : number] if row[1]]
        rise = sum(x - n * daily.by_weekday[w] for w, n, x in kept[-4:]) / sum(n for _, n, _ in kept[-4:])
        assert sample.value == pytest.approx(cusum(kept, daily))
        assert sample.effect == pytest.approx(rise)
        assert (sample.baseline, sample.n) == (0, sum(n for _, n, _ in seen[number - 7 : number]))
    assert samples[-1].value > samples[0].value


def test_live_slots_and_a_range_agree(store: Store) -> None:
    """Live evaluation, catch-up, backtest and charts are one figure, whatever was asked before."""
    random = np.random.default_rng(7)
    refer(store, [0.1] * 7)
    with store.together() as filling:
        for number in range(62):
            label(filling, UNTIL + number * DAY, 12, int(random.binomial(12, 0.15)))

    ranged = store.run("accuracy_cusum", since=UNTIL)
    asked = [UNTIL + (k + 1) * DAY for k in (*range(9), *range(13, 70, 8))]
    single = [sample for slot in asked for sample in store.run("accuracy_cusum", until=slot)]

    assert single == [sample for sample in ranged if sample.slot in asked]
    assert len(ranged) == 63  # the first day is complete after the delay


def test_days_before_the_references_end_and_beyond_60_do_not_count(store: Store) -> None:
    """The reference is not its own present, and the look-back is the same for everybody who asks."""
    refer(store, [0.1] * 7)
    label(store, UNTIL - DAY, 30, 30)
    label(store, UNTIL, 30, 30)
    label(store, UNTIL + 60 * DAY, 30, 3)

    first, *_, last = store.run("accuracy_cusum", since=UNTIL + 7 * DAY)

    assert first.value == pytest.approx(cusum([(0, 30, 30)], DailyErrors(by_weekday=(0.1,) * 7, wander=0, doubt=0.001)))
    assert (last.value, last.n) == (0, 30)


def test_what_a_long_decline_gathered_is_gone_days_after_it(store: Store) -> None:
    """Two months of evidence would else page for two months more, at the first bad day of a model that is well again."""
    refer(store, [0.1] * 7)
    with store.together() as filling:
        for number in range(40):
            label(filling, UNTIL + number * DAY, 100, 30)
    with store.together() as filling:
        for number in range(40, 50):
            label(filling, UNTIL + number * DAY, 100, 9)

    samples = store.run("accuracy_cusum", since=UNTIL + 46 * DAY, until=UNTIL + 57 * DAY)

    values = [sample.value for sample in samples]
    assert values[0] == MOST
    assert values[-1] is not None
    assert values[-1] < 1


def test_only_the_truth_and_people_are_summed(store: Store) -> None:
    """Who complains chooses itself, a judge errs in its own ways, and a fallback's answer says nothing of the model."""
    refer(store, [0.1] * 7)
    at = MONDAY - 8 * DAY
    label(store, at, 30, 30, kind="feedback")
    label(store, at, 30, 30, kind="judge")
    label(store, at, 30, 30, served_by="fallback", is_probe=0)
    label(store, at, 20, 2)
    label(store, at, 10, 1, kind="review")

    [sample] = store.run("accuracy_cusum")

    assert (sample.n, sample.value) == (30, 0)
    assert sample.effect == pytest.approx(0)


def test_without_a_reference_by_day_there_is_no_cusum(store: Store) -> None:
    """Unknown is not calm."""
    store.calibration([0], [0.9], [100], until=UNTIL)
    label(store, MONDAY - 8 * DAY, 30, 30)

    [sample] = store.run("accuracy_cusum")

    assert (sample.value, sample.baseline, sample.effect, sample.n) == (None, None, None, 30)


def test_a_reference_keeps_its_daily_errors(store: Store) -> None:
    """They are worked out once, from the labels of the window by day of the call."""
    random = np.random.default_rng(3)
    wrong = random.binomial(24, 0.15, 28)
    with store.together() as filling:
        for day in range(28):
            filling.calls(MONDAY + (day - 28) * DAY, 24)
            label(filling, MONDAY + (day - 28) * DAY, 24, int(wrong[day]))

    maintain(store.database, slot=MONDAY)

    [kept] = store.rows("SELECT * FROM calibrations FINAL WHERE project = {project:String}")
    expected = daily_errors(days(wrong, 24))
    assert expected is not None
    assert kept["daily_errors"] == pytest.approx(expected.by_weekday)
    assert (kept["daily_wander"], kept["daily_doubt"]) == pytest.approx((expected.wander, expected.doubt))


def test_weekdays_are_kept_as_far_as_chance_does_not_explain_them() -> None:
    """A real weekly season is followed, and noise is not taken for one."""
    random = np.random.default_rng(0)
    season = np.array([0.05, 0.05, 0.05, 0.05, 0.05, 0.15, 0.15])

    seasonal = daily_errors(days(random.binomial(2000, np.tile(season, 4)), 2000))
    flat = [daily_errors(days(random.binomial(2000, 0.06, 28), 2000)) for _ in range(200)]

    assert seasonal is not None
    assert seasonal.by_weekday == pytest.approx(season, abs=0.012)
    spreads = [np.std(each.by_weekday) for each in flat if each]
    assert np.mean(spreads) < 0.6 * np.sqrt(0.06 * 0.94 / 8000)  # unshrunk it would be all of that


@pytest.mark.parametrize("deviation", [0.0, 0.02])
def test_wander_is_what_the_binomial_leaves_unexplained(deviation: float) -> None:
    """Without it a stream with a life of its own would page; with too much of it none would."""
    random = np.random.default_rng(1)
    found = []
    for _ in range(400):
        share = np.clip(0.1 + deviation * random.standard_normal(28), 0.01, 0.5)
        daily = daily_errors(days(random.binomial(2000, share), 2000))
        assert daily is not None
        found.append((daily.wander, daily.doubt))

    wander, doubt = np.mean(found, axis=0)

    assert wander == pytest.approx(deviation**2, abs=3e-5)
    assert doubt >= np.sqrt(0.09 / 56_000 + deviation**2 / 28) * 0.97


def test_a_level_that_wanders_slowly_is_known_less_well() -> None:
    """Twenty-eight days that hang together are few observations of the level."""
    random = np.random.default_rng(2)
    slow, quick = [], []
    for _ in range(300):
        noise = random.standard_normal(28)
        wave = np.empty(28)
        wave[0] = noise[0]
        for i in range(1, 28):
            wave[i] = 0.9 * wave[i - 1] + np.sqrt(1 - 0.81) * noise[i]
        for kind, shape in ((slow, wave), (quick, noise)):
            daily = daily_errors(days(random.binomial(5000, np.clip(0.1 + 0.02 * shape, 0.01, 1)), 5000))
            assert daily is not None
            kind.append(daily.doubt)

    assert np.mean(slow) > 1.3 * np.mean(quick)


@pytest.mark.parametrize(
    "given",
    [[], days([1] * 13, 50), days([1] * 28, 19)],
)
def test_too_few_days_or_labels_give_no_reference(given: list[Day]) -> None:
    """A coarse share cannot be compared by day."""
    assert daily_errors(given) is None


@pytest.mark.parametrize(
    "given",
    [
        days([0] * 28, 50),
        days([50] * 28, 50),
        days([5] * 28, 50),
        [each for each in days([5, 4, 6, 5, 4, 0, 0] * 4, 50) if each.errors],
        days([10**8] * 28, 10**9),
        [Day(day=4 + 7 * i, labels=30, errors=i % 3) for i in range(20)],
    ],
)
def test_degenerate_references_stay_finite(given: list[Day]) -> None:
    """No errors, nothing but errors, no weekends, one weekday, a billion labels."""
    daily = daily_errors(given)

    assert daily is not None
    assert all(0 < share < 1 for share in daily.by_weekday)
    assert daily.wander >= 0
    assert 0 < daily.doubt < 0.1
