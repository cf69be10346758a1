"""Real XGBoost and LightGBM models: their estimators and their own API, each answer one call."""

import pickle
import threading
from collections.abc import Iterator
from typing import Any

import lightgbm
import numpy as np
import pandas as pd
import pytest
import xgboost
from sklearn.calibration import CalibratedClassifierCV
from sklearn.model_selection import GridSearchCV, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import tocsin
from tocsin._models.registry import instrument_models
from tocsin.testing import capture

RANDOM = np.random.default_rng(11)
X = RANDOM.normal(size=(160, 4))
Y = (X[:, 0] + X[:, 1] > 0).astype(int)
THREE = np.digitize(X[:, 0], [-0.5, 0.5])
FRAME = pd.DataFrame(X, columns=["age", "income", "debt", "tenure"])
QUIET = {"verbosity": -1, "num_threads": 1, "min_data_in_leaf": 5}


@pytest.fixture
def calls() -> Iterator[Any]:
    """Instrumented, and captured."""
    with capture() as captured:
        instrument_models("credit")
        yield captured


def boosted(objective: str, labels: Any = Y, **more: Any) -> Any:
    """Train a small booster of XGBoost."""
    matrix = xgboost.DMatrix(FRAME, label=labels)
    return xgboost.train({"objective": objective, "nthread": 1, **more}, matrix, num_boost_round=3)


def light(objective: Any, labels: Any = Y, **more: Any) -> Any:
    """Train a small booster of LightGBM."""
    group = [len(X)] if objective == "lambdarank" else None
    data = lightgbm.Dataset(FRAME, label=labels, group=group)
    return lightgbm.train({"objective": objective, **QUIET, **more}, data, num_boost_round=3)


@pytest.mark.parametrize(
    "model",
    [
        xgboost.XGBClassifier(n_estimators=3, n_jobs=1),
        lightgbm.LGBMClassifier(n_estimators=3, n_jobs=1, verbose=-1),
        make_pipeline(StandardScaler(), xgboost.XGBClassifier(n_estimators=3, n_jobs=1)),
        CalibratedClassifierCV(xgboost.XGBClassifier(n_estimators=3, n_jobs=1), cv=2),
        GridSearchCV(xgboost.XGBClassifier(n_estimators=3, n_jobs=1), {"max_depth": [1, 2]}, cv=2),
    ],
    ids=["xgboost", "lightgbm", "pipeline", "calibrated", "search"],
)
def test_an_estimator_is_one_call_however_deep_its_booster_lies(calls: Any, model: Any) -> None:
    """The estimator asks its booster, the pipeline its estimator: the host asked once, and training asked nothing."""
    model.fit(FRAME, Y)

    answer = model.predict_proba(FRAME[:1])

    assert [call.name for call in calls] == ["predict_proba"]
    assert calls[0].task == "classification"
    assert calls[0].confidence == pytest.approx(answer.max())
    assert calls[0].label == str(answer.argmax())
    assert calls[0].inputs == pytest.approx(dict(zip(FRAME.columns, X[0], strict=True)))


def test_a_native_booster_gives_label_and_confidence(calls: Any) -> None:
    """One number of a logistic objective is the probability of the second class."""
    chance = float(boosted("binary:logistic").predict(xgboost.DMatrix(FRAME[:1]))[0])
    chance_light = float(light("binary").predict(FRAME[:1])[0])

    assert [call.model_name for call in calls] == ["xgboost.Booster", "lightgbm.Booster"]
    for call, positive in zip(calls, (chance, chance_light), strict=True):
        assert call.label == str(int(positive > 0.5))
        assert call.confidence == pytest.approx(max(positive, 1 - positive))
        assert call.probabilities == pytest.approx({"0": 1 - positive, "1": positive})
        assert call.inputs == pytest.approx(dict(zip(FRAME.columns, X[0], strict=True)))


@pytest.mark.parametrize(
    ("booster", "task"),
    [
        (boosted("multi:softprob", THREE, num_class=3), "classification"),
        (boosted("multi:softmax", THREE, num_class=3), "classification"),
        (boosted("binary:hinge"), "classification"),
        (boosted("reg:squarederror", X[:, 1]), "regression"),
        (boosted("rank:pairwise"), "ranking"),
        (light("multiclass", THREE, num_class=3), "classification"),
        (light("regression", X[:, 1]), "regression"),
        (light("lambdarank"), "ranking"),
    ],
    ids=["softprob", "softmax", "hinge", "squared", "pairwise", "multiclass", "l2", "lambdarank"],
)
def test_the_objective_says_what_an_answer_is(calls: Any, booster: Any, task: str) -> None:
    """A booster has no classes_ and no predict_proba: only its objective knows."""
    answer = np.asarray(booster.predict(xgboost.DMatrix(FRAME[:2]) if "xgb" in type(booster).__module__ else FRAME[:2]))

    assert [call.task for call in calls] == [task, task]
    if task == "classification":
        best = answer.argmax(axis=1) if answer.ndim == 2 else answer.astype(int)
        assert [call.label for call in calls] == [str(one) for one in best]
        assert [call.confidence is None for call in calls] == [answer.ndim == 1] * 2
    else:
        assert [call.value for call in calls] == pytest.approx(answer.tolist())


def test_a_booster_loaded_from_a_file_says_the_same(calls: Any, tmp_path: Any) -> None:
    """The service that answers is rarely the process that trained."""
    trained, trained_light = boosted("binary:logistic"), light("binary")
    trained.save_model(tmp_path / "model.ubj")
    trained_light.save_model(tmp_path / "model.txt")
    loaded = xgboost.Booster(model_file=tmp_path / "model.ubj")

    for one in (trained, loaded):
        one.inplace_predict(FRAME[:1])
    for one in (trained_light, lightgbm.Booster(model_file=tmp_path / "model.txt")):
        one.predict(FRAME[:1])

    assert calls[0].model_version == calls[1].model_version != calls[2].model_version == calls[3].model_version
    assert calls[0].label == calls[1].label
    assert calls[2].probabilities == calls[3].probabilities


def test_leaves_and_contributions_are_no_answers(calls: Any) -> None:
    """An explanation of an answer is not a second one."""
    booster, other = boosted("binary:logistic"), light("binary")
    matrix = xgboost.DMatrix(FRAME[:2])

    booster.predict(matrix, pred_leaf=True)
    booster.predict(matrix, pred_contribs=True)
    booster.predict(matrix, pred_interactions=True)
    other.predict(FRAME[:2], pred_leaf=True)
    other.predict(FRAME[:2], 0, None, False, False, True)  # by position

    assert calls == []


def test_raw_margins_are_labelled_margin(calls: Any) -> None:
    """A score before its link function is no probability, and no value on the scale of the answers."""
    margin = float(boosted("binary:logistic").predict(xgboost.DMatrix(FRAME[:1]), output_margin=True)[0])
    light("binary").predict(FRAME[:1], raw_score=True)
    light("poisson", np.abs(X[:, 1])).predict(FRAME[:1], raw_score=True)

    assert calls[0].label == str(int(margin > 0))
    assert [call.attributes.get("tocsin.confidence.source") for call in calls] == ["margin", "margin", None]
    assert (calls[2].value, calls[2].flags) == (None, ("raw_margin",))


def test_training_asks_nothing_that_counts(calls: Any) -> None:
    """Evaluation sets, metrics and callbacks of the host's predict inside training."""

    def metric(_predicted: Any, _data: Any) -> tuple[str, float]:
        fitted.predict(xgboost.DMatrix(FRAME[:1]))
        return "own", 0.0

    def asks(training: Any) -> None:
        training.model.predict(X[:1])

    fitted = boosted("binary:logistic")
    matrix = xgboost.DMatrix(FRAME, label=Y)
    xgboost.train({"nthread": 1}, matrix, 2, evals=[(matrix, "train")], custom_metric=metric, verbose_eval=False)
    lightgbm.train(QUIET, lightgbm.Dataset(X, label=Y), 2, callbacks=[asks])
    lightgbm.cv(QUIET, lightgbm.Dataset(X, label=Y), 2, stratified=False, nfold=2)
    cross_val_predict(lightgbm.LGBMClassifier(n_estimators=2, n_jobs=1, verbose=-1), X, Y, cv=2)

    assert calls == []


def test_what_is_missing_in_a_dmatrix_is_missing(calls: Any) -> None:
    """XGBoost leaves NaN out of its matrix; a zero is a value."""
    holed = FRAME[:1].copy()
    holed["debt"] = np.nan
    holed["age"] = 0.0

    boosted("binary:logistic").predict(xgboost.DMatrix(holed))

    assert calls[0].null_inputs == ("debt",)
    assert calls[0].inputs["age"] == 0.0


def test_a_quantised_matrix_says_that_its_rows_are_gone(calls: Any) -> None:
    """Bins are not the host's numbers, and drift of bins would be drift of XGBoost's sketch."""
    boosted("binary:logistic").predict(xgboost.QuantileDMatrix(FRAME))

    assert len(calls) == len(FRAME)
    assert (dict(calls[0].inputs), calls[0].flags) == ({}, ("inputs_unread:QuantileDMatrix",))


def test_models_are_pickled_copied_and_shared_by_threads_as_ever(calls: Any) -> None:
    """Classes are wrapped, instances are not touched."""
    model = xgboost.XGBClassifier(n_estimators=3, n_jobs=1).fit(FRAME, Y)
    copies = [pickle.loads(pickle.dumps(model)), pickle.loads(pickle.dumps(boosted("binary:logistic"))).copy()]  # noqa: S301

    threads = [threading.Thread(target=copies[0].predict, args=(FRAME[:1],)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    copies[1].inplace_predict(FRAME[:1])

    assert len(calls) == 5


def test_one_library_may_be_instrumented_alone() -> None:
    """Who asks for LightGBM alone gets it alone, and gives it back alone."""
    first, second = boosted("binary:logistic"), light("binary")
    with capture() as calls:
        tocsin.instrument_lightgbm("credit")
        second.predict(FRAME[:1])
        first.inplace_predict(FRAME[:1])
        tocsin.uninstrument_lightgbm()
        second.predict(FRAME[:1])

    assert [call.model_name for call in calls] == ["lightgbm.Booster"]
    assert "observed" not in repr(lightgbm.Booster.__dict__["predict"].__code__)
