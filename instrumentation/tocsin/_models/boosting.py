"""XGBoost and LightGBM: which of their own methods answer, and which train.

Their estimators are scikit-learn's in shape, and wrapped like these; the boosters inside them then work inside a call.
"""

from typing import Any, Final

from tocsin._models.arrays import see_arrays
from tocsin._models.operation import observed, quiet
from tocsin._models.patching import patch_class, patch_function
from tocsin._models.scikit import patch_estimators
from tocsin._process.import_hook import when_imported

_ANSWERING: Final = ("predict", "inplace_predict")
_TRAINING: Final = ("update", "boost", "eval", "eval_set", "eval_train", "eval_valid", "refit")


def patch_xgboost() -> tuple[str, ...]:
    """Wrap XGBoost. Returns the modules that were waited for."""
    when_imported("xgboost.core", lambda module: _patch_booster(module, "xgboost"))
    when_imported("xgboost.training", lambda module: _patch_training(module, "xgboost"))
    when_imported("xgboost.sklearn", lambda module: patch_estimators(module.XGBModel, "xgboost"))
    return ("xgboost.core", "xgboost.training", "xgboost.sklearn")


def patch_lightgbm() -> tuple[str, ...]:
    """Wrap LightGBM. Returns the modules that were waited for."""
    when_imported("lightgbm.basic", lambda module: _patch_booster(module, "lightgbm"))
    when_imported("lightgbm.engine", lambda module: _patch_training(module, "lightgbm"))
    when_imported("lightgbm.sklearn", lambda module: patch_estimators(module.LGBMModel, "lightgbm"))
    return ("lightgbm.basic", "lightgbm.engine", "lightgbm.sklearn")


def _patch_booster(module: Any, library: str) -> None:
    patch_class(module.Booster, _ANSWERING, observed(see_arrays), library)
    patch_class(module.Booster, _TRAINING, quiet, library)


def _patch_training(module: Any, library: str) -> None:
    # Imported before us, the package has its functions under its own name already.
    package = __import__(library)
    for name in ("train", "cv"):
        for place in (module, package):
            patch_function(place, name, quiet, library)
