"""Native blocks as a protocol revision wants them: Go's driver, and so Grafana, asks for one over HTTP.

The embedded engine writes revision 0. From revision 1 a block starts with its info, and from 54454 each column says
after its type whether it is serialised in a special way; the values themselves are the same.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from struct import unpack_from
from typing import Final

from tocsin_console.clickhouse_http.exceptions import NOT_IMPLEMENTED, QueryFailed
from tocsin_console.clickhouse_http.formats import varint

CUSTOM_SERIALIZATION: Final = 54_454
_BLOCK_INFO: Final = b"\x01\x00\x02\xff\xff\xff\xff\x00"  # no overflow row, no bucket
_FIXED: Final = {
    "Bool": 1, "Int8": 1, "UInt8": 1, "Enum8": 1, "Nothing": 1, "Int16": 2, "UInt16": 2, "Enum16": 2, "Date": 2,
    "BFloat16": 2, "Int32": 4, "UInt32": 4, "Float32": 4, "Date32": 4, "DateTime": 4, "Time": 4, "IPv4": 4,
    "Decimal32": 4, "Int64": 8, "UInt64": 8, "Float64": 8, "DateTime64": 8, "Time64": 8, "Decimal64": 8, "UUID": 16,
    "IPv6": 16, "Int128": 16, "UInt128": 16, "Decimal128": 16, "Point": 16, "Int256": 32, "UInt256": 32,
    "Decimal256": 32,
}  # fmt: skip
_WRITTEN_OUT: Final = {
    "Ring": "Array(Point)",
    "LineString": "Array(Point)",
    "Polygon": "Array(Array(Point))",
    "MultiLineString": "Array(Array(Point))",
    "MultiPolygon": "Array(Array(Array(Point)))",
}

_QUOTED: Final = re.compile(r"'(?:[^'\\]|\\.)*'|`(?:[^`\\]|\\.)*`")
_INDEX_SIZES: Final = (1, 2, 4, 8)
_HAS_KEYS: Final = 0x200

Skip = Callable[[bytes, int, int], int]  # data, place, rows → place behind them


def revised(data: bytes, revision: int) -> bytes:
    """Rewrite blocks of revision 0 for another one.

    Raises:
        QueryFailed: a column's values cannot be told from the next column's.
    """
    if not revision:
        return data
    pieces: list[bytes] = []
    at = 0
    while at < len(data):
        columns, after = varint(data, at)
        rows, after = varint(data, after)
        pieces += [_BLOCK_INFO, data[at:after]]
        at = after
        for _ in range(columns):
            start = at
            size, at = varint(data, at)
            at += size
            size, at = varint(data, at)
            kind = data[at : at + size].decode()
            at += size
            pieces.append(data[start:at])
            if revision >= CUSTOM_SERIALIZATION:
                pieces.append(b"\x00")
            start, at = at, _skip(kind)(data, at + _prefix_size(kind), rows) if rows else at
            pieces.append(data[start:at])
    return b"".join(pieces)


def _prefix_size(kind: str) -> int:
    """Eight bytes before a column's values for each dictionary in it."""
    return 8 * _QUOTED.sub("", kind).count("LowCardinality(")


@lru_cache(maxsize=1024)
def _skip(kind: str) -> Skip:
    name, _, rest = kind.partition("(")
    inner = _split(rest[:-1]) if rest else []
    size = 8 if name.startswith("Interval") else _FIXED.get(name)
    if size is not None:
        return _of_size(size)
    if name in _WRITTEN_OUT:
        return _skip(_WRITTEN_OUT[name])
    if name in _MADE:
        return _MADE[name](inner)
    raise QueryFailed(
        NOT_IMPLEMENTED, f"a column of type {kind[:80]} is not offered to this client: select it as toString(…)"
    )


def _of_size(size: int) -> Skip:
    return lambda _data, at, rows: at + size * rows


def _strings(data: bytes, at: int, rows: int) -> int:
    for _ in range(rows):
        size = data[at]
        if size < 0x80:
            at += 1 + size
        else:
            size, at = varint(data, at)
            at += size
    return at


def _in_turn(skips: list[Skip]) -> Skip:
    def skip(data: bytes, at: int, rows: int) -> int:
        for each in skips:
            at = each(data, at, rows)
        return at

    return skip


def _array(inner: Skip) -> Skip:
    def skip(data: bytes, at: int, rows: int) -> int:
        if not rows:
            return at
        at += 8 * rows
        return inner(data, at, int.from_bytes(data[at - 8 : at], "little"))

    return skip


def _split(text: str) -> list[str]:
    """Split a type's arguments at their commas, those of inner types and quoted names apart."""
    parts, depth, start, quote, position = [], 0, 0, "", 0
    while position < len(text):
        letter = text[position]
        if quote:
            if letter == "\\":
                position += 1
            elif letter == quote:
                quote = ""
        elif letter in "'`":
            quote = letter
        elif letter in "()":
            depth += 1 if letter == "(" else -1
        elif letter == "," and not depth:
            parts.append(text[start:position].strip())
            start = position + 1
        position += 1
    return [*parts, text[start:].strip()] if text.strip() else []


def _without_name(element: str) -> str:
    """Take the name off a tuple's element: ``a UInt8``, or a quoted name."""
    if element.startswith("`"):
        end, position = 0, 1
        while not end:
            if element[position] == "\\":
                position += 1
            elif element[position] == "`":
                end = position
            position += 1
        return element[end + 1 :].strip()
    head, space, tail = element.partition(" ")
    return tail if space and "(" not in head else element


def _dictionary(kind: str) -> Skip:
    match = re.fullmatch(r"Nullable\((.*)\)", kind)
    keys = _skip(match.group(1) if match else kind)  # the first key stands for NULL

    def skip(data: bytes, at: int, rows: int) -> int:
        if not rows:
            return at
        (flags,) = unpack_from("<Q", data, at)
        at += 8
        if flags & _HAS_KEYS:
            (count,) = unpack_from("<Q", data, at)
            at = keys(data, at + 8, count)
        return at + 8 + rows * int(_INDEX_SIZES[flags & 0xFF])

    return skip


def _decimal(digits: int) -> Skip:
    return _of_size(4 if digits <= 9 else 8 if digits <= 18 else 16 if digits <= 38 else 32)


def _columns(elements: list[str]) -> Skip:
    return _in_turn([_skip(_without_name(each)) for each in elements])


_MADE: Final[dict[str, Callable[[list[str]], Skip]]] = {
    "String": lambda _inner: _strings,
    "FixedString": lambda inner: _of_size(int(inner[0])),
    "LowCardinality": lambda inner: _dictionary(inner[0]),
    "Decimal": lambda inner: _decimal(int(inner[0])),
    "Nullable": lambda inner: _in_turn([_of_size(1), _skip(inner[0])]),
    "Array": lambda inner: _array(_skip(inner[0])),
    "Map": lambda inner: _array(_in_turn([_skip(each) for each in inner])),
    "Tuple": _columns,
    "Nested": lambda inner: _array(_columns(inner)),
    "SimpleAggregateFunction": lambda inner: _skip(inner[-1]),
}
