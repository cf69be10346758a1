"""What is known of a use case this week in one line, signed so that nobody can make one up. Pure."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from html import escape
from typing import Any, Final, Literal, TypeAlias

from tocsin_alerts.plain import one_line

FRESH: Final = timedelta(days=2)  # an older evaluation says nothing of today
Shade: TypeAlias = Literal["right", "drifting", "wrong", "grey"]

_FILL: Final[dict[Shade, str]] = {"right": "#17692f", "drifting": "#8a5a00", "wrong": "#b3261e", "grey": "#5b626d"}
_SIGN: Final[dict[Shade, str]] = {"right": "✓", "drifting": "◢", "wrong": "✕", "grey": "?"}
_CHAR: Final = 6.6  # of 11 px; the text is stretched to it, whatever font there is
_MOST: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """One use case at one time."""

    project: str
    use_case: str
    at: str  # ISO, UTC: evaluated through
    shade: Shade
    words: str


def receipt(
    each: Mapping[str, Any], *, reviewed: int, minutes: float, needed: int, through: datetime | None, now: datetime
) -> Receipt:
    """Say how a use case stands.

    Args:
        each: As the book lists it.
        reviewed: Calls that people scored in the last seven days.
        minutes: That they and those who had its pages spent in them, as far as it was said.
        needed: Decisions that wait for somebody.
        through: Until when there are evaluations.
        now: The time of day, or of the data where that is the clock.
    """
    is_stale = through is None or now - through > FRESH
    quality, is_known = _quality(each)
    verdict = str(each["verdict"])
    shade: Shade = verdict if verdict in ("right", "drifting", "wrong") and is_known and not is_stale else "grey"  # type: ignore[assignment]
    parts = ["not evaluated for two days"] if is_stale else [quality]
    if shade == "grey" and not is_stale:
        parts.append(verdict)
    parts += [f"{reviewed} reviewed", f"{minutes:.0f} min this week"]
    parts.append(f"{needed} to decide" if needed else "nothing needed")
    return Receipt(
        project=str(each["project"]),
        use_case=str(each["use_case"]),
        at=through.isoformat() if through else "",
        shade=shade,
        words=", ".join(parts),
    )


def _quality(each: Mapping[str, Any]) -> tuple[str, bool]:
    for name, before in (("accuracy", ""), ("estimate", "estimated ")):
        sample = each[name]
        if sample and sample["value"] is not None:
            value, lower, upper = sample["value"], sample["lower"], sample["upper"]
            reach = "" if lower is None or upper is None else f" ± {max(upper - value, value - lower) * 100:.0f}"
            return f"{before}{value * 100:.0f} %{reach}", name == "accuracy"
    return "no quality known", False


def signed(said: Mapping[str, Any], key: bytes) -> str:
    """Write what is said as one part of an address, with a signature (HMAC-SHA256) over it."""
    body = _encode(json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode())
    return f"{body}.{_encode(_mac(body, key))}"


def verified(token: str, key: bytes) -> dict[str, Any] | None:
    """Read what was signed; None: it was not, or not by this key."""
    body, _, mac = token.partition(".")
    try:
        if not hmac.compare_digest(_decode(mac), _mac(body, key)):
            return None
        said = json.loads(_decode(body))
    except ValueError:
        return None
    return said if isinstance(said, dict) else None


def as_said(made: Receipt) -> dict[str, Any]:
    """Give a receipt as it is signed."""
    return asdict(made)


def badge(made: Receipt) -> str:
    """Draw it as SVG: the use case, and beside it what is known, in a colour that a sign says too."""
    name = one_line(made.use_case, limit=_MOST)
    left, right = name, f"{_SIGN[made.shade]} {made.words}"
    a, b = (round(len(text) * _CHAR + 14) for text in (left, right))
    title = escape(f"{name}: {made.words}")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{a + b}" height="22" role="img" aria-label="{title}"><title>{title}</title>'
        f'<rect width="{a + b}" height="22" rx="4" fill="#2b2f36"/><rect x="{a}" width="{b}" height="22" rx="4" fill="{_FILL[made.shade]}"/>'
        f'<rect x="{a}" width="6" height="22" fill="{_FILL[made.shade]}"/>'
        f'<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">'
        f'<text x="7" y="15" textLength="{a - 14}" lengthAdjust="spacingAndGlyphs">{escape(left)}</text>'
        f'<text x="{a + 7}" y="15" textLength="{b - 14}" lengthAdjust="spacingAndGlyphs">{escape(right)}</text></g></svg>'
    )


def _mac(body: str, key: bytes) -> bytes:
    return hmac.new(key, f"tocsin receipt 1\n{body}".encode(), hashlib.sha256).digest()


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
