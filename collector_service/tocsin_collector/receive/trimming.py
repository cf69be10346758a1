"""What is too much in a request is cut, marked and counted; the rest is stored. Works on any OTLP message.

Cutting says the same for the same request, so that a retry of it has the same bytes and is recognised.
"""

from dataclasses import dataclass
from typing import Any, Final

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

_VALUE: Final = "opentelemetry.proto.common.v1.AnyValue"
_DROPPED: Final = {
    "attributes": "dropped_attributes_count",
    "events": "dropped_events_count",
    "links": "dropped_links_count",
}
_PER_ATTRIBUTE: Final = 2  # bytes that an attribute takes at least
# Measuring writes a message out: 64 MiB of them at every level would take a second. Of these there are few, or small ones.
_NOT_MEASURED: Final = {"ResourceSpans", "ScopeSpans", "ResourceLogs", "ScopeLogs", "KeyValue"}
_FEW: Final = 4
_FRAME: Final = 8  # bytes that a value's tags and lengths take at most
_MARK_BYTES: Final = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one span, log record, resource or scope may hold."""

    max_value_bytes: int | None  # of one value, name or message; None: whatever comes is kept
    max_attributes: int

    def may_exceed(self, largest_part: int) -> bool:
        """Say whether a request whose largest part has this many bytes can hold too much."""
        least = _PER_ATTRIBUTE * self.max_attributes
        return largest_part > (least if self.max_value_bytes is None else min(self.max_value_bytes, least))


@dataclass(slots=True)
class Cut:
    """How much was cut."""

    values: int = 0
    attributes: int = 0  # events and links, too

    def __bool__(self) -> bool:
        return bool(self.values or self.attributes)

    def sentence(self, limits: Limits) -> str:
        """Tell the sender."""
        said = []
        if self.values:
            said.append(
                f"{self.values} values of more than {limits.max_value_bytes} bytes were cut and marked: set "
                f"limits.max_value_bytes or limits.keep_long_values in tocsin.yaml to keep more"
            )
        if self.attributes:
            said.append(
                f"{self.attributes} attributes, events or links beyond the first {limits.max_attributes} of their span, "
                f"log record, resource or scope were dropped"
            )
        return "; ".join(said)


def trim(request: Message, limits: Limits) -> Cut:
    """Cut a request down to its limits, in place."""
    cut = Cut()
    _trim(request, limits, cut)
    return cut


def mark(limit: int | None) -> str:
    """What stands at the end of a text that was cut."""
    return f"…[cut at {limit} bytes]"


def _trim(message: Any, limits: Limits, cut: Cut) -> None:
    """Descend only into what is large enough to hold too much: the rest is as it should be."""
    for field, value in message.ListFields():
        if field.name in _DROPPED and len(value) > limits.max_attributes:
            dropped = len(value) - limits.max_attributes
            del value[limits.max_attributes :]
            counted = _DROPPED[field.name]
            setattr(message, counted, min(getattr(message, counted) + dropped, 0xFFFFFFFF))
            cut.attributes += dropped
        if field.type == FieldDescriptor.TYPE_STRING and not field.is_repeated:
            if limits.max_value_bytes is not None:
                _shorten(message, field.name, limits.max_value_bytes, limits, cut)
        elif field.message_type is not None and field.message_type.full_name == _VALUE:
            _trim_value(value, limits, cut)
        elif field.message_type is not None:
            members = value if field.is_repeated else (value,)
            is_looked_into = field.message_type.name in _NOT_MEASURED or len(members) <= _FEW
            for each in members:
                if is_looked_into or limits.may_exceed(each.ByteSize()):
                    _trim(each, limits, cut)


def _trim_value(value: Any, limits: Limits, cut: Cut) -> None:
    room, which = limits.max_value_bytes, value.WhichOneof("value")
    if room is None:
        return
    if which in {"string_value", "bytes_value"}:
        _shorten(value, which, room, limits, cut)
    elif which in {"array_value", "kvlist_value"}:
        _fit(value, room, limits, cut)


def _fit(value: Any, room: int, limits: Limits, cut: Cut) -> None:
    """Make one value fit: a text loses its end, a list or map its last members, and the one that no longer fits its end."""
    which = value.WhichOneof("value")
    if which is None or value.ByteSize() <= room + _FRAME:
        return
    if which in {"string_value", "bytes_value"}:
        _shorten(value, which, room, limits, cut)
        return
    members = getattr(value, which).values
    left = room - 4 * _MARK_BYTES
    kept = 0
    for member in members:  # of millions, only those that fit are looked at
        size = member.ByteSize() + _FRAME
        if size > left:
            inner = member if which == "array_value" else member.value
            room_inside = left - (size - inner.ByteSize()) - _FRAME
            if room_inside > 4 * _MARK_BYTES:
                _fit(inner, room_inside, limits, cut)
                kept += 1
            break
        left -= size
        kept += 1
    if kept == len(members):
        return
    del members[kept:]
    cut.values += 1
    if which == "array_value":
        members.add().string_value = mark(limits.max_value_bytes)
    else:
        members.add(key=mark(limits.max_value_bytes))


def _shorten(message: Any, field: str, room: int, limits: Limits, cut: Cut) -> None:
    said = getattr(message, field)
    if len(said) * 4 <= room:
        return
    data = said[: room + 1].encode() if isinstance(said, str) else said  # a letter is a byte at least
    if len(data) <= room:
        return
    end = mark(limits.max_value_bytes)
    shorter = data[: max(0, room - len(end.encode()))]
    if isinstance(said, str):
        setattr(message, field, shorter.decode(errors="ignore") + end)
    else:
        setattr(message, field, shorter + end.encode())
    cut.values += 1
