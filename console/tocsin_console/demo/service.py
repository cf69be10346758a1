"""The service that the story is about: reads digits, is watched by tocsin through one line, and obeys its guard.

Run as a process of its own, ``python -m tocsin_console.demo.service``. It speaks to tocsin only through the SDK, replays
its weeks on a clock of its own, and prints what tocsin cannot know, the truth, as one JSON line a day.
"""

import argparse
import json
import sys
import time
from collections import deque
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from opentelemetry import trace

import tocsin
from tocsin_console.demo.model import DEVICE, FIELDS, MODEL_VERSION, Reader, train
from tocsin_console.demo.schedule import DEVICES, Calendar
from tocsin_console.demo.traffic import Day, make_day, night_job_ns
from tocsin_console.demo.workspace import CONFIDENCE_BAR, COST_PER_CALL_USD, LABEL_DELAY_DAYS, USE_CASE

_PATIENCE_S = 60.0  # with tocsin taking or judging a day; a machine that needs longer has a problem worth telling
_MANUAL = "manual review needed"


class DataClock:
    """The time of the data: jumps to each moment of the story and runs on from it at the pace of the machine."""

    def __init__(self, start_ns: int) -> None:
        self._jumped_to_ns = start_ns
        self._jumped_at_ns = time.perf_counter_ns()

    def jump(self, to_ns: int) -> None:
        """Be at another time."""
        self._jumped_to_ns, self._jumped_at_ns = to_ns, time.perf_counter_ns()

    def __call__(self) -> int:
        """Say what time it is, ns since the epoch."""
        return self._jumped_to_ns + time.perf_counter_ns() - self._jumped_at_ns


class Service:
    """Serves one day after another."""

    def __init__(self, reader: Reader, calendar: Calendar, clock: DataClock, *, patience_s: float) -> None:
        self._reader = reader
        self._calendar = calendar
        self._clock = clock
        self._patience_s = patience_s
        self._guard = tocsin.guard(USE_CASE)
        self._late: deque[list[tuple[str, str, int]]] = deque()  # by day: handle, digit, when somebody looked
        self._asked = self._manual = 0
        self._without_model = tocsin.observe(
            USE_CASE, task="classification", model_version=MODEL_VERSION, served_by="fallback", name="manual_review"
        )

    def serve(self, day: Day) -> Mapping[str, Any]:
        """Serve one day and say what came of it."""
        self._asked = self._manual = 0
        self._record_late_labels()
        self._late.append([])
        states = []
        for first, end, at_ns in zip(day.starts[:-1], day.starts[1:], day.batch_ns, strict=True):
            self._clock.jump(int(at_ns))
            # A key, here the batch's number, has the guard choose the same probes in every run.
            route = self._guard.route(f"batch-{at_ns}")
            states.append(self._serve_batch(route, day.frame.iloc[first:end], day, slice(first, end)))
        right = day.is_right
        return {
            "calls": len(day),
            "truth": float(right.mean()),
            "by_device": {name: float(right[day.devices == index].mean()) for index, name in enumerate(DEVICES)},
            "guard": states[-1],
            "asked": self._asked,
            "manual": self._manual,
        }

    def _serve_batch(self, route: Any, batch: Any, day: Day, rows: slice) -> str:
        with route:
            if route.ask_model:
                probabilities = self._reader.pipeline.predict_proba(batch)
                self._keep_for_labels(day, rows, everyone=route.is_probe)
                unsure = int((probabilities.max(axis=1) < CONFIDENCE_BAR).sum())
                self._asked += len(batch)
                self._manual += len(batch) if not route.serve_model else unsure if route.state == "verify" else 0
            else:
                self._answer_without_model(batch)
        return str(route.state)

    def _answer_without_model(self, batch: Any) -> None:
        """Pass items on to people; nobody computes features for a model that is not asked."""
        for device in batch[DEVICE]:
            with self._without_model as call:
                call.set_input(**{DEVICE: device})
                call.set_output(label=_MANUAL)
        self._manual += len(batch)

    def _keep_for_labels(self, day: Day, rows: slice, *, everyone: bool) -> None:
        """Note which of the latest calls somebody will check: a sample, and every probe, which a person answers anyway."""
        checked: NDArray[np.bool_] = day.is_labelled[rows] | everyone
        seen_ns = self._clock() + LABEL_DELAY_DAYS * 86_400 * 10**9
        for handle, is_checked, digit in zip(tocsin.last_calls(), checked, day.digits[rows], strict=True):
            if is_checked:
                self._late[-1].append((handle, str(digit), seen_ns))

    def _record_late_labels(self) -> None:
        """Hand in what people found out about the calls of five days ago."""
        if len(self._late) < LABEL_DELAY_DAYS:
            return
        for handle, digit, seen_ns in self._late.popleft():
            seen = datetime.fromtimestamp(seen_ns / 10**9, UTC)
            tocsin.record_outcome(handle, label=digit, observed_at=seen, author="back-office")

    def close(self, day: int) -> None:
        """End a day with the nightly report, whose span takes the data's clock past midnight, and hand everything over.

        Spans leave in the order in which they ended, so the report's is the last of its day to arrive.
        """
        begins_ns, ends_ns = night_job_ns(self._calendar, day)
        span = trace.get_tracer(__name__).start_span("nightly-report", start_time=begins_ns)
        span.end(end_time=ends_ns)
        flush(self._patience_s)

    def wait_until_evaluated(self, day: int) -> None:
        """Wait for tocsin to have judged everything up to the end of a day."""
        until = self._calendar.midnight(day + 1)
        if not self._guard.wait_evaluated_through(until, self._patience_s):
            raise SystemExit(
                f"expected tocsin to have evaluated everything up to {until:%Y-%m-%d %H:%M} "
                f"within {self._patience_s:g} s; it says {dict(self._guard.metadata)}"
            )


def flush(patience_s: float) -> None:
    """Have tocsin acknowledge everything so far, or end: what it does not know it cannot judge."""
    if not tocsin.flush(patience_s):
        raise SystemExit(f"expected tocsin to take everything within {patience_s:g} s: {dict(tocsin.stats())}")


def main() -> None:
    """Serve the weeks of the story."""
    options = _options()
    calendar = Calendar(decay_days=options.decay_days, recovery_days=options.recovery_days, decays=not options.no_decay)
    reader = train(options.seed)
    day = make_day(reader, calendar, 0, options.seed)
    where = json.loads(sys.stdin.readline())  # told once tocsin listens; training need not wait for that
    clock = DataClock(int(calendar.midnight(0).timestamp()) * 10**9)
    tocsin.init(service_name="digit-service", clock=clock, endpoint=where["grpc"], guard_endpoint=where["guard"])
    # The one line: from here on every answer of the model is a span, with its inputs, probabilities and cost.
    tocsin.instrument_sklearn(
        use_case=USE_CASE,
        model_version=MODEL_VERSION,
        fields=FIELDS,
        segments=(DEVICE,),
        cost_per_call=COST_PER_CALL_USD,
    )
    service = Service(reader, calendar, clock, patience_s=options.patience_s)
    for number in range(calendar.days):
        told = service.serve(day)
        service.close(number)
        stats = tocsin.stats()
        date = calendar.midnight(number).date().isoformat()
        _tell({"kind": "day", "day": number, "date": date, **told, "spans_sent": stats["spans_ended"]})
        if number + 1 < calendar.days:
            day = make_day(reader, calendar, number + 1, options.seed)  # while tocsin judges the day before
        service.wait_until_evaluated(number)
    flush(options.patience_s)
    _tell({"kind": "done", **tocsin.stats()})
    tocsin.shutdown()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--decay-days", type=int, required=True)
    parser.add_argument("--recovery-days", type=int, required=True)
    parser.add_argument("--no-decay", action="store_true")
    parser.add_argument("--patience-s", type=float, default=_PATIENCE_S)
    return parser.parse_args()


def _tell(fact: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps(fact) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
