"""Outcomes as they come in: each is checked, completed from its handle and given its id, or refused with a reason. Pure."""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass

from tocsin_wire import HandleError, unpack_handle
from tocsin_wire.attributes import OUTCOME_KINDS
from tocsin_wire.v1.outcomes_pb2 import CallRef, Outcome, RecordOutcomesRequest

_MAX_TEXT = 64 * 1024  # characters of one field
_MAX_ERRORS = 10
_LAST_NS = 4_294_967_295_000_000_000  # the latest instant that the tables hold


@dataclass(frozen=True, slots=True, kw_only=True)
class Sifted:
    """What of a request is kept, and why the rest is not."""

    accepted: Sequence[Outcome]
    rejected: int
    errors: Sequence[str]  # of the first few


def sift(request: RecordOutcomesRequest, *, project: str, now_ns: int) -> Sifted:
    """Complete the valid outcomes of a request and refuse the others, one by one."""
    accepted: list[Outcome] = []
    errors: list[str] = []
    rejected = 0
    for index, outcome in enumerate(request.outcomes):
        try:
            accepted.append(complete(outcome, project=project, now_ns=now_ns))
        except (HandleError, ValueError) as error:
            rejected += 1
            if len(errors) < _MAX_ERRORS:
                errors.append(f"outcomes[{index}]: {error}")
    return Sifted(accepted=accepted, rejected=rejected, errors=errors)


def outcome_id(project: str, outcome: Outcome) -> str:
    """Derive an id from what an outcome says: the same said twice is one outcome."""
    truth = outcome.WhichOneof("truth")
    said = (
        project,
        named_by(outcome.call),
        outcome.kind,
        outcome.source,
        repr(getattr(outcome, truth)) if truth else "",
        repr(outcome.score) if outcome.HasField("score") else "",
        repr(outcome.correct) if outcome.HasField("correct") else "",
        str(outcome.observed_unix_nano),
    )
    return hashlib.sha256("\x00".join(said).encode()).hexdigest()[:32]


def named_by(call: CallRef) -> str:
    """Say by what an outcome names its call: as said, so that it stays one outcome when the call is found."""
    return call.call_id or call.response_id or f"{call.use_case}\n{call.key}"


def complete(outcome: Outcome, *, project: str, now_ns: int) -> Outcome:
    """Check one outcome, fill in what its handle says, and give it its id and time where it has none.

    Raises:
        HandleError: its handle cannot be read.
        ValueError: it says nothing, or what no outcome can say.
    """
    kept = Outcome()
    kept.CopyFrom(outcome)
    kept.DiscardUnknownFields()
    if outcome.handle:
        kept.call.CopyFrom(unpack_handle(outcome.handle))
        kept.handle = ""
    _check_call(kept.call)
    kept.kind = kept.kind or "ground_truth"
    if kept.kind not in OUTCOME_KINDS:
        raise ValueError(f"expected a kind of {', '.join(OUTCOME_KINDS)}, got {kept.kind!r}")
    _check_truth(kept)
    if kept.observed_unix_nano > _LAST_NS:
        raise ValueError(f"expected observed_unix_nano of at most {_LAST_NS}, got {kept.observed_unix_nano}")
    kept.outcome_id = kept.outcome_id or outcome_id(project, kept)
    kept.observed_unix_nano = kept.observed_unix_nano or now_ns
    return kept


def _check_call(call: CallRef) -> None:
    if not (call.call_id or call.response_id or call.key):
        raise ValueError(
            "expected a handle, or a call with its call_id, response_id or key (tocsin.call.key), got none of them"
        )
    if call.started_unix_nano > _LAST_NS:
        raise ValueError(f"expected call.started_unix_nano of at most {_LAST_NS}, got {call.started_unix_nano}")
    if not (call.use_case and call.call_id):
        call.started_unix_nano = 0  # it waits until its call is found, whose start that is
    if call.HasField("confidence") and not 0 <= call.confidence <= 1:
        call.ClearField("confidence")  # the call's own flaw, flagged there; the outcome still counts
    if call.HasField("weight") and not (math.isfinite(call.weight) and call.weight > 0):
        call.ClearField("weight")
    for name in ("use_case", "call_id", "label", "key", "response_id"):
        _check_length(f"call.{name}", getattr(call, name))


def _check_truth(outcome: Outcome) -> None:
    says = outcome.WhichOneof("truth") or outcome.comment or any(map(outcome.HasField, ("score", "correct", "minutes")))
    if not says:
        raise ValueError("expected a label, value, score, correct, minutes or comment, got none: say what turned out")
    if outcome.HasField("score") and not 0 <= outcome.score <= 1:
        raise ValueError(f"expected a score from 0 (worthless) to 1 (right), got {outcome.score:g}")
    if outcome.HasField("minutes") and not (math.isfinite(outcome.minutes) and outcome.minutes >= 0):
        raise ValueError(f"expected minutes of 0 or more, got {outcome.minutes:g}")
    if outcome.WhichOneof("truth") == "value" and not math.isfinite(outcome.value):
        raise ValueError(f"expected a finite value, got {outcome.value}")
    for name in ("label", "source", "outcome_id", "author", "comment"):
        _check_length(name, getattr(outcome, name))


def _check_length(name: str, text: str) -> None:
    if len(text) > _MAX_TEXT:
        raise ValueError(f"expected {name} of at most {_MAX_TEXT} characters, got {len(text)}")
