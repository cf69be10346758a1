"""Redaction rules on texts, in this process: what they match becomes ``[redacted:NAME]``.

A text is read as it stands, without JSON's and the web's escapes, and without hidden characters and compatibility forms:
whichever way shows more is the one that is kept. Rules run until nothing changes, so redacting again changes nothing.
"""

import html
import json
import re
import time
import unicodedata
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Final
from urllib.parse import unquote

from tocsin_wire.redaction import KEPT_KEYS, Redaction

READ_AT_MOST: Final = 16_384  # characters: what no rule has read does not leave
_WINDOW: Final = (
    4_096  # characters that a host's rule is given at once, in overlapping pieces: time grows with their power
)
_OVERLAP: Final = 1_024
_BUDGET_NS: Final = 200_000_000  # CPU time of one rule on one text or window
_TIMED: Final = 256  # characters: shorter ones are not worth two looks at the clock
_STRIKES: Final = 3  # slow texts after which nothing is given to the rules any more
_ROUNDS: Final = 4
_SHORT: Final = 64  # characters: categories, which come again and again
_MARKED: Final = r"\[redacted:[a-z0-9-]{1,40}\]"
_JSON_ESCAPE: Final = re.compile(r'\\+(?:u[0-9a-fA-F]{4}|["\\/bfnrt])')
_HIDDEN: Final = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\ufff9-\ufffb\U000e0000-\U000e01ef]"
)
_NEVER_MATCHES: Final = re.compile(r"[A-Za-z_]{0,15}").fullmatch  # too short and plain for any shipped rule
# A local part is tried once where it starts, not again at each of its letters: 64 KB without an @ would take seconds.
_STARTS: Final = {"email": r"(?<![A-Za-z0-9._%+-])"}


class RuleTooSlow(ValueError):  # noqa: N818 - what it says is what is wrong
    """A rule took so long over a text that its content must go without it."""


class Rule:
    """One rule, compiled."""

    __slots__ = ("_fields", "_luhn", "_mark", "_pattern", "is_shipped", "name")

    def __init__(self, rule: Redaction, *, is_shipped: bool) -> None:
        start = _STARTS.get(rule.name, "") if is_shipped else ""
        # RE2's classes are ASCII's; what is taken out already is passed over.
        flags, body = _flags_in_front(rule.pattern.replace(r"\z", r"\Z"))
        self._pattern = re.compile(f"{flags}(?P<tocsin_mark>{_MARKED})|{start}(?:{body})", re.ASCII)
        self._mark = rule.replacement
        self._luhn = rule.luhn
        self._fields = rule.fields
        self.name = rule.name
        self.is_shipped = is_shipped

    def looks_at(self, key: str | None) -> bool:
        """Say whether texts under a key are its business; a text without a key is everybody's who names no fields."""
        if not self._fields:
            return key not in KEPT_KEYS
        return key is not None and any(
            key.startswith(field[:-1]) if field.endswith(".*") else key == field for field in self._fields
        )

    def __call__(self, text: str) -> str:
        """Take out every match."""
        if self.is_shipped or len(text) <= _WINDOW:
            with _Stopwatch(self.name, len(text)):
                return self._pattern.sub(self._replace, text)
        spans = sorted(span for start in range(0, len(text), _WINDOW - _OVERLAP) for span in self._spans(text, start))
        parts: list[str] = []
        done = 0
        for start, end in spans:
            if start >= done:
                parts += (text[done:start], self._mark)
            done = max(done, end)
        return "".join(parts) + text[done:]

    def _spans(self, text: str, start: int) -> list[tuple[int, int]]:
        """Find the matches in one window; one that its end cuts off goes on in the next."""
        with _Stopwatch(self.name, _WINDOW):
            return [
                match.span()
                for match in self._pattern.finditer(text, start, min(start + _WINDOW, len(text)))
                if self._replace(match) == self._mark
            ]

    def _replace(self, match: "re.Match[str]") -> str:
        found = match[0]
        if match["tocsin_mark"] or (self._luhn and not passes_luhn(found)):
            return found
        return self._mark


class _Stopwatch:
    """Says when a rule took too long. CPU time of this thread: waiting for the interpreter is not the rule's fault."""

    __slots__ = ("_began", "_length", "_name")

    def __init__(self, name: str, length: int) -> None:
        self._name = name
        self._length = length

    def __enter__(self) -> None:
        self._began = time.thread_time_ns() if self._length > _TIMED else 0

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None and self._began and time.thread_time_ns() - self._began > _BUDGET_NS:
            raise RuleTooSlow(
                f"expected the redaction {self._name} to read {self._length} characters in {_BUDGET_NS // 1_000_000} ms of "
                "CPU: make its repetitions exclude each other"
            )


class Redactor:
    """All rules of a policy."""

    def __init__(self, rules: Sequence[Redaction], shipped: Sequence[Redaction]) -> None:
        known = {rule.name: rule for rule in shipped}
        self._rules = [Rule(rule, is_shipped=known.get(rule.name) == rule) for rule in rules]
        self._only_shipped = all(rule.is_shipped for rule in self._rules)
        self._strikes = 0
        self._rules_of: Callable[[str | None], tuple[Rule, ...]] = lru_cache(4_096)(
            lambda key: tuple(rule for rule in self._rules if rule.looks_at(key))
        )
        self._short: Callable[[str, tuple[Rule, ...]], str] = lru_cache(8_192)(_every_way)

    def text(self, text: str, key: str | None = None) -> str:
        """Take out of one text what the rules that look at its key match.

        Raises:
            RuleTooSlow: the text must not leave at all.
        """
        if self._only_shipped and _NEVER_MATCHES(text):
            return text
        if len(text) > READ_AT_MOST:
            text = shortened(text, READ_AT_MOST - 64, f"…[cut at {READ_AT_MOST - 64} characters]")
        if self._strikes >= _STRIKES:
            raise RuleTooSlow(f"{_STRIKES} texts took a redaction rule too long: none is given to them any more")
        rules = self._rules_of(key)
        if not rules:
            return text
        try:
            return self._short(text, rules) if len(text) <= _SHORT else _every_way(text, rules)
        except RuleTooSlow:
            self._strikes += 1
            raise

    def number(self, number: float, key: str | None = None) -> float | str:
        """Take out a whole number that is as long as a card's."""
        written = str(int(number))
        after = self.text(written, key)
        return number if after == written else after


def shortened(text: str, limit: int, mark: str) -> str:
    """Cut a text to a limit, not within a redaction's mark, and say so."""
    kept = text[:limit]
    at = kept.rfind("[redacted:")
    return (kept[:at] if at >= 0 and "]" not in kept[at:] else kept) + mark


def _every_way(text: str, rules: tuple[Rule, ...]) -> str:
    """Read a text in every way that shows what it holds."""
    after = _settled(text, rules)
    for read in (_without_json, _without_web, _without_hidden):
        other = read(after)
        if other != after:
            seen = _settled(other, rules)
            if seen != other:
                after = seen
    return after


def _settled(text: str, rules: tuple[Rule, ...]) -> str:
    for _ in range(_ROUNDS):
        before = text
        for rule in rules:
            text = rule(text)
        if text == before:
            return text
    return text


def _without_json(text: str) -> str:
    """Undo JSON's escapes, also those of JSON within JSON; a text that is not JSON reads no worse."""
    if "\\" not in text:
        return text
    for _ in range(3):
        after = _JSON_ESCAPE.sub(_character, text)
        if after == text:
            break
        text = after
    return text


def _character(match: "re.Match[str]") -> str:
    written = match[0].lstrip("\\")
    if not written:
        return "\\"
    try:
        return str(json.loads(f'"\\{written}"'))
    except ValueError:
        return match[0]


def _without_web(text: str) -> str:
    """Undo what addresses and pages escape."""
    if "%" in text:
        text = unquote(text)
    return html.unescape(text) if "&" in text else text


def _without_hidden(text: str) -> str:
    """Read as a person does: full-width digits are digits, and nothing stands between them."""
    return text if text.isascii() else unicodedata.normalize("NFKC", _HIDDEN.sub("", text))


def _flags_in_front(pattern: str) -> tuple[str, str]:
    """Python wants a pattern's flags before everything else."""
    found = re.match(r"\(\?[aimsx]+\)", pattern)
    return (found[0], pattern[found.end() :]) if found else ("", pattern)


def passes_luhn(text: str) -> bool:
    """Tell a card's number by its check digit.

    Source:
        ISO/IEC 7812-1, annex B.
    """
    digits = [int(each) for each in reversed(text) if each in "0123456789"]
    return sum(sum(divmod(2 * digit, 10)) if place % 2 else digit for place, digit in enumerate(digits)) % 10 == 0


def is_whole_and_long(value: Any) -> bool:
    """Tell a number that could be a card's."""
    return (isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 10**12) or (
        isinstance(value, float) and 1e12 <= abs(value) < 9e18 and value.is_integer()
    )
