"""What may leave of one use case's calls. Applied to a span's attributes on the exporting thread, after prompt features."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from tocsin._calls.values import Scalar
from tocsin._privacy import keys as words
from tocsin._privacy.contents import fitting
from tocsin._privacy.hashing import hashed
from tocsin._privacy.picks import Pick, pick
from tocsin._privacy.rules import Redactor, is_whole_and_long
from tocsin._privacy.settings import Capture, Privacy
from tocsin._process.boundary import MISHAPS
from tocsin_wire import attributes as keys
from tocsin_wire.redaction import PRESETS

_MOST: Final = 14_336  # characters of a text that is no content
_LEAST_CARD: Final = 10**12  # a whole number that could be a card's
_KEPT: Final = 4_096  # keys whose kind is remembered
FAILED: Final = "redaction_failed"  # flag
UNSALTED: Final = "hash_unsalted"  # flag


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What may leave of one use case's calls."""

    capture: Capture  # off, features, redacted or full; "sampled" is features with shares
    redactor: Redactor
    review_share: float = 0.0
    example_share: float = 0.0
    hashed: frozenset[str] = frozenset()
    salt: bytes = b""
    max_chars: int = 8_192
    problem: str = ""
    _kinds: dict[str, str] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def made(cls, privacy: Privacy, capture: Capture) -> "Policy":
        """Make the policy of one way of capturing."""
        is_sampled = capture == "sampled"
        return cls(
            capture="features" if is_sampled else capture,
            redactor=Redactor(privacy.rules, tuple(PRESETS.values())),
            review_share=privacy.review_share if is_sampled else 0.0,
            example_share=privacy.example_share if is_sampled else 0.0,
            hashed=frozenset(privacy.hashed),
            salt=privacy.salt,
            max_chars=privacy.max_content_chars,
            problem=privacy.problem,
        )

    @property
    def wants_features(self) -> bool:
        """Whether features of inputs may leave."""
        return self.capture != "off" and not self.problem

    def pick(self, call_id: str) -> Pick | None:
        """Say whether this call's content is sent although content is not."""
        return pick(call_id, review_share=self.review_share, example_share=self.example_share)

    def may_keep_content(self, call_id: str) -> bool:
        """Say whether content of this call will leave at all: what will not need not be gathered."""
        return not self.problem and (self.capture in {"redacted", "full"} or self.pick(call_id) is not None)

    def apply(self, attributes: Mapping[str, Any], call_id: str = "") -> dict[str, Any]:
        """Return what may leave of a span's, event's or log record's attributes. Never raises.

        Should anything go wrong, only numbers and what names the call are left, with the flag ``redaction_failed``.
        """
        try:
            if self.problem:
                return bare(attributes)
            return self._applied(attributes, call_id)
        except Exception as error:
            MISHAPS.note("privacy", error)
            return bare(attributes)

    def text(self, text: str, key: str | None = None) -> str:
        """Return what may leave of a text that is no attribute: a status, a comment, a span's name. Never raises."""
        try:
            if self.problem:
                return ""
            return text if self.capture == "full" else self.redactor.text(text, key)
        except Exception as error:
            MISHAPS.note("privacy", error)
            return ""

    def value(self, key: str, value: Scalar) -> Scalar | None:
        """Return what may leave of one value under its key, None for nothing: as in `apply`. Never raises."""
        return self.apply({key: value}).get(key)

    def beside(self, attributes: Mapping[str, Any]) -> dict[str, Any]:
        """Return what may leave of attributes that are no call's: a resource's, a request's span's. Never raises.

        Names that mean content on a call's span mean nothing there, so nothing is left out for its name.
        """
        try:
            if self.problem:
                return bare(attributes)
            kept: dict[str, Any] = {}
            for key, value in attributes.items():
                self._add_beside(kept, key, value)
        except Exception as error:
            MISHAPS.note("privacy", error)
            return bare(attributes)
        return kept

    def error_text(self, text: str | None) -> str | None:
        """Return what may leave of an error's message: it may quote what was asked, so nothing with capture off."""
        return None if not text or self.capture == "off" else self.text(text) or None

    def comment(self, text: str, key: str) -> str:
        """Return what may leave of what somebody wrote about a call: nothing with capture off, else as content does."""
        try:
            if self.problem or self.capture == "off":
                return ""
            if key in self.hashed:
                return str(self.value(key, text) or "")
            redactor = None if self.capture == "full" else self.redactor
            return str(fitting(text, redactor, self.max_chars, key))
        except Exception as error:
            MISHAPS.note("privacy", error)
            return ""

    def _applied(self, attributes: Mapping[str, Any], call_id: str) -> dict[str, Any]:
        kept: dict[str, Any] = {}
        content: dict[str, Any] = {}
        is_unsalted = False
        for key, value in attributes.items():
            match self._kinds.get(key) or self._kind(key):
                case "structure":
                    kept[key] = value
                case "text":
                    self._add(kept, key, value)
                case "content":
                    content[key] = value
                case "hashed" if self.salt:
                    kept[key] = self._hashed(value)
                case "hashed":
                    is_unsalted = True
        if content:
            self._add_content(kept, content, call_id)
        if is_unsalted:
            _flag(kept, UNSALTED)
        return kept

    def _add_beside(self, kept: dict[str, Any], key: str, value: Any) -> None:
        match self._kinds.get(key) or self._kind(key):
            case "structure":
                kept[key] = value
            case "hashed":
                if self.salt:
                    kept[key] = self._hashed(value)
            case "left out":
                pass
            case _ if words.is_identity(key):
                kept[key] = value
            case _:
                self._add(kept, key, value)

    def _add(self, kept: dict[str, Any], key: str, value: Any) -> None:
        if self.capture == "full" or value is True or value is False:
            kept[key] = value
        else:
            kept[self.redactor.text(key)] = self._seen(value, key)

    def _add_content(self, kept: dict[str, Any], content: Mapping[str, Any], call_id: str) -> None:
        capture = self.capture
        if capture == "features" and (picked := self.pick(call_id)) is not None:
            capture = "redacted"
            kept[keys.REVIEW_PICK] = picked.reason
            kept[keys.REVIEW_SHARE] = picked.share
        if capture in {"redacted", "full"}:
            redactor = None if capture == "full" else self.redactor
            for key, value in content.items():
                kept[key] = fitting(value, redactor, self.max_chars, key)
        kept[keys.CAPTURE] = capture

    def _seen(self, value: Any, key: str) -> Any:
        """Redact a value that is no content: it leaves whatever it is, except what the rules match."""
        if type(value) is float and abs(value) < _LEAST_CARD:
            return value
        if isinstance(value, str):
            if value[:1] in '[{"' and len(value) > 2:
                # Structure is not cut for a text's length, but what no rule has read does not leave.
                return fitting(value, self.redactor, _MOST, key)
            return self.redactor.text(value, key)
        if isinstance(value, int) and -_LEAST_CARD < value < _LEAST_CARD:
            return value
        return fitting(value, self.redactor, self.max_chars, key)

    def _hashed(self, value: Any) -> Any:
        if isinstance(value, (list, tuple)):
            return [hashed(one, self.salt) for one in value]
        return hashed(value, self.salt)

    def _kind(self, key: str) -> str:
        if key in self.hashed or key.removeprefix(keys.INPUT_PREFIX) in self.hashed:
            kind = "hashed"
        elif words.is_structure(key):
            kind = "structure"
        elif words.is_content(key):
            kind = "content"
        elif key.startswith(keys.INPUT_PREFIX) or key == keys.NULL_INPUTS or words.is_error_text(key):
            kind = "left out" if self.capture == "off" else "text"
        else:
            kind = "text"
        if len(self._kinds) < _KEPT:
            self._kinds[key] = kind
        return kind


def bare(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Keep what cannot hold anybody's words: numbers, and what names the call and its place."""
    kept = {
        key: value
        for key, value in attributes.items()
        if words.is_structure(key)
        or key in _NAMES
        or (
            isinstance(value, (bool, int, float))
            and not is_whole_and_long(value)
            and not key.startswith(keys.INPUT_PREFIX)
        )
    }
    _flag(kept, FAILED)
    return kept


_NAMES: Final = frozenset(
    {keys.MODEL_NAME, keys.MODEL_VERSION, keys.PROMPT_HASH, keys.REQUEST_MODEL, keys.RESPONSE_MODEL}
)


def _flag(kept: dict[str, Any], flag: str) -> None:
    said = str(kept.get(keys.FLAGS, ""))
    if flag not in said.split(","):
        kept[keys.FLAGS] = f"{said},{flag}" if said else flag
