"""Content, made fit to leave: JSON is read, redacted string by string and written again; what is too long is cut and says so."""

import json
from collections.abc import Mapping
from typing import Any, Final

from tocsin._privacy.rules import READ_AT_MOST, Redactor, is_whole_and_long, shortened

_DEPTH: Final = 24  # lists within maps within lists; deeper is no message
_WITHIN: Final = 3  # JSON within a string of JSON: arguments of tools
_MARGIN: Final = 1_024  # characters beyond the cut that the rules see, so that nothing is cut in two before it is found


def cut_mark(limit: int) -> str:
    """What stands at the end of a text that was cut, as the collector says it."""
    return f"…[cut at {limit} characters]"


def fitting(value: Any, redactor: Redactor | None, limit: int, key: str | None = None) -> Any:
    """Redact a content attribute and cut its texts.

    Args:
        value: A text, JSON, or lists and maps of them.
        redactor: None: as it is.
        limit: Characters of the whole; JSON keeps its form, its last texts lose theirs.
        key: The attribute's.

    Raises:
        RuleTooSlow: it must not leave.
    """
    walk = _Walk(redactor, limit, key)
    return walk.text(value, 0) if isinstance(value, str) else walk.any(value, 0, 0)


class _Walk:
    """One content on its way out: its texts share what room there is."""

    def __init__(self, redactor: Redactor | None, limit: int, key: str | None) -> None:
        self._redactor = redactor
        self._limit = limit
        self._room = limit
        self._key = key

    def text(self, value: str, within: int) -> str:
        if value[:1] in '[{"' and within < _WITHIN and len(value) <= 4 * self._limit + _MARGIN:
            try:
                read = json.loads(value)
            except (ValueError, RecursionError):
                return self._plain(value)
            if isinstance(read, (list, dict, str)):
                after = json.dumps(self.any(read, within + 1, 0), ensure_ascii=False, separators=(",", ":"))
                # A match may reach across JSON's own signs; its texts have been read one by one already.
                is_read = self._redactor is None or len(after) > READ_AT_MOST - _MARGIN
                return after if is_read or self._redactor is None else self._redactor.text(after, self._key)
        return self._plain(value)

    def any(self, value: Any, within: int, depth: int) -> Any:
        if depth > _DEPTH:
            return cut_mark(self._limit)
        if isinstance(value, str):
            return self.text(value, within)
        if isinstance(value, Mapping):
            return {self._name(name): self.any(one, within, depth + 1) for name, one in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.any(one, within, depth + 1) for one in value]
        if self._redactor is None or value is None or isinstance(value, (bool, int, float)):
            return self._redactor.number(value, self._key) if self._redactor and is_whole_and_long(value) else value
        return cut_mark(0)  # bytes, or what nobody knows to read

    def _name(self, name: Any) -> str:
        return str(name) if self._redactor is None else self._redactor.text(str(name), self._key)

    def _plain(self, value: str) -> str:
        if value.endswith(cut_mark(self._limit)) and len(value) <= self._limit + len(cut_mark(self._limit)):
            seen = value  # it was cut before
            return seen if self._redactor is None else self._redactor.text(seen, self._key)
        is_long = len(value) > self._room
        if is_long:
            value = value[: self._room + _MARGIN]
        if self._redactor is not None:
            value = self._redactor.text(value, self._key)
        room, self._room = self._room, self._room - min(len(value), self._room)
        return shortened(value, room, cut_mark(self._limit)) if is_long else value
