"""A service that lives through a data set on the data's clock, watched by `tocsin up` like any other."""

from collections import deque
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import numpy as np
import pandas as pd
from opentelemetry import trace

import tocsin
from _replay.dataset import DataSet, Day

_DAY_NS: Final = 86_400 * 10**9
_PATIENCE_S: Final = 900.0


class _Clock:
    """The time of the data."""

    now_ns = 0

    def __call__(self) -> int:
        self.now_ns += 1_000
        return self.now_ns


def replay(
    data: DataSet, facts: Mapping[str, Any], said: Callable[[str], None], *, days_at_once: int = 1
) -> "pd.DataFrame":
    """Send every day of a data set, its labels when they are due, and wait until what was sent is judged.

    Args:
        data: What to send.
        facts: The addresses of a ``tocsin up --clock data``.
        said: Told each day.
        days_at_once: Sent before they are waited for. Every slot is judged by itself all the same, but several with one query.

    Returns:
        One row a day: ``date``, ``calls`` and ``truth``, the share of right answers, which tocsin only learns from labels.
    """
    clock = _Clock()
    tocsin.init(service_name="replay", clock=clock, endpoint=f"http://{facts['grpc']}", guard_endpoint=facts["guard"])
    tocsin.instrument_sklearn(
        use_case=data.use_case,
        model_version=data.model_version,
        fields=tuple(data.fields),
        segments=tuple(data.segments),
    )
    guard = tocsin.guard(data.use_case)
    late: deque[tuple[Day, list[str]]] = deque()
    rows = []
    for number, day in enumerate(data.days(), start=1):
        while late and late[0][0].date + data.label_delay <= day.date:
            _record(*late.popleft(), delay=data.label_delay)
        handles, answers = _serve(data.model, day, clock)
        late.append((day, handles))
        _end(day, clock)
        midnight = datetime.combine(day.date, datetime.min.time(), UTC) + timedelta(days=1)
        is_waited_for = number % days_at_once == 0
        if not tocsin.flush(_PATIENCE_S) or (is_waited_for and not guard.wait_evaluated_through(midnight, _PATIENCE_S)):
            raise SystemExit(f"expected {day.date} to be judged within {_PATIENCE_S:g} s: {dict(tocsin.stats())}")
        rows.append({"date": day.date, "calls": len(answers), "truth": float((answers == day.truth).mean())})
        said(f"{day.date}: {len(answers):,} calls, {rows[-1]['truth']:.1%} right")
    if not guard.wait_evaluated_through(midnight, _PATIENCE_S):
        raise SystemExit(f"expected the last day to be judged within {_PATIENCE_S:g} s")
    stats = dict(tocsin.stats())
    tocsin.shutdown()
    if stats["dropped"] or stats["swallowed"]:
        raise SystemExit(f"expected every span to arrive: {stats}")
    return pd.DataFrame(rows)


def _serve(model: Any, day: Day, clock: _Clock) -> tuple[list[str], np.ndarray[Any, Any]]:
    handles: list[str] = []
    answers = []
    starts = np.flatnonzero(np.diff(day.at_ns, prepend=-1))
    for first, end in zip(starts, [*starts[1:], len(day.at_ns)], strict=True):
        clock.now_ns = int(day.at_ns[first])
        chances = model.predict_proba(day.frame.iloc[first:end])  # what carries a confidence
        answers.append(model.classes_[chances.argmax(axis=1)].astype(str))
        handles += tocsin.last_calls()
    return handles, np.concatenate(answers)


def _record(day: Day, handles: list[str], *, delay: timedelta) -> None:
    seen = datetime.combine(day.date, datetime.min.time(), UTC) + delay
    for handle, truth in zip(handles, day.truth, strict=True):
        tocsin.record_outcome(handle, label=str(truth), observed_at=seen, source="replay")


def _end(day: Day, clock: _Clock) -> None:
    """End the day with a span past midnight: the data's clock goes by what has been seen."""
    midnight_ns = int(datetime.combine(day.date, datetime.min.time(), UTC).timestamp()) * 10**9 + _DAY_NS
    clock.now_ns = midnight_ns
    trace.get_tracer(__name__).start_span("nightly-report", start_time=midnight_ns).end(midnight_ns + 60 * 10**9)
