"""All libraries of classic models: enabled together or one by one, whether they are imported already, later or never."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, TypeAlias, TypedDict, Unpack

from tocsin._process.boundary import Swallow
from tocsin._process.lifecycle import init
from tocsin._process.runtime import runtime

UseCase: TypeAlias = str | Callable[[Any], str | None] | None
LIBRARIES: Final = ("lightgbm", "sklearn", "transformers", "xgboost")
MAX_ROWS: Final = 1_000  # of one operation that are recorded, unless somebody says otherwise
_IN_INSTRUMENT: Final = Swallow("instrument_models")
_waiting: Final[dict[str, tuple[str, ...]]] = {}  # the modules that each enabled library waits for


def instrument_models(
    use_case: UseCase = None,
    *,
    libraries: Iterable[str] = LIBRARIES,
    model_version: "str | Callable[[Any], str | None] | None" = None,
    fields: Sequence[str] | None = None,
    segments: Sequence[str] = (),
    cost_per_call: float | None = None,
    currency: str = "USD",
    max_rows: int | None = MAX_ROWS,
) -> None:
    """Record what models answer: scikit-learn's, XGBoost's, LightGBM's and Hugging Face's pipelines.

    The outermost call counts: a pipeline is one call, and ``predict`` that asks ``predict_proba`` too. What happens
    inside ``fit``, ``train``, ``cross_val_predict`` and ``score`` is not production and is left out, and so are leaves and
    feature contributions. A library that is not imported is not imported by this. A second call replaces the settings of
    the libraries it names. Starts tocsin with its defaults when `init` was not called.

    Args:
        use_case: The AI feature, or a function of the model that names it.
        libraries: Whose models; all that are known by default.
        model_version: Of every model, or a function of the model; else a short hash of its class and parameters.
        fields: Columns to record; all, up to 128, by default; none for an empty list.
        segments: Input fields by which quality is also kept; a late outcome carries their values.
        cost_per_call: What one row costs; unknown by default.
        currency: Of the cost, ISO 4217.
        max_rows: Rows recorded of one batch; of a larger one a random sample whose weights sum to its rows, and for each
            label to the rows with that label, exactly. None records all, and `last_calls` is empty above 4,096.
    """
    with _IN_INSTRUMENT:
        init()
        if runtime().settings.disabled:
            return
        from tocsin._models.operation import Watching
        from tocsin._models.recording import Instrumentation, Recorder

        asked = Instrumentation(
            use_case=use_case,
            model_version=model_version,
            fields=None if fields is None else tuple(str(field) for field in fields),
            segments=tuple(segments),
            cost_per_call=cost_per_call,
            currency=currency,
            max_rows=None if max_rows is None else max(1, int(max_rows)),
        )
        recorder = Watching.observer if isinstance(Watching.observer, Recorder) else Recorder()
        Watching.observer = recorder
        for library in libraries:
            recorder.settings[library] = asked
            _waiting[library] = _patch(library)


def uninstrument_models(libraries: Iterable[str] = LIBRARIES) -> None:
    """Give the models of these libraries their own methods back."""
    with _IN_INSTRUMENT:
        from tocsin._models.operation import Watching
        from tocsin._models.patching import restore
        from tocsin._models.recording import Recorder
        from tocsin._process import import_hook

        recorder = Watching.observer
        for library in libraries:
            import_hook.forget(_waiting.pop(library, ()))
            restore(library)
            if isinstance(recorder, Recorder):
                recorder.settings.pop(library, None)
        if not _waiting:
            Watching.observer = None
        for library in _waiting:  # what two libraries needed was given back with the first
            _patch(library)


class Settings(TypedDict, total=False):
    """What `instrument_models` takes beside the use case and the libraries."""

    model_version: "str | Callable[[Any], str | None] | None"
    fields: Sequence[str] | None
    segments: Sequence[str]
    cost_per_call: float | None
    currency: str
    max_rows: int | None


def instrument_sklearn(use_case: UseCase = None, **settings: Unpack[Settings]) -> None:
    """Record every scikit-learn estimator's answers, XGBoost's and LightGBM's estimators among them.

    The outermost call counts: a pipeline is one call, and ``predict`` that asks ``predict_proba`` too. What happens
    inside ``fit``, ``cross_val_predict`` and ``score`` is not production and is left out. A second call replaces these
    settings. Starts tocsin with its defaults when `init` was not called. scikit-learn is not imported by this.

    Args:
        use_case: The AI feature, or a function of the model that names it.
        **settings: model_version (of every model, or a function of the model; else a short hash of its class and
            parameters), fields (columns to record; all, up to 128, by default; none for an empty list), segments (input
            fields by which quality is also kept), cost_per_call and currency (of one row), max_rows (rows recorded of one
            batch, 1,000 by default; a larger one is sampled, and the weights sum to its rows exactly; None records all).
    """
    instrument_models(use_case, libraries=("sklearn",), **settings)


def uninstrument_sklearn() -> None:
    """Give every estimator its own methods back."""
    uninstrument_models(("sklearn",))


def instrument_xgboost(use_case: UseCase = None, **settings: Unpack[Settings]) -> None:
    """Record what XGBoost's boosters and estimators answer; settings as `instrument_sklearn`'s.

    Leaves, contributions and what happens inside ``xgboost.train`` and ``cv`` are no answers.
    """
    instrument_models(use_case, libraries=("xgboost",), **settings)


def uninstrument_xgboost() -> None:
    """Give XGBoost's models their own methods back."""
    uninstrument_models(("xgboost",))


def instrument_lightgbm(use_case: UseCase = None, **settings: Unpack[Settings]) -> None:
    """Record what LightGBM's boosters and estimators answer; settings as `instrument_sklearn`'s.

    Leaves, contributions and what happens inside ``lightgbm.train`` and ``cv`` are no answers.
    """
    instrument_models(use_case, libraries=("lightgbm",), **settings)


def uninstrument_lightgbm() -> None:
    """Give LightGBM's models their own methods back."""
    uninstrument_models(("lightgbm",))


def instrument_transformers(use_case: UseCase = None, **settings: Unpack[Settings]) -> None:
    """Record what Hugging Face pipelines answer; settings as `instrument_sklearn`'s.

    One input is one call, in a list, a data set or a generator too. Of texts only features are sent, unless the use
    case's capture policy lets their words leave.
    """
    instrument_models(use_case, libraries=("transformers",), **settings)


def uninstrument_transformers() -> None:
    """Give Hugging Face's pipelines their own methods back."""
    uninstrument_models(("transformers",))


def _patch(library: str) -> tuple[str, ...]:
    """Wrap what there is of a library, now or when it is imported. Returns the modules that were waited for."""
    if library == "sklearn":
        from tocsin._models.scikit import patch

        return patch()
    if library == "xgboost":
        from tocsin._models.boosting import patch_xgboost

        return patch_xgboost()
    if library == "lightgbm":
        from tocsin._models.boosting import patch_lightgbm

        return patch_lightgbm()
    if library == "transformers":
        from tocsin._models.pipelines import patch as patch_pipelines

        return patch_pipelines()
    raise ValueError(f"expected libraries out of {', '.join(LIBRARIES)}, got {library!r}")
