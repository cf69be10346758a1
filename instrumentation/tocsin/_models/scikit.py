"""Which of scikit-learn's methods answer, which train or test, and how its worker threads are told apart from new calls.

Classes are wrapped where they define a method; classes made later, its own or anyone's, when they are made
(``BaseEstimator.__init_subclass__``). Nothing is imported on behalf of the host.
"""

import functools
from typing import Any, Final

from tocsin._models.arrays import see_arrays
from tocsin._models.operation import INSIDE, observed, quiet
from tocsin._models.patching import on_subclassing, patch_class, patch_function, patch_method, with_subclasses
from tocsin._process.import_hook import when_imported

LIBRARY: Final = "sklearn"
ANSWERING: Final = ("predict_proba", "predict", "decision_function")
TRAINING: Final = ("fit", "partial_fit", "fit_predict", "fit_transform", "score")
_TESTING: Final = {  # functions that their modules look up when they run, so that an earlier import of their callers does not matter
    "sklearn.model_selection._validation": ("_fit_and_predict", "_fit_and_score"),
    "sklearn.inspection._permutation_importance": ("_calculate_permutation_scores",),
    "sklearn.inspection._partial_dependence": ("_partial_dependence_brute",),
}
_OBSERVED: Final = observed(see_arrays)


def patch() -> tuple[str, ...]:
    """Wrap every estimator class there is and will be. Returns the modules that were waited for."""
    when_imported("sklearn.base", _patch_estimators)
    when_imported("sklearn.utils.parallel", _patch_parallel)
    when_imported("sklearn.metrics._scorer", _patch_scorers)
    for module in _TESTING:
        when_imported(module, _patch_testing)
    return ("sklearn.base", "sklearn.utils.parallel", "sklearn.metrics._scorer", *_TESTING)


def patch_estimators(root: type, library: str) -> None:
    """Wrap an estimator class and everything that derives from it, now and later."""
    on_subclassing(root, lambda cls: _patch_estimator(cls, library), library)
    for cls in with_subclasses(root):
        _patch_estimator(cls, library)


def _patch_estimators(base: Any) -> None:
    patch_estimators(base.BaseEstimator, LIBRARY)


def _patch_estimator(cls: type, library: str) -> None:
    patch_class(cls, ANSWERING, _OBSERVED, library)
    patch_class(cls, TRAINING, quiet, library)


def _patch_scorers(module: Any) -> None:
    for name in ("_BaseScorer", "_MultimetricScorer", "_PassthroughScorer"):
        if isinstance(cls := getattr(module, name, None), type):
            patch_method(cls, "__call__", quiet, LIBRARY)


def _patch_testing(module: Any) -> None:
    for name in _TESTING[module.__name__]:
        patch_function(module, name, quiet, LIBRARY)


def _patch_parallel(module: Any) -> None:
    patch_method(module.Parallel, "__call__", _parallel, LIBRARY)


def _parallel(original: Any, _name: str) -> Any:
    """Let scikit-learn's own workers know that they work inside a call: each tree of a forest is not one."""

    @functools.wraps(original)
    def __call__(self: Any, iterable: Any) -> Any:  # noqa: N807 - that is its name
        if not INSIDE.get():
            return original(self, iterable)
        return original(self, ((_Inside(task), args, kwargs) for task, args, kwargs in iterable))

    return __call__


class _Inside:
    """A task that runs inside a call, in whatever thread or process."""

    def __init__(self, task: Any) -> None:
        self._task = task

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        token = INSIDE.set(True)
        try:
            return self._task(*args, **kwargs)
        finally:
            INSIDE.reset(token)

    def with_config_and_warning_filters(self, config: Any, warning_filters: Any) -> "_Inside":
        return _Inside(self._task.with_config_and_warning_filters(config, warning_filters))

    def with_config(self, config: Any) -> "_Inside":  # scikit-learn before 1.7
        return _Inside(self._task.with_config(config))
