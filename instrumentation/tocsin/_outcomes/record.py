"""`record_outcome`: what turned out to be true of a call."""

from datetime import UTC, datetime
from typing import Any, Final

from tocsin._calls import values
from tocsin._process.boundary import MISHAPS, Swallow
from tocsin._process.runtime import runtime
from tocsin_wire import HandleError
from tocsin_wire.handles import MAX_LENGTH, PREFIX

_IN_RECORD: Final = Swallow("record_outcome")
_TEXT_LIMIT: Final = 8_192  # characters of a comment


def record_outcome(
    handle: str,
    *,
    label: Any = None,
    value: float | None = None,
    score: float | None = None,
    correct: bool | None = None,
    kind: str = "ground_truth",
    source: str = "labels",
    minutes: float | None = None,
    observed_at: datetime | None = None,
    outcome_id: str | None = None,
    author: str = "",
    comment: str = "",
) -> bool:
    """Say what turned out to be true of a call, however late. Queued and sent in the background.

    Args:
        handle: What ``call.handle`` or `last_calls` gave.
        label: The true class; the same spelling as the call's label, so 3, 3.0 and "3" agree.
        value: The true number.
        score: 0 (worthless) to 1 (right).
        correct: Whether the answer was right.
        kind: ground_truth, review, feedback, judge or support.
        source: Who or what says so: "labels", "thumbs", "zendesk".
        minutes: Human time that this outcome cost.
        observed_at: When it turned out; now by default, UTC when it has no zone.
        outcome_id: Same id, same outcome; derived from the content by default.
        author: Who said it.
        comment: In their words.

    Returns:
        True when it was queued; False when it says nothing, is damaged, or the queue is full. Never raises.
    """
    with _IN_RECORD:
        now = runtime()
        if now.settings.disabled or not handle:
            return False
        if not handle.startswith(PREFIX) or len(handle) > MAX_LENGTH:
            raise HandleError(f"expected a call handle that starts with {PREFIX!r}, got {handle[:16]!r}")
        from tocsin_wire.v1.outcomes_pb2 import Outcome

        observed_ns = now.clock() if observed_at is None else _nanoseconds(observed_at)
        outcome = Outcome(
            handle=handle,
            kind=kind,
            source=source,
            outcome_id=outcome_id or "",
            observed_unix_nano=observed_ns,
            score=values.finite(score),
            minutes=values.finite(minutes),
            author=str(author),
            comment=str(comment)[:_TEXT_LIMIT],
        )
        if correct is not None:
            outcome.correct = bool(correct)
        if label is not None:
            outcome.label = values.text(values.label_text(label), {}, "label")
        elif (number := values.finite(value)) is not None:
            outcome.value = number
        if not _says_something(outcome):
            MISHAPS.note(
                "record_outcome",
                ValueError("expected one of label, value, score, correct or minutes, got none of them"),
            )
            return False
        return now.outcomes.put(outcome)
    return False


def _says_something(outcome: Any) -> bool:
    fields = ("score", "correct", "minutes")
    return bool(outcome.WhichOneof("truth") or outcome.comment or any(outcome.HasField(field) for field in fields))


def _nanoseconds(when: datetime) -> int:
    aware = when if when.tzinfo else when.replace(tzinfo=UTC)
    delta = aware - datetime(1970, 1, 1, tzinfo=UTC)
    return (delta.days * 86_400 + delta.seconds) * 1_000_000_000 + delta.microseconds * 1_000
