"""Hugging Face pipelines: which of their calls are operations, and what one was asked and answered. Imports neither library."""

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from tocsin._models.columns import Read, Table
from tocsin._models.description import Description, describe
from tocsin._models.operation import INSIDE, Operation, Seen, Watching, observe_operation
from tocsin._models.patching import on_subclassing, patch_class, with_subclasses
from tocsin._models.pipeline_answers import read_results
from tocsin._models.streaming import Overheard, Streamed
from tocsin._process.boundary import Swallow
from tocsin._process.import_hook import when_imported

_BASE: Final = "transformers.pipelines.base"
_TEXT_KEYS: Final = ("text", "text_pair", "question", "context", "sequence", "sequences", "state", "inputs")
_IN_PIPELINE: Final = Swallow("models.pipelines")


def patch() -> tuple[str, ...]:
    """Wrap every pipeline class there is and will be. Returns the modules that were waited for."""
    when_imported(_BASE, _patch_pipelines)
    return (_BASE,)


def is_chat(given: Any) -> bool:
    """Tell a conversation, which is one input, from a list of inputs."""
    return bool(given) and isinstance(given[0], Mapping) and "role" in given[0] and "content" in given[0]


def _patch_pipelines(module: Any) -> None:
    on_subclassing(module.Pipeline, _patch_pipeline, "transformers")
    for cls in with_subclasses(module.Pipeline):
        _patch_pipeline(cls)


def _patch_pipeline(cls: type) -> None:
    patch_class(cls, ("__call__",), _observed, "transformers")


def _observed(method: Callable[..., Any], _name: str) -> Callable[..., Any]:
    @functools.wraps(method)
    def __call__(self: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N807 - that is its name
        return _call(method, self, args, kwargs)

    return __call__


def _call(method: Callable[..., Any], pipeline: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    if Watching.observer is None or INSIDE.get():
        return method(pipeline, *args, **kwargs)
    overheard = None
    with _IN_PIPELINE:
        overheard = Overheard.of(args[0]) if args else None
    if overheard is not None:
        args = (overheard.passed_on, *args[1:])
    result = observe_operation(_see, method, "pipeline", pipeline, args, kwargs)
    # A data set or a generator is answered lazily: each answer is a call of its own, when it is taken.
    if _is_lazy(result):
        with _IN_PIPELINE:
            return Streamed(result, pipeline, method, overheard, _see_one)
    return result


def _is_lazy(result: Any) -> bool:
    return hasattr(result, "__next__") or type(result).__name__.startswith("Pipeline")


def _see(operation: Operation) -> Seen | None:
    given, result = operation.inputs, operation.result
    if _is_lazy(result):
        return None
    if isinstance(given, list) and not is_chat(given):
        return _Results(describe(operation.model), given, result)
    return _Results(describe(operation.model), [given], [result])


def _see_one(operation: Operation) -> Seen:
    """See one answer of many."""
    given = list(operation.args)
    return _Results(describe(operation.model), given, [operation.result])


class _Results:
    """What a pipeline was asked, and answered."""

    __slots__ = ("_given", "_results", "about", "count")

    def __init__(self, about: Description, given: Sequence[Any], results: Sequence[Any]) -> None:
        self._given = given
        self._results = results
        self.about = about
        self.count = len(results)

    def keep_inputs(self, chosen: Sequence[int] | None, wanted: tuple[str, ...] | None, /) -> Read:
        """Keep texts, which do not change, to be measured later; of images and sounds nothing is read."""
        if wanted is not None and not any(name.startswith("prompt") for name in wanted):
            return Table
        given = self._chosen(chosen)
        prompts = [_prompt(one) for one in given]
        unread = {type(one).__name__ for one, prompt in zip(given, prompts, strict=True) if prompt is None}
        flags = {f"inputs_unread:{name}": None for name in sorted(unread)[:3]}
        return lambda: Table(rows=[()] * len(prompts), prompts=prompts, flags=flags)

    def keep_answers(self, chosen: Sequence[int] | None, /) -> Callable[[], Any]:
        """Read at once what was answered: pipelines answer in the host's own lists and dicts."""
        results = self._results if chosen is None else [self._results[at] for at in chosen]
        answers = read_results(results, self._chosen(chosen), self.about.task)
        return lambda: answers

    def _chosen(self, chosen: Sequence[int] | None) -> list[Any]:
        rows = range(self.count) if chosen is None else chosen
        return [self._given[at] if at < len(self._given) else None for at in rows]

    def labels(self) -> Any:
        """Give the labels of all rows."""
        import numpy as np

        labels = read_results(self._results, (), self.about.task).labels
        return None if labels is None else np.asarray(labels, dtype=object)


def _prompt(given: Any) -> Any:
    """Give what is measured of an input: a text, or a conversation; None for images and sounds."""
    if isinstance(given, str):
        return given
    if isinstance(given, (list, tuple)) and is_chat(given):
        return [dict(message) for message in given]
    if isinstance(given, Mapping):
        texts = [given[key] for key in _TEXT_KEYS if isinstance(given.get(key), str)]
        return "\n".join(texts) or None
    messages = getattr(given, "messages", None)  # transformers' own Chat
    return list(messages) if isinstance(messages, (list, tuple)) else None
