"""What a Hugging Face pipeline returned, as labels, values, texts and confidences. Pure; told by the results' shape.

Source: transformers, "Pipelines" (the return values of each task's pipeline).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tocsin._calls import values
from tocsin._calls.values import add_flag
from tocsin._models.answers import CLASS_LIMIT, Answers

_NAMES: Final = ("label", "entity_group", "entity", "token_str")
_TEXTS: Final = ("generated_text", "summary_text", "translation_text", "answer", "text")
_SUM_ERROR: Final = 0.01  # of a row of probabilities; above it, its classes do not exclude each other
_LISTED: Final = 20  # things found that are named
TASKS: Final[Mapping[str, str]] = {
    "text-classification": "classification",
    "sentiment-analysis": "classification",
    "zero-shot-classification": "classification",
    "image-classification": "classification",
    "zero-shot-image-classification": "classification",
    "audio-classification": "classification",
    "zero-shot-audio-classification": "classification",
    "video-classification": "classification",
    "fill-mask": "classification",
    "text-generation": "generation",
    "text2text-generation": "generation",
    "summarization": "generation",
    "translation": "generation",
    "image-text-to-text": "generation",
    "image-to-text": "generation",
    "any-to-any": "generation",
    "text-to-audio": "generation",
}  # all others find something in what they are given: extraction


@dataclass(slots=True)
class _Row:
    label: str | None = None
    value: float | None = None
    text: str | None = None
    confidence: float | None = None
    chances: dict[str, float] | None = None
    is_multilabel: bool = False
    is_unread: bool = False


def read_results(results: Sequence[Any], given: Sequence[Any], task: str) -> Answers:
    """Read one result per row.

    Args:
        results: As the pipeline returned them.
        given: What each was made from, where it is known: a generated text begins with its prompt.
        task: classification, regression, generation or extraction.
    """
    rows = [_read(result, given[at] if at < len(given) else None, task) for at, result in enumerate(results)]
    answers = Answers()
    if any(row.label is not None for row in rows):
        answers.labels = [row.label or "" for row in rows]
    if any(row.value is not None for row in rows):
        answers.values = [float("nan") if row.value is None else row.value for row in rows]
    if any(row.text is not None for row in rows):
        answers.texts = [row.text or "" for row in rows]
    if any(row.confidence is not None for row in rows):
        answers.confidences = [row.confidence for row in rows]
    classes = list(rows[0].chances or ()) if rows else []
    if 1 < len(classes) <= CLASS_LIMIT and all(
        row.chances is not None and set(row.chances) == set(classes) for row in rows
    ):
        answers.classes = classes
        answers.probabilities = [[(row.chances or {})[name] for name in classes] for row in rows]
    if any(row.is_multilabel for row in rows):
        add_flag(answers.flags, "multilabel")
    if any(row.is_unread for row in rows):
        add_flag(answers.flags, "output_unread")
    return answers


def _read(result: Any, given: Any, task: str) -> _Row:  # noqa: PLR0911 - one line per shape
    if isinstance(result, Mapping):
        if isinstance(result.get("labels"), (list, tuple)) and isinstance(result.get("scores"), (list, tuple)):
            return _ranked(list(zip(result["labels"], result["scores"], strict=False)))
        return _read([result], given, task)
    if isinstance(result, (list, tuple)) and all(isinstance(one, Mapping) for one in result):
        if not result:
            return _Row(label="none") if task == "extraction" else _Row()
        named = next((name for name in _NAMES if name in result[0]), None)
        if named is not None and task == "regression":
            return _Row(value=_number(result[0].get("score")))
        if named is not None and task == "extraction":
            return _found(result, named)
        if named is not None:
            return _ranked([(one.get(named), one.get("score")) for one in result])
        words = next((name for name in _TEXTS if name in result[0]), None)
        if words is not None:
            return _Row(text=_said(result[0][words], given), confidence=_number(result[0].get("score")))
        return _Row(is_unread=True)
    if isinstance(result, (list, tuple)) and result and task == "generation":  # several answers to one prompt
        return _read(result[0], given, task)
    return _Row(is_unread=True)


def _number(written: Any) -> float | None:
    try:
        return values.finite(written)
    except (TypeError, ValueError):
        return None


def _ranked(pairs: Sequence[tuple[Any, Any]]) -> _Row:
    """Read classes and their scores: the likeliest is the answer."""
    known = {values.name(name, {}): score for name, written in pairs if (score := _number(written)) is not None}
    if not known:
        return _Row(is_unread=True)
    best = max(known, key=known.__getitem__)
    total = sum(known.values())
    is_multilabel = total > 1 + _SUM_ERROR and all(0 <= score <= 1 for score in known.values())
    is_whole = len(known) > 1 and abs(total - 1) <= _SUM_ERROR
    return _Row(label=best, confidence=known[best], chances=known if is_whole else None, is_multilabel=is_multilabel)


def _found(result: Sequence[Mapping[str, Any]], named: str) -> _Row:
    """Read things found: their kinds are the label, their words the text, and the least sure of them the confidence."""
    kinds = sorted({values.name(one.get(named), {}) for one in result})
    scores = [score for one in result if (score := _number(one.get("score"))) is not None]
    words = [f"{one.get('word')}: {one.get(named)}" for one in result[:_LISTED] if "word" in one]
    return _Row(label=", ".join(kinds[:_LISTED]), text="; ".join(words) or None, confidence=min(scores, default=None))


def _said(words: Any, given: Any) -> str:
    """Read generated text: of a conversation its last message, of a continuation what is new."""
    if isinstance(words, (list, tuple)):
        last = words[-1] if words else {}
        words = last.get("content", "") if isinstance(last, Mapping) else last
    written = words if isinstance(words, str) else values.label_text(words)
    if isinstance(given, str) and given and written.startswith(given):
        written = written[len(given) :]
    return written[: values.TEXT_LIMIT]
