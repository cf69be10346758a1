"""What an estimator returned, as labels, values, probabilities and confidences."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from tocsin._calls import values
from tocsin._calls.values import Flags, add_flag

CLASS_LIMIT: Final = 100  # probabilities of one call; of more classes only the label and confidence are kept


@dataclass(slots=True)
class Answers:
    """One entry per row, in row order; None where the estimator did not say."""

    labels: list[str] | None = None
    values: list[float] | None = None  # may hold NaN
    classes: list[str] = field(default_factory=list)
    probabilities: list[list[float]] | None = None  # a row of probabilities per row, in the order of classes
    confidences: list[float] | None = None
    confidence_source: str = "proba"
    flags: Flags = field(default_factory=dict)


def count_rows(result: Any) -> int:
    """Say how many rows a result answers."""
    return len(_first(result))


def read_answers(
    method: str, result: Any, chosen: Sequence[int] | None, classes: Sequence[Any] | None, *, is_classifier: bool
) -> Answers:
    """Read a result.

    Args:
        method: predict, predict_proba or decision_function.
        result: What it returned: an array of any number of dimensions, or a list of them.
        chosen: Indices of the rows to read; None for all.
        classes: The estimator's classes, in the order of its probabilities.
        is_classifier: Otherwise numbers are values, not labels.
    """
    import numpy as np

    if isinstance(result, list) and result and getattr(result[0], "ndim", 0) == 2:  # one array per output
        return _read_outputs([np.asarray(part) for part in result], chosen)
    array = np.asarray(_first(result))
    if chosen is not None:
        array = array[np.asarray(chosen)]
    if method == "predict_proba" and array.ndim == 2:
        return _read_probabilities(array, classes)
    if method == "decision_function" and is_classifier:
        return _read_margins(array, classes)
    return _read_predictions(array, is_classifier=is_classifier)


def _first(result: Any) -> Any:
    """Take the answers out of what came with them (``return_std=True``, one array per output)."""
    if isinstance(result, tuple) or (isinstance(result, list) and result and getattr(result[0], "ndim", 0) == 2):
        return result[0]
    return result


def _read_probabilities(array: Any, classes: Sequence[Any] | None) -> Answers:
    answers = Answers(classes=_names(classes, array.shape[1]))
    best = array.argmax(axis=1)
    confidences = array.max(axis=1)
    answers.labels = [answers.classes[at] for at in best.tolist()]
    answers.confidences = confidences.tolist()
    if array.shape[1] <= CLASS_LIMIT:
        answers.probabilities = array.tolist()
    else:
        add_flag(answers.flags, f"probabilities_dropped:{array.shape[1]}")
    return answers


def _read_margins(array: Any, classes: Sequence[Any] | None) -> Answers:
    import numpy as np

    if array.ndim == 2 and classes is not None and len(classes) == array.shape[1]:
        names = _names(classes, array.shape[1])
        return Answers(labels=[names[at] for at in array.argmax(axis=1).tolist()])
    if array.ndim == 1 and classes is not None and len(classes) == 2:
        names = _names(classes, 2)
        distance = np.minimum(np.abs(array), 700.0)  # exp overflows beyond
        # Not a probability: a monotone reading of the margin, and labelled so.
        return Answers(
            labels=[names[int(positive)] for positive in (array > 0).tolist()],
            confidences=(1.0 / (1.0 + np.exp(-distance))).tolist(),
            confidence_source="margin",
        )
    return _read_predictions(array, is_classifier=array.ndim > 1)


def _read_predictions(array: Any, *, is_classifier: bool) -> Answers:
    if array.ndim > 1:  # several outputs a row: one label that names them all
        return Answers(labels=[values.label_text(row) for row in array.tolist()])
    if is_classifier or array.dtype.kind not in "fiu":
        return Answers(labels=[values.label_text(value) for value in array.tolist()])
    return Answers(values=[float(value) for value in array.tolist()])


def _read_outputs(parts: list[Any], chosen: Sequence[int] | None) -> Answers:
    """Read several classifiers' probabilities at once: the label names each one's class by position."""
    answers = Answers()
    add_flag(answers.flags, f"outputs:{len(parts)}")
    best = [part.argmax(axis=1).tolist() for part in parts]
    rows = list(zip(*best, strict=True))
    answers.labels = [values.label_text(list(row)) for row in (rows if chosen is None else [rows[at] for at in chosen])]
    return answers


def _names(classes: Sequence[Any] | None, width: int) -> list[str]:
    if classes is None or len(classes) != width:
        return [str(at) for at in range(width)]
    flags: Flags = {}
    return [values.name(values.label_text(one), flags) for one in classes]
