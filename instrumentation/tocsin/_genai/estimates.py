"""How many tokens a text has, where nobody says. Pure."""

from typing import Any, Final

_CHARS_PER_TOKEN: Final = 4  # of English, by OpenAI's and Anthropic's own rules of thumb
_BYTES_PER_TOKEN: Final = 3  # of other scripts: few have a token of their own
_MOST_CHARS: Final = 4_000_000


def tokens_of(text: str) -> int:
    """Estimate the tokens of a text: one per four characters of ASCII, per three bytes of all others, at least one."""
    if not text:
        return 0
    if text.isascii():
        return max(1, round(len(text) / _CHARS_PER_TOKEN))
    wide = sum(len(letter.encode("utf-8", "replace")) for letter in text[:_MOST_CHARS] if not letter.isascii())
    narrow = sum(letter.isascii() for letter in text[:_MOST_CHARS])
    return max(1, round(narrow / _CHARS_PER_TOKEN + wide / _BYTES_PER_TOKEN))


def prompt_tokens(messages: Any) -> int:
    """Estimate the tokens of a prompt in whatever form a client takes it."""
    from tocsin._prompts.messages import each

    return sum(tokens_of(text) for _, text in each(messages))
