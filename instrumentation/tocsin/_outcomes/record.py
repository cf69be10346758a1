"""`record_outcome` and what is said with it: labels by the iterable, thumbs, support contacts."""

import hashlib
import time
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from tocsin._calls import values
from tocsin._outcomes.saying import says_something
from tocsin._process.boundary import MISHAPS, Swallow
from tocsin._process.runtime import Runtime, runtime
from tocsin_wire import HandleError
from tocsin_wire.handles import MAX_LENGTH, PREFIX

_IN_RECORD: Final = Swallow("record_outcome")
_IN_MANY: Final = Swallow("record_outcomes")
_IN_FEEDBACK: Final = Swallow("record_feedback")
_IN_SUPPORT: Final = Swallow("record_support_contact")
_TEXT_LIMIT: Final = 16_384  # characters of a comment that are kept until it is redacted, and cut with a mark
_THUMBS: Final = {"up": 1.0, "down": 0.0}
_AT_ONCE: Final = 100  # outcomes between two turns of an event loop: about a millisecond
_LOOK_S: Final = 0.02  # how often a full queue is looked at


def record_outcome(
    handle: str | None = None,
    *,
    key: str | None = None,
    response_id: str | None = None,
    call_id: str | None = None,
    use_case: str | None = None,
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
    """Say what turned out to be true of a call, however late. Queued and sent in the background, so async code may call it.

    Args:
        handle: What ``call.handle`` or `last_calls` gave. Else one of the next three, by which the collector finds the call.
        key: Your own key of the call, as ``call.set_key`` was given it.
        response_id: The provider's, ``gen_ai.response.id``.
        call_id: The call's, as ``call.call_id``.
        use_case: Beside a key that other use cases have too.
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
        comment: In their words; redacted before it leaves, and left out where the use case captures nothing.

    Returns:
        True when it was queued; False when it says nothing, is damaged, or the queue is full. Never raises.
    """
    with _IN_RECORD:
        now = runtime()
        if now.settings.disabled or not (handle or key or response_id or call_id):
            return False
        from tocsin_wire.v1.outcomes_pb2 import CallRef, Outcome

        observed_ns = now.clock() if observed_at is None else _nanoseconds(observed_at)
        outcome = Outcome(
            kind=kind,
            source=source,
            outcome_id=outcome_id or "",
            observed_unix_nano=observed_ns,
            score=values.finite(score),
            minutes=values.finite(minutes),
            author=str(author),
            comment=str(comment)[:_TEXT_LIMIT],
        )
        if handle:
            if not handle.startswith(PREFIX) or len(handle) > MAX_LENGTH:
                raise HandleError(f"expected a call handle that starts with {PREFIX!r}, got {handle[:16]!r}")
            outcome.handle = handle
        else:
            named = CallRef(
                key=str(key or ""),
                response_id=str(response_id or ""),
                call_id=str(call_id or ""),
                use_case=str(use_case or ""),
            )
            outcome.call.CopyFrom(named)
        if correct is not None:
            outcome.correct = bool(correct)
        if label is not None:
            outcome.label = values.text(values.label_text(label), {}, "label")
        elif (number := values.finite(value)) is not None:
            outcome.value = number
        if not says_something(outcome):
            MISHAPS.note(
                "record_outcome",
                ValueError("expected one of label, value, score, correct or minutes, got none of them"),
            )
            return False
        return now.outcomes.put(outcome)
    return False


def record_outcomes(outcomes: Iterable[Mapping[str, Any]], *, wait_s: float = 30.0) -> int:
    """Say what turned out to be true of many calls: each a mapping of `record_outcome`'s arguments.

    Args:
        outcomes: Read one by one; may be longer than the queue.
        wait_s: How long to wait in all for room in a full queue. 0 never waits: what finds no room is dropped and counted.

    Returns:
        How many were queued.
    """
    queued = 0
    with _IN_MANY:
        now = runtime()
        until = time.monotonic() + wait_s
        for each in outcomes:
            _wait_for_room(now, until)
            with _IN_RECORD:
                queued += record_outcome(**each)
    return queued


async def record_outcomes_async(
    outcomes: Iterable[Mapping[str, Any]] | AsyncIterable[Mapping[str, Any]], *, wait_s: float = 30.0
) -> int:
    """As `record_outcomes`, in an event loop, which goes on while this waits for room. Takes an asynchronous iterable too.

    `record_outcome` and the others only queue: call them from asynchronous code as they are.
    """
    import asyncio

    queued = seen = 0
    with _IN_MANY:
        now = runtime()
        until = time.monotonic() + wait_s
        async for each in _asynchronous(outcomes):
            # Looked at, not waited for: the queue is emptied by a thread, which knows of no loop.
            while not now.settings.disabled and now.outcomes.is_full() and time.monotonic() < until:  # noqa: ASYNC110
                await asyncio.sleep(_LOOK_S)
            with _IN_RECORD:
                queued += record_outcome(**each)
            seen += 1
            if seen % _AT_ONCE == 0:
                await asyncio.sleep(0)
    return queued


async def _asynchronous(
    outcomes: Iterable[Mapping[str, Any]] | AsyncIterable[Mapping[str, Any]],
) -> AsyncIterator[Mapping[str, Any]]:
    if isinstance(outcomes, AsyncIterable):
        async for each in outcomes:
            yield each
    else:
        for each in outcomes:
            yield each


def record_feedback(
    handle: str | None = None,
    thumb: str | bool | float | None = None,
    *,
    key: str | None = None,
    response_id: str | None = None,
    call_id: str | None = None,
    use_case: str | None = None,
    comment: str = "",
    author: str = "",
    source: str = "thumbs",
    observed_at: datetime | None = None,
) -> bool:
    """Say what a user thought of an answer: "up" or "down", true or false, or a score from 0 to 1. See `record_outcome`.

    A second thumb of the same user counts as the last word; both are kept.
    """
    with _IN_FEEDBACK:
        score = _THUMBS.get(thumb.strip().lower()) if isinstance(thumb, str) else values.finite(thumb)
        if thumb is not None and (score is None or not 0 <= score <= 1):
            raise ValueError(f'expected "up", "down" or a score from 0 to 1, got {str(thumb)[:20]!r}')
        return record_outcome(
            handle,
            key=key,
            response_id=response_id,
            call_id=call_id,
            use_case=use_case,
            score=score,
            kind="feedback",
            source=source,
            observed_at=observed_at,
            author=author,
            comment=comment,
        )
    return False


def record_support_contact(
    handle: str | None = None,
    *,
    minutes: float,
    key: str | None = None,
    response_id: str | None = None,
    call_id: str | None = None,
    use_case: str | None = None,
    ticket: str = "",
    comment: str = "",
    author: str = "",
    source: str = "support",
    observed_at: datetime | None = None,
) -> bool:
    """Say that somebody had to help a person after a call, and for how many minutes: a cost, never a verdict.

    A ticket that is reported twice is one contact, with the minutes said last. See `record_outcome`.
    """
    with _IN_SUPPORT:
        named = hashlib.sha256(f"support\0{source}\0{ticket}".encode()).hexdigest()[:32] if ticket else None
        return record_outcome(
            handle,
            key=key,
            response_id=response_id,
            call_id=call_id,
            use_case=use_case,
            minutes=minutes,
            kind="support",
            source=source,
            observed_at=observed_at,
            outcome_id=named,
            author=author,
            comment=comment,
        )
    return False


def _wait_for_room(now: Runtime, until: float) -> None:
    while not now.settings.disabled and now.outcomes.is_full() and time.monotonic() < until:
        time.sleep(_LOOK_S)


def _nanoseconds(when: datetime) -> int:
    aware = when if when.tzinfo else when.replace(tzinfo=UTC)
    delta = aware - datetime(1970, 1, 1, tzinfo=UTC)
    return (delta.days * 86_400 + delta.seconds) * 1_000_000_000 + delta.microseconds * 1_000
