"""What a stored request holds, by kind: asked again when a file is found on disk."""

from collections.abc import Callable
from functools import partial

from tocsin_collector.load.decoder import Kind
from tocsin_collector.receive.requests import Signal, look_at
from tocsin_collector.receive.requests import reencode as reencode_otlp
from tocsin_collector.spool.frames import Frame
from tocsin_collector.spool.segments import Contents, Look
from tocsin_wire.v1.outcomes_pb2 import RecordOutcomesRequest

_ANY_NUMBER = 1 << 62  # it was within the limit when it was taken


def contents_of(kind: Kind) -> Look:
    """Give the function that counts a request of this kind."""
    return _outcomes if kind == "outcomes" else partial(_otlp, kind)


def reencode(kind: Kind) -> Callable[[bytes], bytes]:
    """Give the function that writes a request of this kind anew, saying the same."""
    return _reencode_outcomes if kind == "outcomes" else partial(reencode_otlp, kind)


def _otlp(signal: Signal, frame: Frame) -> Contents:
    looked = look_at(signal, frame.body, max_items=_ANY_NUMBER)
    return Contents(items=looked.items, last_end_ns=looked.last_end_ns)


def _outcomes(frame: Frame) -> Contents:
    return Contents(items=len(RecordOutcomesRequest.FromString(frame.body).outcomes), last_end_ns=0)


def _reencode_outcomes(body: bytes) -> bytes:
    request = RecordOutcomesRequest.FromString(body)
    request.DiscardUnknownFields()
    return bytes(request.SerializeToString(deterministic=True))
