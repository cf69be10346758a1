"""Which language a text is in, guessed from its script, frequent words and telling letters. Pure, no model."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

UNDETERMINED: Final = "und"  # BCP 47's own word
_WORDS_READ: Final = 160
_LEAST: Final = 0.9  # of evidence: one word that only one language has
_LEAST_PER_WORD: Final = 0.11
_LEAD: Final = 1.2  # of the best over the second

# A script that one language of ours has.
_BY_SCRIPT: Final = {
    "kana": "ja",
    "hangul": "ko",
    "thai": "th",
    "greek": "el",
    "hebrew": "he",
    "devanagari": "hi",
    "armenian": "hy",
    "georgian": "ka",
}
# Letters that tell; two languages may share one, and a stranger's name holds any of them once.
_LETTERS: Final = {
    "de": "äöüß",
    "fr": "çèêëîïôùûœàé",
    "es": "ñ¿¡íóáúé",
    "pt": "ãõçáéíóúâêô",
    "it": "òìùàè",
    "nl": "ĳë",
    "sv": "åäö",
    "da": "æøå",
    "no": "æøå",
    "fi": "äö",
    "pl": "ąćęłńśźżó",
    "cs": "čďěňřšťůžýáíé",
    "tr": "ğışçöüİ",
    "ro": "ăâîșțşţ",
    "hu": "őűáéíóöúü",
    "vi": "ăâđêôơưạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ",
    "ru": "ыэъё",
    "uk": "іїєґ",
    "bg": "ѝъ",
}
_CYRILLIC: Final = ("ru", "uk", "bg")
_FOREIGN_CYRILLIC: Final = frozenset("ђјљњћџўқғәөүұһӣӯҷ")  # of languages that are not ours to name
_PERSIAN: Final = frozenset("پچژگکی")
_URDU: Final = frozenset("ٹڈڑںے")


@lru_cache(1)
def vocabulary() -> dict[str, frozenset[str]]:
    """The frequent words of each language."""
    from tocsin._prompts.common_words import COMMON

    return {language: frozenset(words.split()) for language, words in COMMON.items()}


@lru_cache(1)
def _evidence() -> dict[str, tuple[tuple[str, float], ...]]:
    """What each word says of each language: less, the more languages have it."""
    having: dict[str, list[str]] = {}
    for language, words in vocabulary().items():
        for word in words:
            having.setdefault(word, []).append(language)
    return {
        word: tuple((language, _weight(word) / len(languages)) for language in languages)
        for word, languages in having.items()
    }


@lru_cache(1)
def _letter_evidence() -> dict[str, tuple[tuple[str, float], ...]]:
    having: dict[str, list[str]] = {}
    for language, letters in _LETTERS.items():
        for letter in letters:
            having.setdefault(letter, []).append(language)
    return {
        letter: tuple((language, 1.0 / len(languages)) for language in languages)
        for letter, languages in having.items()
    }


def _weight(word: str) -> float:
    return 0.6 if len(word) == 1 else 1.0


def language(words: Sequence[str], scripts: dict[str, int], text: str) -> str:  # noqa: PLR0911 - one line per script
    """Guess a text's language.

    Args:
        words: Its words in small letters; the first 160 are read.
        scripts: Its letters by script.
        text: The text, for its telling letters; a kilobyte is enough.

    Returns:
        An ISO 639-1 code; "und" when nothing speaks for one language clearly: names, numbers, code, or a language that is
        not among ours.
    """
    letters = sum(scripts.values())
    if not letters:
        return UNDETERMINED
    main = max(scripts, key=lambda name: scripts[name])
    if main in {"han", "kana"}:
        return "ja" if scripts.get("kana", 0) * 12 >= letters else "zh"
    if scripts[main] * 2 < letters:
        return UNDETERMINED
    if main in _BY_SCRIPT:
        return _BY_SCRIPT[main]
    if main == "arabic":
        seen = set(text)
        return "ur" if seen & _URDU else "fa" if len(seen & _PERSIAN) > 1 else "ar"
    if main == "latin":
        return _by_words(words, text, cyrillic=False)
    if main == "cyrillic" and not _FOREIGN_CYRILLIC & set(text.lower()):
        return _by_words(words, text, cyrillic=True)
    return UNDETERMINED


def _by_words(words: Sequence[str], text: str, *, cyrillic: bool) -> str:
    scores: dict[str, float] = {}
    said = _evidence()
    read = words[:_WORDS_READ]
    for word in read:
        for name, weight in said.get(word, ()):
            scores[name] = scores.get(name, 0.0) + weight
    if not text.isascii():
        told = _letter_evidence()
        for letter in set(text.lower()) & told.keys():
            for name, weight in told[letter]:
                scores[name] = scores.get(name, 0.0) + weight
    ranked = sorted(((score, name) for name, score in scores.items() if (name in _CYRILLIC) == cyrillic), reverse=True)
    if not ranked:
        return UNDETERMINED
    best, name = ranked[0]
    second = ranked[1][0] if len(ranked) > 1 else 0.0
    if best < _LEAST or best < _LEAST_PER_WORD * len(read) or best < _LEAD * second:
        return UNDETERMINED
    return name
