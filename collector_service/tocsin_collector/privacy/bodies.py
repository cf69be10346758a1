"""Redaction rules on a request's own bytes, for the few that are kept as they came: dead letters. In Python, pure.

Rows are redacted in SQL while they are decoded; a request that cannot be decoded never gets there.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tocsin_collector.load.decoder import Kind
from tocsin_collector.privacy.redaction import KEPT_KEYS, Redaction
from tocsin_wire.v1.outcomes_pb2 import RecordOutcomesRequest

_MESSAGES: Final[dict[Kind, Any]] = {
    "traces": ExportTraceServiceRequest,
    "logs": ExportLogsServiceRequest,
    "outcomes": RecordOutcomesRequest,
}
_TEXTS: Final = frozenset(
    {"name", "message", "trace_state", "string_value", "event_name", "label", "author", "comment"}
)
_LEAST_CARD: Final = 10**12  # a whole number that could be a card's


def redacted_body(kind: Kind, body: bytes, rules: Sequence[Redaction]) -> bytes:
    """Write a request anew without what the rules take out; empty when it cannot be read to apply them."""
    if not rules:
        return body
    try:
        message = _MESSAGES[kind].FromString(body)
    except DecodeError:
        return b""
    message.DiscardUnknownFields()
    changed = [_change(*place, rules) for place in list(_texts(message, None))]
    return bytes(message.SerializeToString(deterministic=True)) if any(changed) else body


def redacted_text(text: str, key: str | None, rules: Sequence[Redaction]) -> str:
    """Take out of one text what the rules that look at its key match, in their order."""
    for rule in rules:
        if _looks(rule, key):
            text = _taken_out(text, rule)
    return text


def _texts(message: Any, key: str | None) -> Iterator[tuple[Any, str, str | None]]:
    """Find every text of a message: its holder, its field, and the attribute's key that it stands under."""
    is_pair = message.DESCRIPTOR.name == "KeyValue"
    key = message.key if is_pair and key is None else key
    for field, value in message.ListFields():
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            for name in value:
                yield value, name, name
        elif field.message_type is not None:
            for each in value if not hasattr(value, "ListFields") else (value,):
                yield from _texts(each, key)
        elif (field.name in _TEXTS and isinstance(value, str)) or (
            field.name == "int_value" and abs(value) >= _LEAST_CARD
        ):
            yield message, field.name, key


def _change(holder: Any, field: str, key: str | None, rules: Sequence[Redaction]) -> bool:
    is_map = not hasattr(holder, "DESCRIPTOR")
    before = str(holder[field] if is_map else getattr(holder, field))
    after = redacted_text(before, key, rules)
    if after == before:
        return False
    if is_map:
        holder[field] = after
    else:
        setattr(holder, "string_value" if field == "int_value" else field, after)
    return True


def _looks(rule: Redaction, key: str | None) -> bool:
    if not rule.fields:
        return key not in KEPT_KEYS
    return key is not None and any(
        key.startswith(field[:-1]) if field.endswith(".*") else key == field for field in rule.fields
    )


def _taken_out(text: str, rule: Redaction) -> str:
    pattern = re.compile(rule.pattern.replace(r"\z", r"\Z"), re.ASCII)  # RE2's classes are ASCII's
    if not rule.luhn:
        return pattern.sub(lambda _: rule.replacement, text)
    for found in [match[0] for match in pattern.finditer(text)]:
        if _passes_luhn(found):
            text = text.replace(found, rule.replacement)
    return text


def _passes_luhn(text: str) -> bool:
    """Source: ISO/IEC 7812-1, annex B."""
    digits = [int(each) for each in reversed(text) if each in "0123456789"]
    return sum(sum(divmod(2 * digit, 10)) if place % 2 else digit for place, digit in enumerate(digits)) % 10 == 0
