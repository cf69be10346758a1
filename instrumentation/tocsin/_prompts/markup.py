"""How much of a text was pasted from somewhere: pages, documents, programs, encoded data. Pure."""

import re
from typing import Final

_FENCE: Final = re.compile(r"```[^\n]{0,40}\n.*?(?:```|\Z)", re.DOTALL)
_TAG: Final = re.compile(r"</?[A-Za-z!?][^<>\n]{0,300}>")
_URL: Final = re.compile(r"(?:https?|ftp|file)://[^\s<>\"')\]]{1,2000}|data:[a-z]+/[a-z0-9.+-]+;base64,", re.IGNORECASE)
_BASE64: Final = re.compile(r"(?<![A-Za-z0-9+/=_-])(?=[A-Za-z+/_-]{0,60}[0-9])[A-Za-z0-9+/_-]{40,}={0,2}")
_LEAST_ENCODED: Final = 40
_MARKDOWN: Final = re.compile(r"^(?:#{1,6} |[*+-] |>+ |\d{1,3}[.)] |\|.*\|[ \t]*$|[-*_]{3,}[ \t]*$)", re.MULTILINE)
_INLINE: Final = re.compile(r"\*\*[^*\n]{1,200}\*\*|\[[^\]\n]{1,200}\]\([^)\n]{1,500}\)|`[^`\n]{1,200}`")


def markup(text: str) -> dict[str, int]:
    """Count the characters of pasted markup by kind: code, html, url, base64, markdown. Each is counted once."""
    found: dict[str, int] = {}
    if "```" in text:
        text = _take(text, _FENCE, "code", found)
    if "://" in text or "data:" in text:
        text = _take(text, _URL, "url", found)
    if "<" in text and ">" in text:
        text = _take(text, _TAG, "html", found)
    if len(max(text.split(), key=len, default="")) >= _LEAST_ENCODED:
        text = _take(text, _BASE64, "base64", found)
    marks = sum(map(len, _MARKDOWN.findall(text)))
    if "**" in text or "`" in text or "](" in text:
        marks += sum(map(len, _INLINE.findall(text)))
    if marks:
        found["markdown"] = marks
    return found


def _take(text: str, pattern: "re.Pattern[str]", kind: str, found: dict[str, int]) -> str:
    rest = pattern.sub(" ", text)
    taken = len(text) - len(rest)
    if taken > 0:
        found[kind] = taken
        return rest
    return text
