# ruff: noqa: RUF001 - dashes and quotation marks as people type them
"""Input features of a prompt: numbers and words about it, none of its own words. Pure, bounded, at most 200 µs for 4 KB.

Measured of what is new in a prompt: all that came since the model last answered, without the developer's own part. Earlier
turns were measured when they were new.
"""

import re
from typing import Any, Final

from tocsin._calls.values import Scalar
from tocsin._prompts.hidden import hidden
from tocsin._prompts.language import language, vocabulary
from tocsin._prompts.markup import markup
from tocsin._prompts.messages import read
from tocsin._prompts.scripts import mixed_words, scripts
from tocsin._prompts.template import template_hash, without_template
from tocsin_wire.attributes import PROMPT_PREFIX

_SEARCHED: Final = 65_536  # characters in which hidden ones are looked for
# Characters of a longer text that are looked at, from its beginning, middle and end:
_COUNTED: Final = 4_096  # by which words are counted
_SAMPLE: Final = 2_048  # in which markup is looked for
_LETTERS_READ: Final = 512  # by which scripts, language and unknown words are told
_UNSPACED: Final = frozenset({"han", "kana", "thai"})  # scripts that put no space between words
_NO_LETTERS: Final[frozenset[str]] = frozenset()  # that tell anything
_PUNCTUATION: Final = str.maketrans(dict.fromkeys(map(ord, '.,;:!?()[]{}<>"“”„«»…/\\|=+*#`~^&%$€£@_–—¿¡'), " "))
_WORD: Final = re.compile(r"[^\W\d_]+(?:['’]\w+)?")
_TOKENS_PER: Final = {"latin": 0.25, "han": 0.9, "kana": 0.8, "hangul": 0.7}  # of a letter; others 0.45


def features(messages: Any, *, template: str | None = None, turn: int | None = None) -> dict[str, Scalar]:
    """Measure a prompt.

    Args:
        messages: A text, or messages in the form that a client takes them.
        template: What the developer wrote, with its ``{places}``; else the system messages.
        turn: Which turn of the conversation it is, from 1; else the user's messages are counted.

    Returns:
        ``tocsin.input.prompt.…``: see docs/instrumentation/prompts.md.
    """
    prompt = read(messages)
    new = without_template(prompt.new, template) if template else prompt.new
    sample, read_closely = _sampled(new, _SAMPLE), _sampled(new, _LETTERS_READ)
    found: dict[str, Scalar] = {"chars": len(new), "context_chars": prompt.chars, "turn": turn or prompt.turn}
    by_script = scripts(read_closely)
    found["tokens"] = _tokens(len(new), by_script, len(read_closely))
    if not _UNSPACED.intersection(by_script):
        counted = _sampled(new, _COUNTED)
        found["words"] = round(len(counted.split()) * (len(new) / len(counted) if counted else 0.0))
    _add_letters(found, by_script, read_closely)
    _add_hidden(found, new[:_SEARCHED])
    _add_markup(found, sample)
    written = template or prompt.system
    if written:
        found["template_hash"] = template_hash(written)
    return {PROMPT_PREFIX + name: value for name, value in found.items()}


def _add_letters(found: dict[str, Scalar], by_script: dict[str, int], text: str) -> None:
    words = [] if _UNSPACED.intersection(by_script) else _words(text)
    name = language(words, by_script, _NO_LETTERS if text.isascii() else set(text.lower()))
    found["language"] = name
    letters = sum(by_script.values())
    for script, count in by_script.items():
        found[f"script.{script}"] = round(count / letters, 3)
    found["mixed_script_words"] = mixed_words(text, by_script)
    known = vocabulary().get(name)
    if known and words:
        found["unknown_words"] = round(sum(word not in known for word in words) / len(words), 3)


def _add_hidden(found: dict[str, Scalar], text: str) -> None:
    kinds = hidden(text)
    found["hidden"] = sum(kinds.values())
    for kind, count in kinds.items():
        found[f"hidden.{kind}"] = count


def _add_markup(found: dict[str, Scalar], sample: str) -> None:
    kinds = markup(sample)
    length = len(sample) or 1
    found["markup"] = round(min(sum(kinds.values()) / length, 1.0), 3)
    for kind, count in kinds.items():
        found[f"markup.{kind}"] = round(min(count / length, 1.0), 3)


def _sampled(text: str, most: int) -> str:
    """Look at a long text's beginning, middle and end."""
    if len(text) <= most:
        return text
    piece = (most - 2) // 3
    middle = (len(text) - piece) // 2
    return f"{text[:piece]} {text[middle : middle + piece]} {text[-piece:]}"


def _words(text: str) -> list[str]:
    """Split into words, in small letters; what has a digit in it is no word."""
    if text.isascii():
        return [word.strip("'-") for word in text.translate(_PUNCTUATION).lower().split() if word[0].isalpha()]
    return [word.replace("’", "'") for word in _WORD.findall(text.lower())]


def _tokens(chars: int, by_script: dict[str, int], read: int) -> int:
    """Estimate tokens: a quarter of a Latin letter each, most of a Chinese character.

    Source:
        Measured rates of byte-pair vocabularies of 100,000 to 200,000 entries; wrong by a fifth either way.
    """
    if not chars:
        return 0
    letters = sum(by_script.values())
    others = max(read - letters, 0)
    weight = sum(_TOKENS_PER.get(script, 0.45) * count for script, count in by_script.items()) + 0.25 * others
    return max(1, round(chars * weight / max(read, 1)))
