# ruff: noqa: RUF001, RUF002 - letters that look alike are the matter here
"""Which writing systems a text mixes. Pure."""

import re
from collections import Counter
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

# Ranges of the scripts that people write prompts in; what is in none of them and a letter is "other".
# Source: Unicode 15, Blocks.txt and Scripts.txt, blocks only.
_RANGES: Final = {
    "latin": "A-Za-zªºÀ-ÖØ-öø-ʸḀ-ỿⱠ-ⱿꜢ-ꟿＡ-Ｚａ-ｚ\u0300-\u036f",
    "cyrillic": "Ѐ-ԯᲀ-ᲈⷠ-ⷿꙀ-ꚟ",
    "greek": "Ͱ-Ͽἀ-῾",
    "arabic": "\u0600-\u0605\u0608-\u060b\u060d-\u061a\u061d-\u065f\u066a-\u06ef\u06fa-\u077f\u08a0-\u08ff\ufb50-\ufdff\ufe70-\ufefc",
    "hebrew": "\u0590-\u05ff\ufb1d-\ufb4f",
    "devanagari": "\u0900-\u0963\u0970-\u097f",
    "thai": "\u0e01-\u0e3a\u0e40-\u0e4e",
    "hangul": "\u1100-\u11ff\u3130-\u318f\uac00-\ud7af",
    "kana": "\u3041-\u309f\u30a1-\u30fa\u30fc-\u30ff\uff66-\uff9d",
    "han": "\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0002fa1f",
    "indic": "\u0980-\u0dff",
    "armenian": "\u0530-\u058f",
    "georgian": "\u10a0-\u10ff\u1c90-\u1cbf",
}
_SCRIPT: Final = {name: re.compile(f"[{ranges}]").match for name, ranges in _RANGES.items()}
_WORDS: Final = re.compile(r"[^\W\d_]{2,}")
_ASCII: Final = re.compile(r"[A-Za-z]+")
# In one word these belong together: Japanese, and Korean with Chinese characters.
_FAMILY: Final = {"kana": "han", "hangul": "han"}


@lru_cache(16_384)
def script_of(character: str) -> str:
    """Name a letter's script; empty for what is no letter."""
    for name, matches in _SCRIPT.items():
        if matches(character):
            return name
    return "other" if character.isalpha() else ""


def scripts(text: str) -> dict[str, int]:
    """Count a text's letters by script."""
    if text.isascii():
        letters = sum(map(len, _ASCII.findall(text)))
        return {"latin": letters} if letters else {}
    counts: dict[str, int] = {}
    for character, count in Counter(text).items():
        name = script_of(character)
        if name:
            counts[name] = counts.get(name, 0) + count
    return counts


def mixed_words(text: str, by_script: Mapping[str, int]) -> int:
    """Count words whose letters come from scripts that no language mixes: "pаypal" with a Cyrillic а.

    Args:
        text: The text.
        by_script: What `scripts` says of it.
    """
    if len({_FAMILY.get(name, name) for name in by_script}) < 2:
        return 0
    found = 0
    for word in _WORDS.findall(text):
        if not word.isascii():
            names = {_FAMILY.get(name, name) for name in map(script_of, set(word)) if name}
            found += len(names) > 1
    return found
