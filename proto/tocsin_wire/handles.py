"""Call handles: one printable string that carries what a late outcome needs to know of its call."""

import base64
import binascii
from typing import TYPE_CHECKING

from tocsin_wire.errors import TocsinError

if TYPE_CHECKING:  # protobuf is loaded by the first handle, not by whoever wants an attribute's name
    from tocsin_wire.v1.outcomes_pb2 import CallRef

PREFIX = "t1."
MAX_LENGTH = 1024  # characters; a handle must fit a hidden form field, a log line and a database column


class HandleError(TocsinError):
    """The text is not a call handle that this version can read."""


def pack_handle(call: "CallRef") -> str:
    """Print a call as a handle of at most 1,024 characters.

    Segments are dropped, longest name first, then the label is cut, until it fits: the ids never are.

    Raises:
        HandleError: use case and call id alone do not fit.
    """
    handle = _print(call)
    if len(handle) <= MAX_LENGTH:
        return handle
    small = type(call)()
    small.CopyFrom(call)
    for name in sorted(small.segments, key=len, reverse=True):
        del small.segments[name]
        if len(handle := _print(small)) <= MAX_LENGTH:
            return handle
    if small.HasField("label"):
        small.label = small.label[:64]
    if len(handle := _print(small)) <= MAX_LENGTH:
        return handle
    raise HandleError(
        f"expected a use case and call id that fit a handle of {MAX_LENGTH} characters, got {len(handle)}: "
        f"shorten tocsin.call.id or tocsin.use_case"
    )


def unpack_handle(handle: str) -> "CallRef":
    """Read a handle back.

    Raises:
        HandleError: it is none, is damaged, or names no use case or call.
    """
    from google.protobuf.message import DecodeError  # noqa: PLC0415 - see above

    from tocsin_wire.v1.outcomes_pb2 import CallRef  # noqa: PLC0415

    if not handle.startswith(PREFIX):
        raise HandleError(f"expected a call handle that starts with {PREFIX!r}, got {handle[:16]!r}")
    if len(handle) > MAX_LENGTH:
        raise HandleError(f"expected a call handle of at most {MAX_LENGTH} characters, got {len(handle)}")
    text = handle[len(PREFIX) :]
    try:
        call = CallRef.FromString(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, DecodeError, ValueError) as error:
        raise HandleError(f"expected a whole call handle, got a damaged one ({error}): {handle[:24]!r}") from error
    if not (call.use_case and call.call_id):
        raise HandleError("expected a call handle with a use case and a call id, got one without: copy it whole")
    return call


def _print(call: "CallRef") -> str:
    body = call.SerializeToString(deterministic=True)
    return PREFIX + base64.urlsafe_b64encode(body).decode("ascii").rstrip("=")
