"""What a model returned, as labels, values, probabilities and confidences."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from tocsin._calls import values
from tocsin._calls.values import Flags, add_flag
from tocsin._models.inputs import plain_array

CLASS_LIMIT: Final = 100  # probabilities of one call; of more classes only the label and confidence are kept
_SUM_ERROR: Final = 0.01  # of a row of probabilities; further off, its classes do not exclude each other


@dataclass(slots=True)
class Answers:
    """One entry per row, in row order; None where the model did not say."""

    labels: list[str] | None = None
    values: list[float] | None = None  # may hold NaN
    texts: list[str] | None = None
    classes: list[str] = field(default_factory=list)
    probabilities: list[list[float]] | None = None  # a row of probabilities per row, in the order of classes
    confidences: list[float | None] | None = None
    confidence_source: str = "proba"
    flags: Flags = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How a result is to be read."""

    answers_as: str  # probability, label, margin or value
    classes: Any = None  # the model's classes, in the order of its probabilities
    is_classifier: bool = False


def reading_of(method: str, answers_as: str, classes: Any, *, is_classifier: bool, is_margin: bool) -> Reading:
    """Say how to read what a method returned: as the model's own answers are, unless the method's name says it."""
    if is_margin or (method == "decision_function" and is_classifier):
        kind = "margin"
    elif method == "predict_proba" and answers_as != "margin":
        kind = "probability"
    else:
        kind = answers_as or ("label" if is_classifier else "value")
    return Reading(answers_as=kind, classes=classes, is_classifier=is_classifier)


def count_rows(result: Any) -> int:
    """Say how many rows a result answers."""
    first = _first(result) if isinstance(result, (list, tuple)) else result
    shape = getattr(first, "shape", None)  # a sparse matrix has no length
    if shape is not None:
        return int(shape[0]) if len(shape) else 1
    return len(first)


def keep_result(result: Any, chosen: Sequence[int] | None) -> Any:
    """Copy the recorded rows of a result, so that the host may change its own: an array, or one per output."""
    if isinstance(result, (list, tuple)):
        if _has_outputs(result):
            return [_keep(part, chosen) for part in result]
        result = _first(result)
    return _keep(result, chosen)


def _keep(part: Any, chosen: Sequence[int] | None) -> Any:
    import numpy as np

    if type(part) is np.ndarray:
        return part.copy() if chosen is None else part[np.asarray(chosen)]
    if hasattr(part, "tocsr"):
        rows = part.tocsr()
        return (rows if chosen is None else rows[np.asarray(chosen)]).toarray()
    array = plain_array(part)
    if chosen is not None:
        return array[np.asarray(chosen)]
    return array.copy() if array is part else array


def labels_of(result: Any, reading: Reading) -> Any:
    """Read the labels of a whole large batch as an array of anything countable; None when there are none to count by."""
    if reading.answers_as == "value" or _has_outputs(result) or hasattr(result, "tocsr"):
        return None
    array = plain_array(_first(result))
    if reading.answers_as == "label":
        return array if array.ndim == 1 else None
    if array.ndim == 1:
        return array > (0.5 if reading.answers_as == "probability" else 0.0)
    if array.ndim == 2 and array.shape[1] == 2:
        return array[:, 1] > array[:, 0]
    return array.argmax(axis=1) if array.ndim == 2 and array.shape[1] else None


def read_answers(kept: Any, reading: Reading) -> Answers:
    """Read what `keep_result` kept."""
    if isinstance(kept, list):
        return _read_outputs(kept)
    if kept.ndim == 2 and kept.shape[1] == 1 and reading.answers_as != "probability":
        kept = kept[:, 0]
    if reading.answers_as == "probability":
        return _read_probabilities(kept, reading)
    if reading.answers_as == "margin":
        return _read_margins(kept, reading)
    return _read_predictions(kept, is_classifier=reading.is_classifier)


def _has_outputs(result: Any) -> bool:
    """Tell one array of probabilities per output from rows."""
    return isinstance(result, list) and bool(result) and getattr(result[0], "ndim", 0) == 2


def _first(result: Any) -> Any:
    """Take the answers out of what came with them (``return_std=True``, one array per output)."""
    return result[0] if isinstance(result, tuple) or _has_outputs(result) else result


def _read_probabilities(array: Any, reading: Reading) -> Answers:
    import numpy as np

    if array.ndim == 1 or array.shape[1] == 1:  # of the second of two classes
        positive = array.reshape(-1)
        array = np.column_stack([1.0 - positive, positive])
    if array.ndim != 2:
        return _read_predictions(array, is_classifier=True)
    answers = Answers(classes=_names(reading.classes, array.shape[1]))
    sums = array.sum(axis=1)
    if np.isfinite(sums).all() and (np.abs(sums - 1.0) > _SUM_ERROR).any():
        return _read_independent(answers, array)
    best = array.argmax(axis=1)
    answers.labels = [answers.classes[at] for at in best.tolist()]
    answers.confidences = array.max(axis=1).tolist()
    if array.shape[1] <= CLASS_LIMIT:
        answers.probabilities = array.tolist()
    else:
        add_flag(answers.flags, f"probabilities_dropped:{array.shape[1]}")
    return answers


def _read_independent(answers: Answers, array: Any) -> Answers:
    """Read probabilities of classes that may hold together: the label names all that are likelier than not."""
    add_flag(answers.flags, "multilabel")
    names = answers.classes
    answers.labels = [
        f"[{', '.join(name for name, holds in zip(names, row, strict=True) if holds)}]"
        for row in (array > 0.5).tolist()
    ]
    answers.classes = []
    return answers


def _read_margins(array: Any, reading: Reading) -> Answers:
    import numpy as np

    classes = reading.classes
    if array.ndim == 2 and array.shape[1] > 1:
        if classes is None or len(classes) == array.shape[1]:
            names = _names(classes, array.shape[1])
            return Answers(labels=[names[at] for at in array.argmax(axis=1).tolist()])
        return _read_predictions(array, is_classifier=True)
    if array.ndim == 1 and reading.is_classifier and (classes is None or len(classes) == 2):
        names = _names(classes, 2)
        distance = np.minimum(np.abs(array.astype(float)), 700.0)  # exp overflows beyond
        # Not a probability: a monotone reading of the margin, and labelled so.
        return Answers(
            labels=[names[int(positive)] for positive in (array > 0).tolist()],
            confidences=(1.0 / (1.0 + np.exp(-distance))).tolist(),
            confidence_source="margin",
        )
    if not reading.is_classifier:  # before the link function: not on the scale of the answers
        return Answers(flags={"raw_margin": None})
    return _read_predictions(array, is_classifier=array.ndim > 1)


def _read_predictions(array: Any, *, is_classifier: bool) -> Answers:
    if array.ndim > 1 and not is_classifier and array.dtype.kind in "fiu":  # quantiles, several targets
        return Answers(flags={f"outputs:{array.shape[1]}": None})
    if array.ndim > 1:  # several outputs a row: one label that names them all
        return Answers(labels=[values.label_text(row) for row in array.tolist()])
    if is_classifier or array.dtype.kind not in "fiu":
        return Answers(labels=[values.label_text(value) for value in array.tolist()])
    return Answers(values=[float(value) for value in array.tolist()])


def _read_outputs(parts: list[Any]) -> Answers:
    """Read several classifiers' probabilities at once: the label names each one's class by position."""
    answers = Answers()
    add_flag(answers.flags, f"outputs:{len(parts)}")
    best = [part.argmax(axis=1).tolist() for part in parts]
    answers.labels = [values.label_text(list(row)) for row in zip(*best, strict=True)]
    return answers


def _names(classes: Any, width: int) -> list[str]:
    if classes is None or len(classes) != width:
        return [str(at) for at in range(width)]
    flags: Flags = {}
    return [values.name(values.label_text(one), flags) for one in classes]
