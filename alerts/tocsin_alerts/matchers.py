"""Matchers of alerts, as Alertmanager writes them: ``rule=latency``, ``segment!=x``, ``model_version=~7.*``. Pure.

A label that an alert does not have is empty. Patterns are matched against the whole value.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, TypeAlias

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

_SPELLED: Final = re.compile(r"\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*(=~|!~|!=|=)\s*(.*?)\s*", re.DOTALL)
_LONGEST: Final = 500
_NESTED: Final = re.compile(r"\([^()]*[*+}][^()]*\)\s*[*+{]")  # (a+)+ may take for ever
_NOBODY: Final = "\x00nobody\x00"


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition on one label."""

    label: str
    operator: str  # = != =~ !~
    value: str
    _pattern: "re.Pattern[str] | None" = field(default=None, repr=False, compare=False)

    @classmethod
    def parse(cls, text: str) -> "Matcher":
        """Read one.

        Raises:
            ValueError: it is none, or its pattern does not read or may take for ever.
        """
        found = _SPELLED.fullmatch(text)
        if found is None or len(text) > _LONGEST:
            raise ValueError(
                f"expected a matcher such as rule=latency, segment!=x or model_version=~7.*, got {text[:80]!r}"
            )
        label, operator, value = found.groups()
        if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
            value = value[1:-1]
        if "~" not in operator:
            return cls(label, operator, value)
        if _NESTED.search(value):
            raise ValueError(f"expected a pattern without a repetition of repetitions, got {value!r}")
        try:
            return cls(label, operator, value, re.compile(value, re.DOTALL))
        except re.error as error:
            raise ValueError(f"expected a regular expression, got {value!r}: {error}") from error

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether the labels of an alert meet it."""
        given = labels.get(self.label, "")
        same = given == self.value if self._pattern is None else self._pattern.fullmatch(given) is not None
        return same is not self.operator.startswith("!")

    @property
    def narrows(self) -> bool:
        """Whether it speaks of something in particular: neither of what has no such label nor of whatever there is."""
        return not any(self.matches({self.label: value}) for value in ("", _NOBODY))

    def __str__(self) -> str:
        return f"{self.label}{self.operator}{self.value}"


def parse_matcher(given: Any) -> Matcher:
    """Read a matcher of a YAML file.

    Raises:
        ValueError: it is none.
    """
    if isinstance(given, Matcher):
        return given
    return Matcher.parse(given if isinstance(given, str) else repr(given))


Matching: TypeAlias = Annotated[
    Matcher,
    BeforeValidator(parse_matcher),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "string", "examples": ["rule=latency", "segment!=x", "model_version=~7.*"]}),
]


def all_match(matchers: Iterable[Matcher], labels: Mapping[str, str]) -> bool:
    """Whether an alert meets every one of them; none is met by all alerts."""
    return all(each.matches(labels) for each in matchers)


def narrow(matchers: Sequence[Matcher]) -> bool:
    """Whether they speak of something in particular, beyond a project."""
    return any(each.narrows and each.label != "project" for each in matchers)


def matchable(*, project: str, use_case: str, rule: str, severity: str, labels: Mapping[str, str]) -> dict[str, str]:
    """Give what an alert is matched by: its own labels, which never replace the first four, and ``segment``, NAME=VALUE."""
    segment = f"{labels['segment_name']}={labels.get('segment_value', '')}" if labels.get("segment_name") else ""
    own = {"project": project, "use_case": use_case, "rule": rule, "severity": severity}
    return {"segment": segment, **labels, **own}
