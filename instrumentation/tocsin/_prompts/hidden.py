"""Characters that a model reads and a person does not see. Pure."""

import re
from typing import Final

# Source: Unicode 15: Default_Ignorable_Code_Point, Bidi_Control, categories Cc and Cf; UTS 39 on their abuse.
_KINDS: Final = {
    "zero_width": "\u200b-\u200d\u2060-\u2064\u180e\u00ad\u034f\u115f\u1160\u3164\uffa0",
    "bidi": "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069",
    "tags": "\U000e0000-\U000e007f",
    "variation": "\ufe00-\ufe0f\U000e0100-\U000e01ef",
    "bom": "\ufeff\ufffe",
    "control": "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f",
}
_ANY: Final = re.compile(f"[{''.join(_KINDS.values())}]")
_CONTROL: Final = re.compile(f"[{_KINDS['control'][:-4]}]")
_EACH: Final = {name: re.compile(f"[{characters}]") for name, characters in _KINDS.items()}
# An emoji's own selector, and the joiner within a family of emoji, hide nothing.
_EMOJI: Final = re.compile(
    "[\u00a9\u00ae\u203c-\u3299\U0001f000-\U0001faff][\ufe0e\ufe0f]?(?:\u200d[\u2600-\u27bf\U0001f000-\U0001faff]\ufe0f?)*[\ufe0e\ufe0f]?"
)
# The non-joiner and joiner are letters' own business in these scripts.
_JOINING: Final = re.compile("(?<=[\u0600-\u06ff\u0900-\u0dff])[\u200c\u200d](?=[\u0600-\u06ff\u0900-\u0dff])")


def hidden(text: str) -> dict[str, int]:
    """Count hidden characters by kind: zero_width, bidi, tags, variation, bom, control. Kinds that are absent are left out."""
    if text.isascii():
        found = len(_CONTROL.findall(text))
        return {"control": found} if found else {}
    if not _ANY.search(text):
        return {}
    text = _JOINING.sub("", _EMOJI.sub("", text))
    seen = "".join(_ANY.findall(text))
    counts = {name: len(pattern.findall(seen)) for name, pattern in _EACH.items()}
    return {name: count for name, count in counts.items() if count}
