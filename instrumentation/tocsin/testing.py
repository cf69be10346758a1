"""Test doubles for hosts: see which AI calls your code makes, with fixed ids and a clock that steps.

    with tocsin.testing.capture() as calls:
        triage("my printer is on fire")
    calls.assert_called("ticket-triage", label="hardware")

Nothing leaves the process, and what was set up before is back afterwards. A capture is the process's, whatever thread or
task makes the calls; captures nest. `guard_state` says what a guard is in. For pytest, ``tocsin.pytest_plugin`` has it all as
a fixture.
"""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from tocsin._outcomes.queue import OutcomeQueue
from tocsin._process.runtime import Runtime, install, runtime
from tocsin._process.settings import Settings
from tocsin._testing.captured import Captured, CapturedCall
from tocsin._testing.relay import relay
from tocsin_wire import attributes as keys
from tocsin_wire.v1.outcomes_pb2 import Outcome

__all__ = ["START_NS", "STEP_NS", "Captured", "CapturedCall", "Clock", "capture", "guard_state"]

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


class _OutcomeKeeper(OutcomeQueue):
    """Keeps outcomes where it would send them."""

    def __init__(self, settings: Settings, kept: Captured) -> None:
        super().__init__(settings.outcomes)
        self._kept = kept

        self.put = self._keep

    def _keep(self, outcome: Outcome) -> bool:
        self._kept.outcomes.append(outcome)
        self.lane.books.taken += 1
        return True


@contextlib.contextmanager
def capture(*, use_case: str | None = None, clock: Clock | None = None) -> Iterator[Captured]:
    """Catch the AI calls of a block.

    Args:
        use_case: As `init`'s.
        clock: A stepping clock of 2026-01-01 by default, so that times are the same in every run.
    """
    calls = Captured()
    provider = relay()
    settings = Settings(offline=True, service_name="tests", use_case=use_case)
    with provider.handing_to(lambda span: calls.append(CapturedCall.of(span))):
        made = Runtime(settings, clock=Clock() if clock is None else clock, provider=provider, started=True)
        made.outcomes = _OutcomeKeeper(settings, calls)
        before = install(made)
        try:
            yield calls
        finally:
            install(before)


@contextlib.contextmanager
def guard_state(use_case: str, state: str, *, probe_share: float = 0.0, **metadata: Any) -> Iterator[None]:
    """Put the guard of a use case into a state for a block, as if the server had said so.

    Args:
        use_case: Whose guard.
        state: normal, verify, fallback or off.
        probe_share: Calls that still ask the model in the state fallback; none by default, so that tests know what happens.
        metadata: What else the server says of it. The mode is ``automatic`` unless it is given.

    Raises:
        ValueError: no guard has such a state.
    """
    if state not in keys.GUARD_STATES:
        raise ValueError(f"expected a state of {', '.join(keys.GUARD_STATES)}, got {state!r}")
    from tocsin._guards.flags import Flags, read_flags

    said = {"mode": "automatic", "probe_share": probe_share, **metadata}
    flag = {
        "state": "ENABLED",
        "variants": {one: one for one in keys.GUARD_STATES},
        "defaultVariant": state,
        "metadata": said,
    }
    read = read_flags(json.dumps({"flags": {keys.GUARD_FLAG_PREFIX + use_case: flag}}))
    now = runtime()
    now.guard(use_case)
    stream = now.flags
    if stream is None:
        raise RuntimeError("expected a running guard client; use this inside of tocsin.testing.capture()")
    before = stream.flags
    stream.flags = Flags(
        states={**before.states, **read.states},
        metadata=before.metadata,
        evaluated_through=before.evaluated_through,
    )
    try:
        yield
    finally:
        stream.flags = before
