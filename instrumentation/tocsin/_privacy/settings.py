"""What the host said about privacy: arguments first, then the environment, then defaults. Read once, by `init`."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, cast

from tocsin_wire.redaction import PRESETS, Redaction

Capture = Literal["off", "features", "sampled", "redacted", "full"]

_CAPTURES: Final = ("off", "features", "sampled", "redacted", "full")
_DEFAULT: Final = "default"
REVIEW_SHARE: Final = 0.02
EXAMPLE_SHARE: Final = 0.01
MAX_CONTENT_CHARS: Final = 8_192
_MOST_CONTENT_CHARS: Final = 14_336  # what the rules read, without the margin beyond a cut


@dataclass(frozen=True, slots=True, kw_only=True)
class Privacy:
    """What may leave this process, by use case."""

    capture: Capture = "sampled"  # features of every call, redacted content of the picked ones
    by_use_case: Mapping[str, Capture] = field(default_factory=dict)
    rules: tuple[Redaction, ...] = tuple(PRESETS.values())
    hashed: tuple[str, ...] = ()  # input fields or attribute keys whose values leave as keyed hashes
    salt: bytes = b""  # empty: what would be hashed is left out instead
    review_share: float = REVIEW_SHARE  # of calls under "sampled": their redacted content is sent for people to review
    example_share: float = EXAMPLE_SHARE  # the same, for an alert to show
    max_content_chars: int = MAX_CONTENT_CHARS  # of one text
    problem: str = ""  # what was wrong with the settings; then no text that might hold content leaves

    @classmethod
    def read(
        cls,
        environ: Mapping[str, str],
        *,
        capture: str | Mapping[str, str] | None = None,
        redact: Iterable[Any] = (),
        hashed: Iterable[str] | str = (),
        hash_salt: str | None = None,
        review_share: float | None = None,
        example_share: float | None = None,
        max_content_chars: int | None = None,
    ) -> "Privacy":
        """Fill in from the environment what the arguments leave open.

        What is wrong with it raises nothing, since a service must not run unmonitored for a slip in a pattern, nor
        send what it was told to take out: `problem` says it, and then texts stay in the process.
        """
        try:
            default, by_use_case = _captures(capture if capture is not None else environ.get("TOCSIN_CAPTURE", ""))
            return cls(
                capture=default,
                by_use_case=by_use_case,
                rules=_rules([*_listed(environ.get("TOCSIN_REDACT", "")), *redact]),
                hashed=tuple([hashed] if isinstance(hashed, str) else hashed)
                or tuple(_listed(environ.get("TOCSIN_HASH", ""))),
                salt=_secret(hash_salt, environ) if hash_salt else _salt_of(environ),
                review_share=_share("review_share", review_share, environ.get("TOCSIN_REVIEW_SHARE"), REVIEW_SHARE),
                example_share=_share(
                    "example_share", example_share, environ.get("TOCSIN_EXAMPLE_SHARE"), EXAMPLE_SHARE
                ),
                max_content_chars=_length(max_content_chars or environ.get("TOCSIN_MAX_CONTENT_CHARS")),
            )
        except Exception as error:
            return cls(capture="off", review_share=0.0, example_share=0.0, problem=f"{type(error).__name__}: {error}")


def _captures(said: str | Mapping[str, str]) -> tuple[Capture, dict[str, Capture]]:
    """Read ``redacted``, ``triage=full,default=features`` or the same as a mapping."""
    if isinstance(said, str):
        pairs = [(name.strip(), word.strip()) for name, _, word in (one.rpartition("=") for one in _listed(said))]
    else:
        pairs = [(str(name), str(word)) for name, word in said.items()]
    chosen = {name or _DEFAULT: _capture(word) for name, word in pairs}
    return chosen.pop(_DEFAULT, "sampled"), chosen


def _capture(word: str) -> Capture:
    if word not in _CAPTURES:
        raise ValueError(f"expected capture to be one of {', '.join(_CAPTURES)}, got {word!r}")
    return cast("Capture", word)


def _rules(given: Iterable[Any]) -> tuple[Redaction, ...]:
    """Put the host's rules beside the shipped ones: ``-name`` leaves a shipped one out."""
    chosen = dict(PRESETS)
    for one in given:
        if isinstance(one, str):
            name = one.removeprefix("-")
            if name not in PRESETS:
                raise ValueError(f"expected a shipped rule ({', '.join(PRESETS)}) or a (name, pattern), got {one!r}")
            if one.startswith("-"):
                chosen.pop(name, None)
            else:
                chosen[name] = PRESETS[name]
        else:
            rule = _rule(one)
            chosen[rule.name] = rule
    return tuple(chosen.values())


def _rule(given: Any) -> Redaction:
    from tocsin._privacy.probing import require_quick

    if isinstance(given, Redaction):
        rule = given
    elif isinstance(given, Mapping):
        rule = Redaction(**{**given, "fields": tuple(given.get("fields", ()))})
    else:
        name, pattern = given
        rule = Redaction(name=name, pattern=pattern)
    require_quick(rule)
    return rule


def _salt_of(environ: Mapping[str, str]) -> bytes:
    said = environ.get("TOCSIN_HASH_SALT", "").strip()
    if said.startswith(("env:", "file:")):
        return _secret(said, environ)
    return said.encode()


def _secret(reference: str, environ: Mapping[str, str]) -> bytes:
    kind, _, where = reference.partition(":")
    if kind == "env":
        secret = environ.get(where) or os.environ.get(where, "")
    elif kind == "file":
        secret = Path(where).read_text(encoding="utf-8").strip()
    else:
        raise ValueError("expected hash_salt as env:NAME or file:PATH, so that no secret stands in code")
    if not secret:
        raise ValueError(f"expected a salt in {reference}, found nothing")
    return secret.encode()


def _share(name: str, given: float | None, said: str | None, default: float) -> float:
    share = float(given if given is not None else said or default)
    if not 0 <= share <= 1:
        raise ValueError(f"expected {name} from 0 to 1, got {share}")
    return share


def _length(given: Any) -> int:
    length = int(given or MAX_CONTENT_CHARS)
    if not 1 <= length <= _MOST_CONTENT_CHARS:
        raise ValueError(f"expected max_content_chars from 1 to {_MOST_CONTENT_CHARS}, got {length}")
    return length


def _listed(written: str) -> list[str]:
    return [one.strip() for one in written.split(",") if one.strip()]
