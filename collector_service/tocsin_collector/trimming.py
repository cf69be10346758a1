"""What is too much in a request is cut, marked and counted; the rest is stored. Works on any OTLP message.

Cutting says the same for the same request, so that a retry of it has the same bytes and is recognised.
"""

from dataclasses import dataclass
from typing import Any, Final

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

_VALUE: Final = "opentelemetry.proto.common.v1.AnyValue"
_PER_ATTRIBUTE: Final = 2  # bytes that an attribute takes at least


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
    attributes: int = 0

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
                f"{self.attributes} attributes beyond the first {limits.max_attributes} of their span, log record, "
                f"resource or scope were dropped"
            )
        return "; ".join(said)


def trim(request: Message, limits: Limits) -> Cut:
    """Cut a request down to its limits, in place."""
    cut = Cut()
    _trim(request, limits, cut)
    return cut


def mark(limit: int) -> str:
    """What stands at the end of a text that was cut."""
    return f"…[cut at {limit} bytes]"


def _trim(message: Any, limits: Limits, cut: Cut) -> None:
    """Descend only into what is large enough to hold too much: the rest is as it should be."""
    if message.DESCRIPTOR.full_name == _VALUE:
        _trim_value(message, limits, cut)
        return
    for field, value in message.ListFields():
        if field.name == "attributes" and len(value) > limits.max_attributes:
            dropped = len(value) - limits.max_attributes
            del value[limits.max_attributes :]
            message.dropped_attributes_count = min(message.dropped_attributes_count + dropped, 0xFFFFFFFF)
            cut.attributes += dropped
        if field.type == FieldDescriptor.TYPE_STRING and not field.is_repeated:
            _shorten(message, field.name, limits, cut)
        elif field.message_type is not None:
            for each in value if field.is_repeated else (value,):
                if limits.may_exceed(each.ByteSize()):
                    _trim(each, limits, cut)


def _trim_value(value: Any, limits: Limits, cut: Cut) -> None:
    limit, which = limits.max_value_bytes, value.WhichOneof("value")
    if limit is None or which is None or value.ByteSize() <= limit:
        return
    if which in {"string_value", "bytes_value"}:
        _shorten(value, which, limits, cut)
        return
    members = getattr(value, which).values
    for member in members:  # first the long texts inside, then, if it is still too much, whole members from the end
        _trim(member, limits, cut)
    if value.ByteSize() <= limit:
        return
    cut.values += 1
    room = limit - len(mark(limit).encode()) - 32
    kept = 0
    for member in members:
        room -= member.ByteSize() + 4
        if room < 0:
            break
        kept += 1
    del members[kept:]
    if which == "array_value":
        members.add().string_value = mark(limit)
    else:
        members.add(key=mark(limit))


def _shorten(message: Any, field: str, limits: Limits, cut: Cut) -> None:
    limit, said = limits.max_value_bytes, getattr(message, field)
    if limit is None or len(said) * 4 <= limit:
        return
    data = said.encode() if isinstance(said, str) else said
    if len(data) <= limit:
        return
    end = mark(limit)
    shorter = data[: max(0, limit - len(end.encode()))]
    if isinstance(said, str):
        setattr(message, field, shorter.decode(errors="ignore") + end)
    else:
        setattr(message, field, shorter + end.encode())
    cut.values += 1
