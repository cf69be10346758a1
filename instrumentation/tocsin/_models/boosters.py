"""What a booster of XGBoost or LightGBM says of itself, and which of its outputs are answers. Imports neither."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

_NO_ANSWER: Final = ("pred_leaf", "pred_contribs", "pred_contrib", "approx_contribs", "pred_interactions", "training")
_RANKING: Final = frozenset({"lambdarank", "rank_xendcg"})
_PROBABLE: Final = frozenset({"binary:logistic", "multi:softprob", "binary", "multiclass", "multiclassova"})
_LABELLING: Final = frozenset({"binary:hinge", "multi:softmax"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Booster:
    """What a trained booster says of itself."""

    objective: str  # "" when it was trained with one of the host's own
    class_count: int  # 0 when its answers are no classes
    feature_names: Sequence[str] | None
    rounds: int

    @property
    def task(self) -> str:
        """Say what its answers are."""
        if self.objective.startswith("rank:") or self.objective in _RANKING:
            return "ranking"
        return "classification" if self.class_count else "regression"

    @property
    def answers_as(self) -> str:
        """Say what `predict` returns when nothing else is asked for: probability, label, margin or value."""
        if self.objective in _PROBABLE:
            return "probability"
        if self.objective in _LABELLING:
            return "label"
        return "margin" if self.class_count else "value"


def is_booster(model: Any) -> bool:
    """Tell a booster from an estimator, without importing either library."""
    kind = type(model)
    return any(
        cls.__name__ == "Booster" and cls.__module__ in {"xgboost.core", "lightgbm.basic"} for cls in kind.__mro__
    )


def answers_at_all(options: Mapping[str, Any]) -> bool:
    """Tell answers from leaves, contributions and what training asks for."""
    return not any(options.get(name) for name in _NO_ANSWER)


def wants_margin(options: Mapping[str, Any]) -> bool:
    """Tell whether untransformed scores were asked for."""
    return bool(
        options.get("output_margin") or options.get("raw_score") or options.get("predict_type", "value") == "margin"
    )


def read_booster(booster: Any) -> Booster:
    """Ask a booster for its objective, classes and features: a millisecond, once per booster and training."""
    return _read_xgboost(booster) if hasattr(booster, "save_config") else _read_lightgbm(booster)


def _read_xgboost(booster: Any) -> Booster:
    learner = json.loads(booster.save_config())["learner"]
    objective = str(learner.get("objective", {}).get("name", ""))
    counted = int(learner.get("learner_model_param", {}).get("num_class", 0))
    names = booster.feature_names
    return Booster(
        objective=objective,
        class_count=counted if objective.startswith("multi:") else 2 * objective.startswith("binary:"),
        feature_names=None if names is None else list(names),
        rounds=int(booster.num_boosted_rounds()),
    )


def _read_lightgbm(booster: Any) -> Booster:
    # The head of the model's text, with one tree: the only place that a trained and a loaded booster both have.
    head = booster.model_to_string(num_iteration=1, start_iteration=0).partition("\nTree=")[0]
    said = dict(line.split("=", 1) for line in head.splitlines() if "=" in line)
    objective = said.get("objective", "").split(" ")[0]
    names = booster.feature_name()
    made_up = all(name == f"Column_{at}" for at, name in enumerate(names))
    classes = int(said.get("num_class", "1"))
    return Booster(
        objective=objective,
        class_count=classes if classes > 1 else 2 * (objective == "binary"),
        feature_names=None if made_up else names,
        rounds=int(booster.num_trees()),
    )
