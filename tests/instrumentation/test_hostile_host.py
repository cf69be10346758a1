"""The promise to the host: nothing of ours raises into it, whatever it hands us."""

import logging
import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NoReturn

import numpy as np
import pandas as pd
import pytest
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
from sklearn.base import BaseEstimator

import tocsin
from tocsin.testing import capture


class Hostile:
    """Raises whatever is asked of it."""

    def _raise(self, *_: object) -> NoReturn:
        raise RuntimeError("hostile")

    __repr__ = __str__ = __float__ = __int__ = __len__ = __bool__ = __iter__ = __hash__ = __eq__ = _raise
    __getitem__ = __index__ = __format__ = __contains__ = _raise


class HostileMapping(Mapping[str, Any]):
    """A mapping whose third item raises."""

    def __getitem__(self, key: str) -> Any:
        if key == "c":
            raise RuntimeError("hostile")
        return 1

    def __iter__(self) -> Iterator[str]:
        return iter("abc")

    def __len__(self) -> int:
        raise RuntimeError("hostile")


NASTY = [
    Hostile(),
    HostileMapping(),
    math.nan,
    math.inf,
    -math.inf,
    10**400,
    "x" * 5_000_000,
    "\ud800",
    b"\xff" * 1_000_000,
    object,
    [Hostile()],
    {"a": {"b": Hostile()}},
    np.zeros((3, 3)),
    np.array([]),
    np.array([Hostile()], dtype=object),
    pd.DataFrame(np.zeros((2, 10_000))),
    pd.NaT,
    1.7,
    complex(1, 2),
    lambda: None,
    iter(()),
    None,
    "",
]


@pytest.mark.parametrize("nasty", NASTY, ids=lambda value: type(value).__name__)
def test_no_value_raises_through_any_setter(nasty: Any) -> None:
    """Every public way in, with every value a host has been seen to pass."""
    with capture() as calls:
        with tocsin.observe(nasty, task=nasty, model_version=nasty, segments=["a", "b"]) as call:
            call.set_input(a=nasty, b=nasty)
            call.set_inputs(nasty)
            call.set_inputs({nasty if isinstance(nasty, str) else "k": nasty})
            call.set_output(label=nasty, value=nasty, text=nasty, probabilities=nasty)
            call.set_output(probabilities={"a": nasty, "b": nasty})
            call.confidence = nasty
            call.set_confidence(nasty, nasty)
            call.set_cost(nasty, nasty, nasty)
            call.set_model(nasty, nasty, prompt_version=nasty)
            call.set_attempt(nasty, nasty)
            handle = call.handle
        said = tocsin.record_outcome(nasty, label=nasty, value=nasty, score=nasty, minutes=nasty, observed_at=nasty)
        tocsin.guard(nasty).route(nasty)
        tocsin.guard("x").wait_evaluated_through(nasty, 0)

    assert isinstance(handle, str)
    assert said is False
    assert len(calls) == 1


@pytest.mark.parametrize("nasty", NASTY, ids=lambda value: type(value).__name__)
def test_no_estimator_input_or_answer_raises(nasty: Any) -> None:
    """An estimator of the host's may take and return anything at all."""

    class Odd(BaseEstimator):  # type: ignore[misc]
        def predict(self, _inputs: Any) -> Any:
            return nasty

        def predict_proba(self, _inputs: Any) -> Any:
            return np.full((1, 2), 0.5)

    with capture() as calls:
        tocsin.instrument_sklearn("odd")
        given_back = Odd().predict(np.zeros((1, 2)))
        Odd().predict_proba(nasty)

    assert given_back is nasty
    assert [call.name for call in calls][-1] == "predict_proba"
    assert calls[-1].confidence == 0.5


def test_a_frame_of_ten_thousand_columns_is_cut_and_flagged() -> None:
    """Only what is recorded is read, so that width costs nothing."""

    class Wide(BaseEstimator):  # type: ignore[misc]
        def predict(self, inputs: Any) -> Any:
            return np.zeros(len(inputs))

    with capture() as calls:
        tocsin.instrument_sklearn("wide")
        Wide().predict(pd.DataFrame(np.zeros((1, 10_000))))

    assert len(calls[0].inputs) == 128
    assert calls[0].flags == ("fields_dropped:9872",)


def test_impossible_probabilities_are_flagged_and_not_taken_for_confidence() -> None:
    """A model that returns 1.7 or NaN has a bug its owner wants to see."""

    class Broken(BaseEstimator):  # type: ignore[misc]
        classes_ = np.array(["a", "b"])

        def predict_proba(self, _inputs: Any) -> Any:
            return np.array([[1.7, -0.7], [np.nan, np.nan]])

    with capture() as calls:
        tocsin.instrument_sklearn("broken")
        Broken().predict_proba(np.zeros((2, 1)))

    assert [call.flags for call in calls] == [("confidence_out_of_range",)] * 2
    assert [call.probabilities for call in calls] == [{}, {}]
    assert [call.confidence for call in calls] == [1.7, None]


class Exploding(SpanProcessor):
    """A span processor of the host's that raises."""

    def on_end(self, span: ReadableSpan) -> None:  # noqa: ARG002 - fails whatever it gets
        """Fail."""
        raise RuntimeError("hostile processor")


def test_a_raising_span_processor_does_not_reach_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the host hung into its own provider breaks inside our boundary."""
    with capture():
        provider: Any = tocsin._process.runtime.runtime().provider
        processors = provider._active_span_processor
        monkeypatch.setattr(processors, "_span_processors", (*processors._span_processors, Exploding()))

        with tocsin.observe("triage") as call:
            call.set_output(label="x")

    assert tocsin.stats()["swallowed.observe.end"] == 1


@pytest.mark.parametrize("broken", ["clock", "logging"])
def test_broken_clocks_and_log_handlers_do_not_reach_the_host(broken: str) -> None:
    """Both are the host's to give, and so to get wrong."""

    class Screaming(logging.Handler):
        def handle(self, _record: logging.LogRecord) -> bool:
            raise RuntimeError("hostile handler")

    handler = Screaming()
    logging.getLogger("tocsin").addHandler(handler)
    try:
        with capture(clock=Hostile() if broken == "clock" else None):  # type: ignore[arg-type]
            with tocsin.observe("triage") as call:
                call.set_input(a=Hostile())
            answer = tocsin.observe("triage")(lambda: 42)()
    finally:
        logging.getLogger("tocsin").removeHandler(handler)

    assert answer == 42


@pytest.mark.parametrize("error", [ValueError("v"), KeyboardInterrupt(), SystemExit(3), GeneratorExit()])
def test_the_hosts_own_exceptions_pass_untouched(error: BaseException) -> None:
    """All of them, including those that end the process."""

    @tocsin.observe("triage")
    def fail() -> None:
        raise error

    class Failing(BaseEstimator):  # type: ignore[misc]
        def predict(self, _inputs: Any) -> Any:
            raise error

    caught = []
    with capture() as calls:
        tocsin.instrument_sklearn("triage")
        attempts: list[Callable[[], Any]] = [fail, lambda: Failing().predict([[1]])]
        for attempt in attempts:
            try:
                attempt()
            except BaseException as raised:  # noqa: BLE001 - every kind is the claim
                caught.append(raised)

    assert caught == [error, error]
    assert [call.error_type for call in calls] == [type(error).__name__] * 2


def test_a_repeated_failure_is_logged_once_and_counted_every_time(caplog: pytest.LogCaptureFixture) -> None:
    """A log line per call would be our way of slowing the host."""
    with capture(), tocsin.observe("triage") as call:
        for _ in range(50):
            call.set_input(a=Hostile())

    assert tocsin.stats()["swallowed.call.set_inputs"] == 50
    assert len([record for record in caplog.records if "swallowed" in record.message]) == 1
