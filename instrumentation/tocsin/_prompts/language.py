"""Which language a text is in, guessed from its script, frequent words and telling letters. Pure, no model."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from functools import lru_cache
from typing import Final

UNDETERMINED: Final = "und"  # BCP 47's own word
_WORDS_READ: Final = 100
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
_TELLING: Final = frozenset("".join(_LETTERS.values()))
_CYRILLIC: Final = ("ru", "uk", "bg")
_FOREIGN_CYRILLIC: Final = frozenset("ђјљњћџўқғәөүұһӣӯҷ")  # of languages that are not ours to name
_PERSIAN: Final = frozenset("پچژگکی")
_URDU: Final = frozenset("ٹڈڑںے")


@lru_cache(1)
def vocabulary() -> dict[str, frozenset[str]]:
    """The frequent words of each language."""
    from tocsin._prompts.common_words import COMMON

    return {language: frozenset(words.split()) for language, words in COMMON.items()}


@lru_cache(2)
def _evidence(*, cyrillic: bool) -> dict[str, tuple[tuple[str, float], ...]]:
    """What each word, and each telling letter, says of each language: less, the more languages have it."""
    having: dict[str, list[str]] = {}
    for known in (vocabulary(), _LETTERS):
        for language, words in known.items():
            if (language in _CYRILLIC) == cyrillic:
                for word in words:
                    having.setdefault(word, []).append(language)
    return {
        word: tuple((language, _weight(word) / len(languages)) for language in dict.fromkeys(languages))
        for word, languages in having.items()
    }


def _weight(word: str) -> float:
    return 0.6 if len(word) == 1 else 1.0


def language(words: Sequence[str], scripts: dict[str, int], letters: AbstractSet[str]) -> str:  # noqa: PLR0911 - one line per script
    """Guess a text's language.

    Args:
        words: Its words in small letters; the first 100 are read.
        scripts: Its letters by script.
        letters: The different letters in it, small.

    Returns:
        An ISO 639-1 code; "und" when nothing speaks for one language clearly: names, numbers, code, or a language that is
        not among ours.
    """
    count = sum(scripts.values())
    if not count:
        return UNDETERMINED
    main = max(scripts, key=lambda name: scripts[name])
    if main in {"han", "kana"}:
        return "ja" if scripts.get("kana", 0) * 12 >= count else "zh"
    if scripts[main] * 2 < count:
        return UNDETERMINED
    if main in _BY_SCRIPT:
        return _BY_SCRIPT[main]
    if main == "arabic":
        return "ur" if letters & _URDU else "fa" if len(letters & _PERSIAN) > 1 else "ar"
    if main == "latin":
        return _by_words(words, letters, cyrillic=False)
    if main == "cyrillic" and not _FOREIGN_CYRILLIC & letters:
        return _by_words(words, letters, cyrillic=True)
    return UNDETERMINED


def _by_words(words: Sequence[str], letters: AbstractSet[str], *, cyrillic: bool) -> str:
    scores: dict[str, float] = {}
    said = _evidence(cyrillic=cyrillic)
    read = set(words[:_WORDS_READ])
    for word in said.keys() & (read | (_TELLING & letters)):
        for name, weight in said[word]:
            scores[name] = scores.get(name, 0.0) + weight
    ranked = sorted(((score, name) for name, score in scores.items()), reverse=True)
    if not ranked:
        return UNDETERMINED
    best, name = ranked[0]
    second = ranked[1][0] if len(ranked) > 1 else 0.0
    if best < _LEAST or best < _LEAST_PER_WORD * len(read) or best < _LEAD * second:
        return UNDETERMINED
    return name
