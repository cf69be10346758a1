"""How a request's bytes are laid out, read off the bytes: cheaper than asking the parsed message. Pure.

Both of OTLP's requests have the same frame: resource_spans or resource_logs = 1; in each, resource = 1 and scope_spans
or scope_logs = 2; in each of those, scope = 1 and the items = 2.
"""

from typing import Final

from tocsin_collector.spool.frames import read_varint

_ITEM: Final = 0x12  # field 2, length-delimited: a scope, and a span or log record in a scope
_VARINT, _FIXED64, _BYTES, _GROUP, _END_GROUP, _FIXED32 = 0, 1, 2, 3, 4, 5
_LEVELS: Final = 3  # the request, a resource's spans, a scope's spans
_BIG: Final = 1024 * 1024  # below it, no request becomes more than 100 MB of objects
_MAX_SMALL: Final = 2_000_000  # in memory at most 350 MB; telemetry has about one in 50 bytes

# Maps a length-delimited field's tag to 1, a length or number below 8 to 0, all else to 2: a small message is then "\1\0".
_MARKS: Final = bytes(0 if byte < 8 else 1 if byte & 7 == _BYTES and byte < 0x80 else 2 for byte in range(256))


def is_crowded(body: bytes) -> bool:
    """Say whether so many empty or tiny messages are in a request that parsing it would exhaust memory.

    An empty span is two bytes on the wire and 174 in memory, so 64 MiB of them would be 5.6 GB.
    """
    return len(body) > _BIG and body.translate(_MARKS).count(b"\1\0") > _MAX_SMALL


def largest_part(body: bytes) -> int:
    """Give the size in bytes of the largest resource, scope, span or log record of a well-formed request."""
    return _largest(body, 0, len(body), _LEVELS)


def _largest(body: bytes, position: int, end: int, levels: int) -> int:
    largest = 0
    inside = 0x0A if levels == _LEVELS else _ITEM if levels > 1 else -1  # what is looked into at this level
    while position < end:
        tag = body[position]
        if tag & 7 != _BYTES or tag > 0x7F:
            tag, position = read_varint(body, position)
            if tag & 7 != _BYTES:
                position = _after(body, tag, position)
                continue
        else:
            position += 1
        size = body[position]
        position += 1
        if size > 0x7F:
            size, position = read_varint(body, position - 1)
        if tag == inside:
            largest = max(largest, _largest(body, position, position + size, levels - 1))
        elif size > largest:
            largest = size
        position += size
    return largest


def _after(body: bytes, tag: int, position: int) -> int:
    """Give the position after a field that is not length-delimited: no telemetry has one here, but unknown ones may be."""
    open_groups = 0
    while True:
        wire_type = tag & 7
        if wire_type == _VARINT:
            position = read_varint(body, position)[1]
        elif wire_type == _BYTES:
            size, position = read_varint(body, position)
            position += size
        elif wire_type in (_GROUP, _END_GROUP):
            open_groups += 1 if wire_type == _GROUP else -1
        else:
            position += 8 if wire_type == _FIXED64 else 4
        if not open_groups:
            return position
        tag, position = read_varint(body, position)
