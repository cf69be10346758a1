"""What there is to know of a model: name, version, task, classes, names of its inputs. Kept until it is trained again."""

import hashlib
import json
from dataclasses import dataclass, field
from operator import is_
from typing import Any, Final
from weakref import WeakKeyDictionary

from tocsin._calls import values
from tocsin._models.boosters import is_booster, read_booster


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """One trained model."""

    name: str
    version: str
    task: str
    classes: Any = None  # as the model has them; None when it has none
    feature_names: tuple[str, ...] | None = None
    answers_as: str = ""  # probability, label, margin or value; "" when the method's name says it
    # How its answers are read, by method and whether margins were asked for: worked out once.
    readings: dict[tuple[str, bool], Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def is_classifier(self) -> bool:
        """Tell whether its answers are labels."""
        return self.task == "classification"


_UNSAID: Final = {"_name_or_path", "transformers_version", "architectures", "dtype", "torch_dtype"}  # saving adds them

# With the objects that training replaces: while they are the same, so is the description.
_known: Final["WeakKeyDictionary[Any, tuple[tuple[Any, ...], Description]]"] = WeakKeyDictionary()


def describe(model: Any) -> Description:
    """Describe a model; from memory while it is the same fit."""
    last = _last_step(model)
    trained = _trained(model, last)
    try:
        found = _known.get(model)
    except TypeError:  # unhashable
        return _describe(model, last)
    if found is not None and all(map(is_, found[0], trained)):  # not ==, which compares arrays
        return found[1]
    made = _describe(model, last)
    _known[model] = (trained, made)
    return made


def _trained(model: Any, last: Any) -> tuple[Any, ...]:
    """Name what a new training would replace. Attributes in ``__dict__`` only: properties may make a new one each time."""
    own = getattr(model, "__dict__", {})
    inner = own if last is model else getattr(last, "__dict__", {})
    return (
        last,
        own.get("classes_"),
        own.get("feature_names_in_"),
        inner.get("classes_"),
        inner.get("feature_names_in_"),
        inner.get("_Booster"),
        inner.get("_tocsin_round"),
        own.get("model"),  # a pipeline's
    )


def _describe(model: Any, last: Any) -> Description:
    if is_booster(model):
        return _describe_booster(model)
    if is_pipeline(model):
        return _describe_pipeline(model)
    classes = getattr(model, "classes_", None)
    names = getattr(model, "feature_names_in_", None)
    task = _task(last, classes)
    return Description(
        name=type(last).__name__,
        version=version_of(model),
        task=task,
        classes=None if isinstance(classes, list) else classes,
        feature_names=None if names is None else tuple(str(name) for name in names),
        # A classifier with a loss of the host's own answers with scores that nothing turned into probabilities.
        answers_as="margin" if task == "classification" and callable(getattr(last, "objective", None)) else "",
    )


def _describe_booster(booster: Any) -> Description:
    read = read_booster(booster)
    library = type(booster).__module__.partition(".")[0]
    parts = (library, read.objective, str(read.class_count), *(read.feature_names or ()))
    return Description(
        name=f"{library}.Booster",
        version=_digest("\0".join(parts)),
        task=read.task,
        classes=range(read.class_count) if read.class_count else None,
        feature_names=None if read.feature_names is None else tuple(read.feature_names),
        answers_as=read.answers_as,
    )


def is_pipeline(model: Any) -> bool:
    """Tell a Hugging Face pipeline, without importing the library."""
    return any(
        cls.__name__ == "Pipeline" and cls.__module__ == "transformers.pipelines.base" for cls in type(model).__mro__
    )


def _describe_pipeline(pipeline: Any) -> Description:
    from tocsin._models.pipeline_answers import TASKS

    config = getattr(pipeline.model, "config", None)
    asked = str(getattr(pipeline, "task", "") or "")
    task = TASKS.get("translation" if asked.startswith("translation") else asked, "extraction")
    if task == "classification" and getattr(config, "problem_type", None) == "regression":
        task = "regression"
    named = str(getattr(config, "name_or_path", "") or "")
    return Description(
        # A folder's name, not its path, which says where things are on this machine.
        name=named.replace("\\", "/").rstrip("/").rpartition("/")[2]
        if _is_path(named)
        else named or type(pipeline.model).__name__,
        version=str(getattr(config, "_commit_hash", None) or "")[:12]
        or _digest(f"{asked}\0{_parameter(_said_of(config))}"),
        task=task,
    )


def _is_path(named: str) -> bool:
    return named.startswith((".", "/", "~")) or named.count("/") + named.count("\\") > 1


def _said_of(config: Any) -> dict[str, Any]:
    read = getattr(config, "to_diff_dict", None)
    said: dict[str, Any] = read() if callable(read) else {}
    said = json.loads(
        json.dumps(said, sort_keys=True, default=str)
    )  # in the order, and of the types, that a saved one has
    return {key: value for key, value in said.items() if key not in _UNSAID and value is not None}


def version_of(model: Any) -> str:
    """Hash class and parameters, not what was learned: short, and the same in every process."""
    last = _last_step(model)
    kind = type(last)
    read = getattr(model, "get_params", None)
    parameters = read(deep=True) if callable(read) else {}
    written = ";".join(f"{name}={_parameter(value)}" for name, value in sorted(parameters.items()))
    return _digest(f"{kind.__module__}.{kind.__qualname__}({written})")


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=5).hexdigest()


def _last_step(model: Any) -> Any:
    """Look through pipelines and searches to what answers in the end."""
    for _ in range(8):
        inner = getattr(model, "__dict__", {})
        steps = inner.get("steps")
        if isinstance(steps, list) and steps:
            model = steps[-1][1]
        elif (best := inner.get("best_estimator_")) is not None:
            model = best
        else:
            break
    return model


def _task(estimator: Any, classes: Any) -> str:
    if any(cls.__name__ in {"XGBRanker", "LGBMRanker"} for cls in type(estimator).__mro__):
        return "ranking"
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
