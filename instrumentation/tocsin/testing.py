"""Test doubles for hosts: see which AI calls your code makes, with fixed ids and a clock that steps.

    with tocsin.testing.capture() as calls:
        triage("my printer is on fire")
    assert calls[0].label == "hardware"

Nothing leaves the process, and what was set up before is back afterwards.
"""

import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanLimits, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.id_generator import IdGenerator

from tocsin._outcomes.queue import OutcomeQueue
from tocsin._process.runtime import Runtime, install
from tocsin._process.settings import Settings
from tocsin_wire import attributes as keys
from tocsin_wire.v1.outcomes_pb2 import Outcome

__all__ = ["START_NS", "STEP_NS", "Captured", "CapturedCall", "Clock", "capture"]

START_NS: Final = 1_767_225_600_000_000_000  # 2026-01-01 00:00 UTC
STEP_NS: Final = 1_000_000


@dataclass(slots=True)
class Clock:
    """A clock that moves one step whenever it is read."""

    now_ns: int = START_NS
    step_ns: int = STEP_NS

    def __call__(self) -> int:
        """Read the clock."""
        read = self.now_ns
        self.now_ns += self.step_ns
        return read


@dataclass(frozen=True, slots=True, kw_only=True)
class CapturedCall:
    """One AI call as it would have left the process."""

    name: str
    use_case: str | None
    call_id: str
    start_ns: int
    end_ns: int
    task: str | None
    model_name: str | None
    model_version: str | None
    inputs: Mapping[str, str | bool | int | float]
    null_inputs: tuple[str, ...]
    label: str | None
    value: float | None
    text: str | None
    probabilities: Mapping[str, float]
    confidence: float | None
    cost: float | None
    weight: float
    guard_state: str | None
    served_by: str
    is_probe: bool
    error_type: str | None
    flags: tuple[str, ...]
    attributes: Mapping[str, Any] = field(repr=False)  # everything, as on the wire


class Captured(list[CapturedCall]):
    """The calls of a block, in the order in which they ended, and the outcomes that were recorded."""

    def __init__(self) -> None:
        super().__init__()
        self.outcomes: list[Outcome] = []


class _OutcomeKeeper(OutcomeQueue):
    """Keeps outcomes where it would send them."""

    def __init__(self, settings: Settings, kept: Captured) -> None:
        super().__init__(settings.outcomes)
        self._kept = kept

    def put(self, outcome: Outcome) -> bool:
        self._kept.outcomes.append(outcome)
        self.tally.accepted += 1
        self.tally.sent += 1
        return True


class _Sequence(IdGenerator):
    """Ids that count from 1."""

    def __init__(self) -> None:
        self._traces = 0
        self._spans = 0

    def generate_trace_id(self) -> int:
        self._traces += 1
        return self._traces

    def generate_span_id(self) -> int:
        self._spans += 1
        return self._spans


class _Keeper(SpanProcessor):
    """Keeps ended calls, in order; spans that are no AI calls are left out."""

    def __init__(self, calls: Captured) -> None:
        self._calls = calls

    def on_end(self, span: ReadableSpan) -> None:
        self._calls.append(_captured(span))


@contextlib.contextmanager
def capture(*, use_case: str | None = None, clock: Clock | None = None) -> Iterator[Captured]:
    """Catch the AI calls of a block.

    Args:
        use_case: As `init`'s.
        clock: A stepping clock of 2026-01-01 by default, so that times are the same in every run.
    """
    calls = Captured()
    provider = TracerProvider(
        resource=Resource({"service.name": "tests"}),
        id_generator=_Sequence(),
        shutdown_on_exit=False,
        span_limits=SpanLimits(max_span_attributes=512),
    )
    provider.add_span_processor(_Keeper(calls))
    settings = Settings(offline=True, service_name="tests", use_case=use_case)
    made = Runtime(settings, clock=Clock() if clock is None else clock, provider=provider, started=True)
    made.outcomes = _OutcomeKeeper(settings, calls)
    before = install(made)
    try:
        yield calls
    finally:
        install(before)


def _captured(span: ReadableSpan) -> CapturedCall:
    said: dict[str, Any] = dict(span.attributes or {})
    context = span.context
    ids = f"{context.trace_id:032x}{context.span_id:016x}" if context is not None else ""
    return CapturedCall(
        name=span.name,
        use_case=said.get(keys.USE_CASE),
        call_id=said.get(keys.CALL_ID) or ids,
        start_ns=span.start_time or 0,
        end_ns=span.end_time or 0,
        task=said.get(keys.TASK),
        model_name=said.get(keys.MODEL_NAME),
        model_version=said.get(keys.MODEL_VERSION),
        inputs=_beginning_with(keys.INPUT_PREFIX, said),
        null_inputs=tuple(json.loads(said.get(keys.NULL_INPUTS, "[]"))),
        label=said.get(keys.OUTPUT_LABEL),
        value=said.get(keys.OUTPUT_VALUE),
        text=said.get(keys.OUTPUT_TEXT),
        probabilities=_beginning_with(keys.PROBABILITY_PREFIX, said),
        confidence=said.get(keys.CONFIDENCE),
        cost=said.get(keys.COST_AMOUNT),
        weight=said.get(keys.WEIGHT, 1.0),
        guard_state=said.get(keys.GUARD_STATE),
        served_by=said.get(keys.SERVED_BY, "model"),
        is_probe=said.get(keys.PROBE, False),
        error_type=said.get(keys.ERROR_TYPE),
        flags=tuple(flag for flag in said.get(keys.FLAGS, "").split(",") if flag),
        attributes=said,
    )


def _beginning_with(prefix: str, said: Mapping[str, Any]) -> dict[str, Any]:
    return {key.removeprefix(prefix): value for key, value in said.items() if key.startswith(prefix)}
