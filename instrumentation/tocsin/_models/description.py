"""What there is to know of an estimator: name, version, task, classes, names of its inputs. Kept until it is refitted."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from weakref import WeakKeyDictionary

from tocsin._calls import values


@dataclass(frozen=True, slots=True)
class Description:
    """One fitted estimator."""

    name: str
    version: str
    task: str
    classes: Any  # as the estimator has them; None when it has none
    feature_names: Sequence[str] | None
    fitted_as: tuple[Any, Any]  # what a refit replaces

    @property
    def is_classifier(self) -> bool:
        """Tell whether its answers are labels."""
        return self.task == "classification"


_known: Final["WeakKeyDictionary[Any, Description]"] = WeakKeyDictionary()


def describe(estimator: Any) -> Description:
    """Describe an estimator; from memory while it is the same fit."""
    fitted_as = (getattr(estimator, "classes_", None), getattr(estimator, "feature_names_in_", None))
    try:
        found = _known.get(estimator)
    except TypeError:  # unhashable
        return _describe(estimator, fitted_as)
    if found is not None and found.fitted_as[0] is fitted_as[0] and found.fitted_as[1] is fitted_as[1]:
        return found
    _known[estimator] = made = _describe(estimator, fitted_as)
    return made


def _describe(estimator: Any, fitted_as: tuple[Any, Any]) -> Description:
    classes, names = fitted_as
    last = _last_step(estimator)
    return Description(
        name=type(last).__name__,
        version=version_of(estimator),
        task=_task(last, classes),
        classes=None if isinstance(classes, list) else classes,
        feature_names=None if names is None else [str(name) for name in names],
        fitted_as=fitted_as,
    )


def version_of(estimator: Any) -> str:
    """Hash class and parameters, not what was learned: short, and the same in every process."""
    last = _last_step(estimator)
    kind = type(last)
    read = getattr(estimator, "get_params", None)
    parameters = read(deep=True) if callable(read) else {}
    written = ";".join(f"{name}={_parameter(value)}" for name, value in sorted(parameters.items()))
    text = f"{kind.__module__}.{kind.__qualname__}({written})"
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=5).hexdigest()


def _last_step(estimator: Any) -> Any:
    """Look through pipelines and searches to what answers in the end."""
    for _ in range(8):
        steps = getattr(estimator, "steps", None)
        if isinstance(steps, list) and steps:
            estimator = steps[-1][1]
        elif (best := getattr(estimator, "best_estimator_", None)) is not None:
            estimator = best
        else:
            break
    return estimator


def _task(estimator: Any, classes: Any) -> str:
    kind = getattr(estimator, "_estimator_type", None)
    if kind is None:
        read = getattr(estimator, "__sklearn_tags__", None)
        kind = read().estimator_type if callable(read) else None
    if kind == "regressor":
        return "regression"
    if classes is not None or kind in {"classifier", "clusterer", "outlier_detector"}:
        return "classification"
    return "regression"


def _parameter(value: Any) -> str:
    """Write a parameter without addresses or content, which differ between processes."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return repr(value)
    if isinstance(value, (list, tuple)):
        return f"[{','.join(_parameter(item) for item in value[:50])}]"
    if isinstance(value, dict):
        return (
            f"{{{','.join(f'{values.label_text(key)}:{_parameter(item)}' for key, item in list(value.items())[:50])}}}"
        )
    return str(getattr(value, "__qualname__", None) or type(value).__qualname__)
