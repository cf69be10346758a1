"""OTLP/JSON → protobuf bytes, led by the messages' own descriptors.

As proto3's JSON mapping, but: trace and span ids are hexadecimal, enum values are numbers, and keys are lowerCamelCase only.
What is unknown is ignored. Source: OTLP specification, "JSON Protobuf Encoding".
"""

import base64
import binascii
import json
import math
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, Final, NoReturn, TypeAlias

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from tocsin_collector.errors import RequestRejected
from tocsin_collector.receive.requests import REQUESTS, Signal

_MAX_OBJECTS: Final = 200_000  # objects and lists: about half a second of work, some 5,000 spans; protobuf takes more
_MAX_DEPTH: Final = 100  # as protobuf's own parser
_IDS: Final = {"trace_id", "span_id", "parent_span_id"}
_LONGEST_SHOWN: Final = 60

_Path: TypeAlias = tuple[str | int, ...]
_Setter: TypeAlias = Callable[[Any, Any, _Path], None]


def encode(signal: Signal, text: bytes) -> bytes:
    """Give the protobuf bytes of an OTLP/JSON request.

    Raises:
        RequestRejected: it is no JSON, a value is not of its field's type, a key comes twice, or it nests too deeply.
    """
    objects = text.count(b"{") + text.count(b"[")
    if objects > _MAX_OBJECTS:
        raise RequestRejected(
            f"expected at most {_MAX_OBJECTS} objects and lists in one JSON request, got {objects}: "
            f"send smaller batches, or protobuf"
        )
    request = REQUESTS[signal]()
    _filling(signal).fill(request, _read(text), ())
    return bytes(request.SerializeToString())


def _read(text: bytes) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_members, parse_constant=_no_constant)
    except RecursionError as error:
        raise RequestRejected(f"expected JSON of at most {_MAX_DEPTH} levels, got more") from error
    except ValueError as error:  # not JSON, not UTF-8, or a number of thousands of digits
        raise RequestRejected(f"expected JSON, but: {error}") from error


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise RequestRejected(f"expected each key once in a JSON object, got {_shown(twice)} twice")
    return members


def _no_constant(name: str) -> NoReturn:
    raise RequestRejected(f'expected JSON, got {name}: write it as the string "{name}"')


class _Filling:
    """Fills messages of one type from JSON objects; what is nested is found once and kept."""

    def __init__(self, descriptor: Descriptor, known: dict[str, "_Filling"] | None = None) -> None:
        known = {} if known is None else known
        known[descriptor.full_name] = self
        self._setters: dict[str, _Setter] = {}
        for field in descriptor.fields:
            self._setters[field.json_name] = _setter(field, known)

    def fill(self, message: Any, said: Any, path: _Path) -> None:
        """Set what a JSON object says.

        Raises:
            RequestRejected: a value does not fit.
        """
        if not isinstance(said, dict):
            _refuse(path, "an object", said)
        if len(path) > 2 * _MAX_DEPTH:  # a list's index is a step of its own
            raise RequestRejected(f"expected JSON of at most {_MAX_DEPTH} levels, got more")
        setters = self._setters
        for key, value in said.items():
            setter = setters.get(key)
            if setter is not None and value is not None:
                setter(message, value, (*path, key))


@cache
def _filling(signal: Signal) -> _Filling:
    return _Filling(REQUESTS[signal].DESCRIPTOR)


def _setter(field: FieldDescriptor, known: dict[str, _Filling]) -> _Setter:
    name = field.name
    if field.message_type is not None:
        filling = known.get(field.message_type.full_name) or _Filling(field.message_type, known)
        if field.is_repeated:
            return _each(name, lambda target, said, path: filling.fill(target.add(), said, path))

        def inside(message: Any, said: Any, path: _Path) -> None:
            child = getattr(message, name)
            child.SetInParent()
            filling.fill(child, said, path)

        return inside
    read = _hex if name in _IDS else _READERS[field.cpp_type if field.type != FieldDescriptor.TYPE_BYTES else -1]
    low, high = _RANGES.get(field.type, (0, 0))

    def checked(said: Any, path: _Path) -> Any:
        value: Any = read(said, path)
        if high and not low <= value <= high:
            _refuse(path, f"a number from {low} to {high}", said)
        return value

    if field.is_repeated:
        return _each(name, lambda target, said, path: target.append(checked(said, path)))
    return lambda message, said, path: setattr(message, name, checked(said, path))


def _each(name: str, add: _Setter) -> _Setter:
    def every(message: Any, said: Any, path: _Path) -> None:
        if not isinstance(said, list):
            _refuse(path, "a list", said)
        target = getattr(message, name)
        for index, value in enumerate(said):
            add(target, value, (*path, index))

    return every


def _text(said: Any, path: _Path) -> str:
    if not isinstance(said, str):
        _refuse(path, "a string", said)
    if not said.isascii():
        try:
            said.encode()
        except UnicodeEncodeError:
            _refuse(path, "text without lone surrogates", said)
    return said


def _whole(said: Any, path: _Path) -> int:
    is_whole = (isinstance(said, int) and not isinstance(said, bool)) or (isinstance(said, float) and said.is_integer())
    is_digits = isinstance(said, str) and said.isascii() and said.removeprefix("-").isdigit() and len(said) <= 20
    if not is_whole and not is_digits:
        _refuse(path, "a whole number", said)
    return int(said)


def _double(said: Any, path: _Path) -> float:
    try:
        if isinstance(said, str):
            if said in {"NaN", "Infinity", "-Infinity"}:
                return float(said.replace("Infinity", "inf"))
            value = float(said)
        elif isinstance(said, bool):
            _refuse(path, "a number", said)
        else:
            value = float(said)
    except (TypeError, ValueError, OverflowError):
        _refuse(path, "a number", said)
    if not math.isfinite(value):
        _refuse(path, "a number that a double can hold", said)
    return value


def _bool(said: Any, path: _Path) -> bool:
    if not isinstance(said, bool):
        _refuse(path, "true or false", said)
    return said


def _hex(said: Any, path: _Path) -> bytes:
    try:
        return bytes.fromhex(_text(said, path))
    except ValueError:
        _refuse(path, "hexadecimal digits", said)


def _base64(said: Any, path: _Path) -> bytes:
    packed = _text(said, path).replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return base64.b64decode(packed + "=" * (-len(packed) % 4), validate=True)
    except (binascii.Error, ValueError):
        _refuse(path, "base64", said)


_READERS: Final[dict[int, Callable[[Any, _Path], Any]]] = {
    FieldDescriptor.CPPTYPE_INT32: _whole,
    FieldDescriptor.CPPTYPE_INT64: _whole,
    FieldDescriptor.CPPTYPE_UINT32: _whole,
    FieldDescriptor.CPPTYPE_UINT64: _whole,
    FieldDescriptor.CPPTYPE_ENUM: _whole,
    FieldDescriptor.CPPTYPE_DOUBLE: _double,
    FieldDescriptor.CPPTYPE_BOOL: _bool,
    FieldDescriptor.CPPTYPE_STRING: _text,
    -1: _base64,
}
_RANGES: Final[dict[int, tuple[int, int]]] = {
    FieldDescriptor.TYPE_INT32: (-(1 << 31), (1 << 31) - 1),
    FieldDescriptor.TYPE_ENUM: (-(1 << 31), (1 << 31) - 1),
    FieldDescriptor.TYPE_INT64: (-(1 << 63), (1 << 63) - 1),
    FieldDescriptor.TYPE_UINT32: (0, (1 << 32) - 1),
    FieldDescriptor.TYPE_FIXED32: (0, (1 << 32) - 1),
    FieldDescriptor.TYPE_UINT64: (0, (1 << 64) - 1),
    FieldDescriptor.TYPE_FIXED64: (0, (1 << 64) - 1),
}


def _refuse(path: Sequence[str | int], expected: str, said: Any) -> NoReturn:
    place = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).lstrip(".")
    raise RequestRejected(f"expected {expected} in {place[-500:] or 'the request'}, got {_shown(said)}")


def _shown(said: Any) -> str:
    if isinstance(said, dict | list):
        return "an object" if isinstance(said, dict) else "a list"
    try:
        text = json.dumps(said)
    except ValueError:  # thousands of digits
        return "a number"
    return text if len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN] + "…"
