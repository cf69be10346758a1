"""Say where a protobuf message is damaged: the parser only says that it is. Pure, and used on refusals alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from tocsin_collector.spool.frames import TornFrame, read_varint

_VARINT, _FIXED64, _BYTES, _GROUP, _END_GROUP, _FIXED32 = 0, 1, 2, 3, 4, 5
_LABELS = {
    _VARINT: "a varint", _FIXED64: "8 bytes", _BYTES: "bytes", _GROUP: "a group", _END_GROUP: "a group's end",
    _FIXED32: "4 bytes",
}  # fmt: skip
_MAX_DEPTH = 100  # as the parser's own


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """The first place at which a message cannot be read."""

    path: str  # resource_spans[0].scope_spans[2]
    byte: int  # offset from the start of the request
    expected: str
    got: str

    def __str__(self) -> str:
        return f"expected {self.expected} in {self.path or 'the request'} at byte {self.byte}, got {self.got}"


class _Found(Exception):  # noqa: N818 - carries the answer up
    def __init__(self, damage: Damage) -> None:
        self.damage = damage


def find_damage(body: bytes, descriptor: Descriptor) -> Damage | None:
    """Walk a message as its descriptor says and return the first damage; None when the walk finds nothing wrong."""
    try:
        _walk(body, 0, len(body), descriptor, "", depth=0)
    except _Found as found:
        return found.damage
    return None


def _walk(body: bytes, position: int, end: int, descriptor: Descriptor, path: str, *, depth: int) -> None:
    if depth > _MAX_DEPTH:
        raise _Found(Damage(path=path, byte=position, expected=f"at most {_MAX_DEPTH} levels", got="more"))
    seen: dict[int, int] = {}
    fields: Mapping[int, Any] = descriptor.fields_by_number
    while position < end:
        key, after = _varint(body, position, end, path, "a field's number")
        number, wire_type = key >> 3, key & 7
        field = fields.get(number)
        if number == 0 or wire_type not in _LABELS or wire_type == _END_GROUP:
            got = f"number {number} of wire type {wire_type}"
            raise _Found(Damage(path=path, byte=position, expected="a field's number and a known wire type", got=got))
        name = _name(path, field, number, seen)
        start, position = _extent(body, key, after, end, name)
        if wire_type == _BYTES and field is not None:
            _look_inside(body, start, position, field, name, depth=depth)


def _look_inside(body: bytes, start: int, end: int, field: FieldDescriptor, name: str, *, depth: int) -> None:
    if field.message_type is not None:
        _walk(body, start, end, field.message_type, name, depth=depth + 1)
    elif field.type == FieldDescriptor.TYPE_STRING:
        try:
            body[start:end].decode()
        except UnicodeDecodeError as error:
            got = f"0x{body[start + error.start]:02x}"
            raise _Found(Damage(path=name, byte=start + error.start, expected="UTF-8 text", got=got)) from error


def _extent(body: bytes, key: int, position: int, end: int, name: str) -> tuple[int, int]:
    wire_type = key & 7
    if wire_type == _VARINT:
        return position, _varint(body, position, end, name, "a number")[1]
    if wire_type == _GROUP:
        return position, _after_group(body, key >> 3, position, end, name)
    size, start = {_FIXED64: 8, _FIXED32: 4}.get(wire_type, 0), position
    if wire_type == _BYTES:
        size, start = _varint(body, position, end, name, "a length")
    if start + size > end:
        raise _Found(Damage(path=name, byte=start, expected=f"{size} bytes", got=f"{end - start}"))
    return start, start + size


def _after_group(body: bytes, number: int, position: int, end: int, name: str) -> int:
    """Skip a group, nested ones included: nobody's telemetry has any, but they are legal in what is not known."""
    open_groups = [number]
    while open_groups:
        key, after = _varint(body, position, end, name, f"the end of group {open_groups[-1]}")
        if key & 7 == _END_GROUP:
            if key >> 3 != open_groups.pop():
                raise _Found(
                    Damage(path=name, byte=position, expected="the end of the open group", got=f"{key >> 3}'s")
                )
            position = after
        elif key & 7 == _GROUP:
            open_groups.append(key >> 3)
            position = after
        elif key & 7 in _LABELS and key >> 3:
            position = _extent(body, key, after, end, name)[1]
        else:
            raise _Found(Damage(path=name, byte=position, expected="a known wire type", got=str(key & 7)))
    return position


def _varint(body: bytes, position: int, end: int, path: str, what: str) -> tuple[int, int]:
    try:
        number, width = read_varint(body[position : min(end, position + 10)], 0)
    except TornFrame as error:
        raise _Found(Damage(path=path, byte=position, expected=what, got="bytes that end within it")) from error
    return number, position + width


def _name(path: str, field: Any, number: int, seen: dict[int, int]) -> str:
    index = seen.get(number, 0)
    seen[number] = index + 1
    label = f"field {number}" if field is None else field.name
    if field is not None and field.is_repeated:
        label = f"{label}[{index}]"
    return f"{path}.{label}" if path else label
