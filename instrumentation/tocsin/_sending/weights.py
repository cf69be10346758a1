"""About how many bytes a finished span keeps in memory while it waits."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from opentelemetry.sdk.trace import ReadableSpan

_SPAN: Final = 1_024  # with ids, context and a dozen numbers
_VALUE: Final = 64


def weight_of(span: ReadableSpan) -> int:
    """Weigh a span by its texts; never raises, and never reads what would have to be worked out."""
    try:
        record = getattr(span, "_call", None)
        if record is not None:
            deferred = record._deferred or ()  # noqa: SLF001 - a call and its span are one thing
            return _SPAN + _texts(record._said) + _texts(record._inputs) + sum(_given(one) for one in deferred)  # noqa: SLF001
        if getattr(span, "_rows", None) is not None:  # rows share their batch
            return _SPAN
        attributes = _SPAN + _texts(span.attributes or {})
        return attributes + sum(_VALUE + _texts(event.attributes or {}) for event in span.events)
    except Exception:
        return _SPAN


def _texts(values: Mapping[Any, Any]) -> int:
    return sum(len(value) if isinstance(value, (str, bytes)) else _VALUE for value in values.values())


def _given(deferred: Any) -> int:
    """Weigh the prompt that a function put off for later keeps."""
    messages = getattr(deferred, "_messages", None)
    if isinstance(messages, str):
        return len(messages)
    if not isinstance(messages, list):
        return _VALUE
    return sum(_message(one) for one in messages)


def _message(message: Any) -> int:
    if isinstance(message, str):
        return len(message)
    content = message.get("content") if isinstance(message, Mapping) else getattr(message, "content", None)
    if isinstance(content, Iterable) and not isinstance(content, (str, bytes)):
        return sum(_texts(part) if isinstance(part, Mapping) else _VALUE for part in content)
    return _VALUE + (len(content) if isinstance(content, (str, bytes)) else 0)
