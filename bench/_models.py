"""What instrumented models cost: microseconds for one row, seconds and megabytes for a million."""

import statistics
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

from _report import Figure
from _timing import added_us, in_turns

ROWS = 1_000_000


def single_row_figures() -> list[Figure]:
    """One row through scikit-learn, XGBoost and LightGBM, in a process that has called `init`."""
    import lightgbm
    import numpy as np
    import pandas as pd
    import xgboost
    from sklearn.linear_model import LogisticRegression

    import tocsin
    from tocsin._models.registry import instrument_models, uninstrument_models

    frame = pd.DataFrame(np.random.default_rng(1).normal(size=(400, 12)), columns=[f"field{at}" for at in range(12)])
    labels = (frame["field0"] > 0).astype(int)
    row, array = frame[:1], frame[:1].to_numpy()
    regression = LogisticRegression().fit(frame.to_numpy(), labels)
    framed = LogisticRegression().fit(frame, labels)
    boosted = xgboost.train(
        {"objective": "binary:logistic", "nthread": 1}, xgboost.DMatrix(frame.to_numpy(), label=labels), 20
    )
    light = lightgbm.train(
        {"objective": "binary", "num_threads": 1, "verbosity": -1}, lightgbm.Dataset(frame.to_numpy(), label=labels), 20
    )
    works: dict[str, Callable[[], Any]] = {
        "sklearn_added": lambda: regression.predict_proba(array),
        "sklearn_frame_added": lambda: framed.predict_proba(row),
        "xgboost_added": lambda: boosted.inplace_predict(array),
        # Left to itself it asks every core for one row, and waits for them: milliseconds where they are busy, ours or not.
        "lightgbm_added": lambda: light.predict(array, num_threads=1),
    }
    figures = []
    for name, work in works.items():
        taken = in_turns(
            {"plain": work, "watched": work},
            rounds=12,
            repeats=250,
            before={"plain": uninstrument_models, "watched": lambda: instrument_models("bench", cost_per_call=0.002)},
            after=lambda: tocsin.flush(60),
        )
        plain, watched = taken["plain"], taken["watched"]
        cpu_us = statistics.median(one - other for one, other in zip(watched.cpu_us, plain.cpu_us, strict=True))
        added = round(added_us(watched, plain), 2)
        figures += [
            Figure(name=f"{name}_p50_us", value=added, unit="µs", goal="<= 40" if name.startswith("sk") else ""),
            # What it takes when nobody else is about: the difference of the fastest tenths.
            Figure(name=f"{name}_p10_us", value=round(watched.p10_us - plain.p10_us, 2), unit="µs"),
            Figure(name=f"{name}_cpu_us", value=round(cpu_us, 2), unit="µs, caller's thread"),
            Figure(name=f"{name.removesuffix('_added')}_plain_p50_us", value=round(plain.p50_us, 2), unit="µs"),
        ]
    uninstrument_models()
    return figures


def million_figures() -> dict[str, float]:
    """A million rows through a classifier: seconds and peak megabytes more than without."""
    import numpy as np
    from sklearn.naive_bayes import GaussianNB

    from tocsin._models.registry import instrument_models, uninstrument_models

    rows = np.random.default_rng(1).normal(size=(ROWS, 12))
    model = GaussianNB().fit(rows[:1_000], rows[:1_000, 0] > 0)
    plain_s, watched_s = [], []
    for _ in range(3):
        plain_s.append(_timed(lambda: model.predict_proba(rows), 1)[0] / 1e6)
        instrument_models("bench")
        watched_s.append(_timed(lambda: model.predict_proba(rows), 1)[0] / 1e6)
        uninstrument_models()
    plain_mb = _peak_mb(lambda: model.predict_proba(rows))
    instrument_models("bench")
    watched_mb = _peak_mb(lambda: model.predict_proba(rows))
    uninstrument_models()
    return {
        "batch_million_added_s": statistics.median(watched_s) - statistics.median(plain_s),
        "batch_million_added_mb": watched_mb - plain_mb,
    }


def _timed(work: Callable[[], Any], repeats: int) -> list[float]:
    taken = []
    for _ in range(repeats):
        started = time.perf_counter_ns()
        work()
        taken.append((time.perf_counter_ns() - started) / 1e3)
    return taken


def _peak_mb(work: Callable[[], Any]) -> float:
    tracemalloc.start()
    work()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 1e6
