"""What tocsin costs the host: microseconds per call, milliseconds at start, and spans lost when things go wrong.

    python bench/overhead.py [--json FILE] [--seconds OUTAGE] [--peers [PYTHON]]

Every figure is taken against a real OTLP/gRPC server in a process of its own. Times are medians (and a 99th percentile)
over single calls; losses are spans ended minus spans received.
"""

import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import _delivery
from _models import single_row_figures
from _observing import observed_call_figures
from _report import Figure, arguments, report
from _size import install_figures
from _traced_peers import peer_figures

BATCH = 50


def main() -> None:
    """Take every figure, print them, write them."""
    parser = arguments("What tocsin costs the host: microseconds per call, and spans lost when things go wrong.")
    parser.add_argument("--seconds", type=float, default=60.0, help="length of the outage (60; stock gives up at 10)")
    parser.add_argument(
        "--peers",
        nargs="?",
        const="",
        metavar="PYTHON",
        help="time the peers too, under an interpreter that has them; without one, in an environment made for this run",
    )
    asked = parser.parse_args()
    figures = [
        *caller_figures(),
        *sklearn_batch_figures(),
        *import_figures(),
        *install_figures(),
        *(peer_figures(asked.peers) if asked.peers is not None else ()),
        *_delivery.figures(asked.seconds),
    ]
    report("What tocsin costs its host", figures, asked.json)


def figure(name: str, value: float, unit: str, at_most: float) -> Figure:
    """Make one figure whose goal is an upper bound."""
    return Figure(name=name, value=round(value, 2), unit=unit, goal=f"<= {at_most}")


def caller_figures() -> list[Figure]:
    """Take what the thread pays that makes a call, observed or by a model; what is sent is received for real."""
    import tocsin

    with _delivery.receiver() as (endpoint, _):
        observed = observed_call_figures(endpoint)
    with _delivery.receiver() as (endpoint, _):
        tocsin.init(endpoint=endpoint, service_name="bench", max_queue_size=1_000_000)
        models = single_row_figures()
        tocsin.shutdown()
    return observed + models


def sklearn_batch_figures() -> list[Figure]:
    """Time a pipeline on frames of fifty rows with and without instrumentation: what a row costs more."""
    import numpy as np
    import pandas as pd
    from sklearn.compose import make_column_transformer
    from sklearn.datasets import load_digits
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    import tocsin

    pixels, labels = load_digits(return_X_y=True)
    frame = pd.DataFrame(pixels[:, 18:30], columns=[f"field{at}" for at in range(12)])
    frame["device"] = np.array(["a", "b", "c"])[np.arange(len(frame)) % 3]
    columns = make_column_transformer((OneHotEncoder(), ["device"]), remainder=StandardScaler())
    model = make_pipeline(columns, LogisticRegression(max_iter=1_000)).fit(frame, labels)
    rows = frame[:BATCH]
    plain_us: list[float] = []
    watched_us: list[float] = []
    cpu_s = {"plain": 0.0, "watched": 0.0}
    rounds, repeats = 10, 40
    with _delivery.receiver() as (endpoint, _):
        tocsin.init(endpoint=endpoint, service_name="bench", max_queue_size=1_000_000)
        # In turns, so that what else the machine does meets both; a flush closes each turn's account.
        for _ in range(rounds):
            started = time.process_time()
            plain_us += timed(lambda: model.predict_proba(rows), repeats, warm_up=2)
            cpu_s["plain"] += time.process_time() - started
            tocsin.instrument_sklearn("digit-reader", cost_per_call=0.002)
            started = time.process_time()
            watched_us += timed(lambda: model.predict_proba(rows), repeats, warm_up=2)
            tocsin.flush(60)
            cpu_s["watched"] += time.process_time() - started
            tocsin.uninstrument_sklearn()
        tocsin.shutdown()
    added_us = (statistics.median(watched_us) - statistics.median(plain_us)) / BATCH
    added_cpu_us = (cpu_s["watched"] - cpu_s["plain"]) * 1e6 / (rounds * (repeats + 2) * BATCH)
    return [
        figure("sklearn_batch_added_p50_us", added_us, "µs/row", 40),
        Figure(name="sklearn_batch_added_cpu_us", value=round(added_cpu_us, 2), unit="µs/row, all threads"),
    ]


def import_figures() -> list[Figure]:
    """Time `import tocsin` in fresh interpreters: the median of nine, and the best, which other processes touch least."""
    code = "import time; t = time.perf_counter(); import tocsin; print(time.perf_counter() - t)"
    taken_ms = [
        float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout) * 1e3
        for _ in range(9)
    ]
    return [
        figure("import_ms", statistics.median(taken_ms), "ms", 100),
        Figure(name="import_best_ms", value=round(min(taken_ms), 2), unit="ms"),
    ]


def timed(work: Callable[[], Any], repeats: int, warm_up: int = 25) -> list[float]:
    """Time single calls, in microseconds, after a warm-up."""
    for _ in range(warm_up):
        work()
    taken = []
    for _ in range(repeats):
        started = time.perf_counter_ns()
        work()
        taken.append((time.perf_counter_ns() - started) / 1e3)
    return taken


if __name__ == "__main__":
    main()
