"""How estimators are wrapped: the mechanics, knowing nothing of spans.

scikit-learn's classes are wrapped where they define a method; classes made later, its own or anyone's, when they are made
(``BaseEstimator.__init_subclass__``). Nothing is imported on behalf of the host.
"""

import functools
import inspect
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final

from tocsin._process import import_hook
from tocsin._process.boundary import Swallow
from tocsin._process.runtime import runtime

ANSWERING: Final = ("predict_proba", "predict", "decision_function")
QUIET: Final = ("fit", "partial_fit", "fit_predict", "fit_transform", "score")  # training and testing
_BASE: Final = "sklearn.base"
_PARALLEL: Final = "sklearn.utils.parallel"

_inside: Final[ContextVar[bool]] = ContextVar("tocsin_inside_estimator", default=False)
_IN_OBSERVE: Final = Swallow("sklearn.observe")
_IN_PATCH: Final = Swallow("sklearn.patch")


@dataclass(slots=True)
class Operation:
    """One outermost call of an estimator, finished."""

    estimator: Any
    method: str
    inputs: Any  # X, as given
    result: Any
    start_ns: int
    end_ns: int


class _Patches:
    """What is patched at present, and whom to tell."""

    answered: Callable[[Operation], None] | None = None
    failed: Callable[[Operation, BaseException], None] | None = None
    originals: Final[dict[tuple[type, str], Any]] = {}


def patch(answered: Callable[[Operation], None], failed: Callable[[Operation, BaseException], None]) -> None:
    """Wrap every estimator class there is and will be; a second call only changes whom to tell."""
    _Patches.answered, _Patches.failed = answered, failed
    import_hook.when_imported(_BASE, _patch_estimators)
    import_hook.when_imported(_PARALLEL, _patch_parallel)


def unpatch() -> None:
    """Undo it all."""
    _Patches.answered = _Patches.failed = None
    import_hook.forget()
    for (owner, name), original in _Patches.originals.items():
        if original is None:
            delattr(owner, name)
        else:
            setattr(owner, name, original)
    _Patches.originals.clear()


def _patch_estimators(base: Any) -> None:
    _hook_subclassing(base.BaseEstimator)
    for cls in _descendants(base.BaseEstimator):
        _patch_class(cls)


def _descendants(cls: type) -> Iterator[type]:
    seen: set[type] = set()
    waiting = [cls]
    while waiting:
        found = waiting.pop()
        if found not in seen:
            seen.add(found)
            waiting.extend(type.__subclasses__(found))
            yield found


def _hook_subclassing(root: Any) -> None:
    """Have each new subclass wrapped as it is made."""
    if (root, "__init_subclass__") in _Patches.originals:
        return
    own = root.__dict__.get("__init_subclass__")

    def __init_subclass__(cls: Any, **kwargs: Any) -> None:  # noqa: N807 - that is its name
        if own is not None:
            own.__func__(cls, **kwargs)
        else:
            super(root, cls).__init_subclass__(**kwargs)
        with _IN_PATCH:
            _patch_class(cls)

    root.__init_subclass__ = classmethod(__init_subclass__)  # type: ignore[arg-type]
    _Patches.originals[root, "__init_subclass__"] = own


def _patch_class(cls: type) -> None:
    """Wrap the methods of a class where they are defined: in it, or in a mixin it takes them from."""
    for owner in cls.__mro__:
        for name in ANSWERING:
            _patch_method(owner, name, _observed)
        for name in QUIET:
            _patch_method(owner, name, _quiet)


def _patch_method(owner: type, name: str, wrap: Callable[[Any, str], Any]) -> None:
    original = owner.__dict__.get(name)
    if original is None or (owner, name) in _Patches.originals:
        return
    if inspect.isfunction(original):
        replacement = wrap(original, name)
    elif hasattr(original, "check") and inspect.isfunction(getattr(original, "fn", None)):  # sklearn's available_if
        replacement = type(original)(wrap(original.fn, name), original.check, original.attribute_name)
    else:
        return
    with _IN_PATCH:
        setattr(owner, name, replacement)
        _Patches.originals[owner, name] = original


def _observed(method: Callable[..., Any], name: str) -> Callable[..., Any]:
    @functools.wraps(method)
    def observed(self: Any, *args: Any, **kwargs: Any) -> Any:
        answered = _Patches.answered
        if answered is None or _inside.get():
            return method(self, *args, **kwargs)
        token = _inside.set(True)
        start_ns = _now_ns()
        try:
            result = method(self, *args, **kwargs)
        except BaseException as error:
            with _IN_OBSERVE:
                if _Patches.failed is not None:
                    _Patches.failed(Operation(self, name, _inputs(args, kwargs), None, start_ns, _now_ns()), error)
            raise
        finally:
            _inside.reset(token)
        with _IN_OBSERVE:
            answered(Operation(self, name, _inputs(args, kwargs), result, start_ns, _now_ns()))
        return result

    return observed


def _quiet(method: Callable[..., Any], _name: str) -> Callable[..., Any]:
    @functools.wraps(method)
    def quiet(self: Any, *args: Any, **kwargs: Any) -> Any:
        if _inside.get():
            return method(self, *args, **kwargs)
        token = _inside.set(True)
        try:
            return method(self, *args, **kwargs)
        finally:
            _inside.reset(token)

    return quiet


def _inputs(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return args[0] if args else kwargs.get("X")


def _now_ns() -> int:
    with _IN_OBSERVE:
        return runtime().clock()
    return 0


def _patch_parallel(module: Any) -> None:
    """Let scikit-learn's own worker threads know that they work inside a call: each tree of a forest is not one."""
    owner = module.Parallel
    if (owner, "__call__") in _Patches.originals:
        return
    original = owner.__call__

    @functools.wraps(original)
    def __call__(self: Any, iterable: Any) -> Any:  # noqa: N807 - that is its name
        if not _inside.get():
            return original(self, iterable)
        return original(self, ((_Inside(task), args, kwargs) for task, args, kwargs in iterable))

    _Patches.originals[owner, "__call__"] = original
    owner.__call__ = __call__


class _Inside:
    """A task that runs inside a call, in whatever thread."""

    def __init__(self, task: Any) -> None:
        self._task = task

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        token = _inside.set(True)
        try:
            return self._task(*args, **kwargs)
        finally:
            _inside.reset(token)

    def with_config_and_warning_filters(self, config: Any, warning_filters: Any) -> "_Inside":
        return _Inside(self._task.with_config_and_warning_filters(config, warning_filters))

    def with_config(self, config: Any) -> "_Inside":  # scikit-learn before 1.7
        return _Inside(self._task.with_config(config))
