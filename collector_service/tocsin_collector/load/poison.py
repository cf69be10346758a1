"""Find the requests that spoil a segment, so that the others load. Pure but for the check it is given."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tocsin_collector.errors import RequestRejected, StoreRejected
from tocsin_collector.spool.frames import Envelope, Frame, digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Sorted:
    """A segment's requests, told apart."""

    good: Sequence[Frame]  # in order; mended ones carry their new bytes' digest
    bad: Sequence[tuple[Frame, str]]  # with the store's reason


def sort_out(
    frames: Sequence[Frame], check: Callable[[Sequence[Frame]], None], reencode: Callable[[bytes], bytes]
) -> Sorted:
    """Halve until the refused requests stand alone; try each anew as the validating parser understands it.

    Args:
        frames: The requests of a refused segment.
        check: Raises StoreRejected when these requests cannot be decoded together.
        reencode: Writes a request's bytes anew without changing what they say.

    Raises:
        StoreUnavailable: from the check; nothing is known, try again.
    """
    try:
        check(frames)
    except StoreRejected as error:
        if len(frames) > 1:
            middle = len(frames) // 2
            left, right = (sort_out(half, check, reencode) for half in (frames[:middle], frames[middle:]))
            return Sorted(good=[*left.good, *right.good], bad=[*left.bad, *right.bad])
        return _mend(frames[0], str(error), check, reencode)
    return Sorted(good=frames, bad=())


def _mend(
    frame: Frame, reason: str, check: Callable[[Sequence[Frame]], None], reencode: Callable[[bytes], bytes]
) -> Sorted:
    try:
        body = reencode(frame.body)
        envelope = Envelope(project=frame.envelope.project, received_ns=frame.envelope.received_ns, digest=digest(body))
        mended = Frame(body=body, envelope=envelope)
        check([mended])
    except (StoreRejected, RequestRejected):
        return Sorted(good=(), bad=[(frame, reason)])
    return Sorted(good=[mended], bad=())
