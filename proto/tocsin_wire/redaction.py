"""What is taken out of texts: a pattern, by a name that stands in its place. The same words in a service and in the collector."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_MAX_PATTERN: Final = 1_000  # characters; the engine compiles it for every segment
_MAX_REPEAT: Final = 1_000  # RE2's own limit

# What Python reads and RE2, which the collector's engine runs, does not. RE2 gives it up to promise linear time on any text.
_NOT_IN_RE2: Final = (
    (re.compile(r"\(\?<?[=!]"), "looks ahead or behind"),
    (re.compile(r"\(\?P=|\\[1-9]"), "refers back to a group"),
    (re.compile(r"\(\?>|[*+?}]\+"), "is possessive"),
    (re.compile(r"\(\?\("), "has a condition"),
    (re.compile(r"\(\?#"), "has a comment"),
    (re.compile(r"\\Z"), r"ends with \Z (write \z)"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Redaction:
    """One rule: every match becomes ``[redacted:NAME]``."""

    name: str
    pattern: str  # as RE2 reads it
    luhn: bool = False  # only matches whose digits pass the Luhn check: card numbers, not order numbers
    # Attribute keys that it looks at, exact or as `prefix.*`; none: every text, those without a key included
    # (span and log bodies, status messages, outcomes' comments).
    fields: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(
                f"expected a redaction's name of small letters, digits and dashes, at most 40, got {self.name!r}"
            )
        if not self.pattern or len(self.pattern) > _MAX_PATTERN:
            raise ValueError(
                f"expected a pattern of 1 to {_MAX_PATTERN} characters in {self.name}, got {len(self.pattern)}"
            )
        _check_pattern(self.name, self.pattern)
        for field in self.fields:
            if not field or "*" in field.removesuffix(".*"):
                raise ValueError(f"expected a field of {self.name} as an attribute's key or as prefix.*, got {field!r}")

    @property
    def replacement(self) -> str:
        """What stands in the place of a match."""
        return f"[redacted:{self.name}]"


def _check_pattern(name: str, pattern: str) -> None:
    bare = re.sub(r"\[\^?\]?[^\]]*\]", "x", re.sub(r"\\[^1-9Z]", "x", pattern))  # without what stands for itself
    for construct, what in _NOT_IN_RE2:
        if construct.search(bare):
            raise ValueError(f"expected a pattern that RE2 reads in {name}, but it {what}: {pattern}")
    readable = pattern.replace(r"\z", r"\Z")
    try:
        matches_nothing = re.compile(readable).match("") is not None
    except re.error as error:
        raise ValueError(f"expected a regular expression in {name}, but {error}: {pattern}") from error
    if matches_nothing:
        raise ValueError(
            f"expected a pattern that matches some text in {name}, but it matches the empty one: {pattern}"
        )
    if any(int(most or least) > _MAX_REPEAT for least, most in re.findall(r"\{(\d+)(?:,(\d*))?\}", bare)):
        raise ValueError(f"expected at most {_MAX_REPEAT} repetitions in {name}: {pattern}")


# What joins rows and orders them is no text: a rule without fields leaves it alone, one that names it does not.
KEPT_KEYS: Final = (
    "gen_ai.response.id",
    "service.name",
    "tocsin.call.id",
    "tocsin.call.key",
    "tocsin.retry_of",
    "tocsin.use_case",
)

# Shipped rules, by the name under which tocsin.yaml and `tocsin.init` list them. They err on the side of taking out.
PRESETS: Final[Mapping[str, Redaction]] = {
    rule.name: rule
    for rule in (
        Redaction(name="card-number", pattern=r"\b[0-9](?:[ -]?[0-9]){12,18}\b", luhn=True),
        Redaction(name="email", pattern=r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}"),
        Redaction(name="iban", pattern=r"\b[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b"),
        Redaction(name="us-ssn", pattern=r"\b(?:[0-578][0-9]{2}|6[0-57-9][0-9]|66[0-57-9])-[0-9]{2}-[0-9]{4}\b"),
        Redaction(name="bearer-token", pattern=r"(?i)\bbearer\s+[a-z0-9._~+/-]{16,}=*"),
        Redaction(
            name="api-key",
            pattern=r"\b(?:sk-[A-Za-z0-9_-]{20,}|(?:sk|pk|rk)_(?:live|test)_[A-Za-z0-9]{16,}|gh[pousr]_[A-Za-z0-9]{36,}"
            r"|xox[abprs]-[A-Za-z0-9-]{10,}|AKIA[0-9A-Z]{16}|AIza[0-9A-Za-z_-]{35}|tk_[0-9a-f]+_[A-Za-z0-9_-]{40,}"
            r"|eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,})",
        ),
        Redaction(
            name="private-key",
            pattern=r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[A-Za-z0-9+/=:,\\\s-]*?(?:-----END [A-Z ]{0,30}PRIVATE KEY-----|\z)",
        ),
        # With a country's code, a trunk zero, or as in North America: a bare row of digits is an order as often as a telephone.
        Redaction(
            name="phone",
            pattern=r"(?:\+|\b00)[1-9][0-9]{0,2}[ ./-]?(?:\([0-9]{1,4}\)[ ./-]?)?[0-9](?:[ ./-]?[0-9]){5,12}\b"
            r"|\b0[1-9][0-9]{1,4}[ /-][0-9](?:[ -]?[0-9]){4,9}\b"
            r"|(?:\([2-9][0-9]{2}\) ?|\b[2-9][0-9]{2}[ .-])[2-9][0-9]{2}[ .-][0-9]{4}\b",
        ),
        Redaction(
            name="ip-address",
            pattern=r"\b(?:(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])\.){3}(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])\b"
            r"|\b(?:[0-9A-Fa-f]{1,4}:){7}[0-9A-Fa-f]{1,4}\b"
            r"|\b(?:[0-9A-Fa-f]{1,4}:){1,6}(?::[0-9A-Fa-f]{1,4}){1,6}\b",
        ),
    )
}
