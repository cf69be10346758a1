"""scikit-learn's estimators as calls: whatever answers, once, one call per row."""

import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import KMeans
from sklearn.ensemble import IsolationForest, RandomForestClassifier, RandomForestRegressor, VotingClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.multioutput import MultiOutputClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeClassifier

import tocsin
from tocsin._models.description import version_of
from tocsin.testing import capture
from tocsin_wire import unpack_handle

RANDOM = np.random.default_rng(7)
X = RANDOM.normal(size=(120, 4))
Y = (X[:, 0] + X[:, 1] > 0).astype(int)
FRAME = pd.DataFrame(X, columns=["ink", "width", "height", "slant"])


@pytest.fixture
def calls() -> Iterator[Any]:
    """Instrumented, and captured."""
    with capture() as captured:
        tocsin.instrument_sklearn("reader")
        yield captured


def test_probabilities_become_label_confidence_and_class_probabilities(calls: Any) -> None:
    """All that the evaluators of classifiers need, from one unchanged line of the host's."""
    model = LogisticRegression().fit(FRAME, np.array(["no", "yes"])[Y])

    answer = model.predict_proba(FRAME[:3])

    assert len(calls) == 3
    first = calls[0]
    assert first.name == "predict_proba"
    assert (first.use_case, first.task, first.model_name) == ("reader", "classification", "LogisticRegression")
    assert first.inputs == dict(zip(FRAME.columns, X[0], strict=True))
    assert first.probabilities == pytest.approx({"no": answer[0, 0], "yes": answer[0, 1]})
    assert first.label == ("yes" if answer[0, 1] > 0.5 else "no")
    assert first.confidence == pytest.approx(answer[0].max())
    assert first.attributes["tocsin.confidence.source"] == "proba"


def test_the_answer_is_the_estimators_own_object(calls: Any) -> None:
    """Instrumentation must not copy, convert or touch what the host gets."""

    class Fixed(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
        answer = np.array([[0.2, 0.8]])
        classes_ = np.array([0, 1])

        def predict_proba(self, _inputs: Any) -> Any:
            return self.answer

    assert Fixed().predict_proba(X[:1]) is Fixed.answer
    assert [call.label for call in calls] == ["1"]


@pytest.mark.parametrize("method", ["predict", "predict_proba", "decision_function"])
def test_a_pipeline_is_one_call_and_not_one_per_step(calls: Any, method: str) -> None:
    """The pipeline is what the host called; its steps are how it works."""
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(FRAME, Y)

    getattr(model, method)(FRAME[:2])

    assert [call.name for call in calls] == [method, method]
    assert calls[0].model_name == "LogisticRegression"
    assert calls[0].inputs["ink"] == X[0, 0]


@pytest.mark.parametrize(
    "model",
    [
        RandomForestClassifier(5, n_jobs=2),
        VotingClassifier([("a", GaussianNB()), ("b", DecisionTreeClassifier())], voting="soft"),
        CalibratedClassifierCV(GaussianNB(), cv=2),
        GridSearchCV(LogisticRegression(), {"C": [0.1, 1.0]}, cv=2),
        MultiOutputClassifier(GaussianNB()),
    ],
    ids=lambda model: type(model).__name__,
)
def test_an_ensemble_is_one_call_in_whatever_threads_it_works(calls: Any, model: Any) -> None:
    """A forest asks its trees in worker threads, which know nothing of the caller's context."""
    model.fit(X, np.column_stack([Y, Y]) if isinstance(model, MultiOutputClassifier) else Y)

    model.predict_proba(X[:1])

    assert len(calls) == 1


def test_training_and_scoring_are_not_production(calls: Any) -> None:
    """A search that asks its candidates ten thousand times on start-up would drown the real calls."""
    model = GridSearchCV(LogisticRegression(), {"C": [0.1, 1.0]}, cv=2).fit(X, Y)

    model.score(X, Y)

    assert calls == []


def test_regression_gives_a_value(calls: Any) -> None:
    """A price is a number, not a label."""
    model = RandomForestRegressor(3).fit(X, X[:, 0])

    answer = model.predict(X[:2])

    assert [call.value for call in calls] == answer.tolist()
    assert (calls[0].task, calls[0].label, calls[0].confidence) == ("regression", None, None)


def test_a_prediction_gives_a_label_without_a_confidence(calls: Any) -> None:
    """`predict` does not say how sure it is, and unknown is not zero."""
    DecisionTreeClassifier().fit(X, Y).predict(X[:2])

    assert [call.label for call in calls] == [str(label) for label in Y[:2]]
    assert calls[0].confidence is None


def test_a_binary_margin_is_a_confidence_labelled_margin(calls: Any) -> None:
    """Monotone in the distance, and never taken for a probability."""
    model = LinearSVC().fit(X, Y)

    margins = model.decision_function(X[:2])

    assert [call.label for call in calls] == [str(int(margin > 0)) for margin in margins]
    assert calls[0].confidence == pytest.approx(1 / (1 + np.exp(-abs(margins[0]))))
    assert calls[0].attributes["tocsin.confidence.source"] == "margin"


def test_margins_of_several_classes_give_no_confidence(calls: Any) -> None:
    """One-against-rest margins are not comparable between rows."""
    SVC(decision_function_shape="ovr").fit(X, np.arange(120) % 3).decision_function(X[:1])

    assert (calls[0].label in {"0", "1", "2"}, calls[0].confidence) == (True, None)


@pytest.mark.parametrize("model", [KMeans(2, n_init=1), IsolationForest(n_estimators=3)])
def test_what_is_no_supervised_model_is_recorded_too(calls: Any, model: Any) -> None:
    """Any fitted estimator's predict counts."""
    model.fit(X).predict(X[:2])

    assert [call.task for call in calls] == ["classification", "classification"]


def test_methods_that_an_estimator_lacks_stay_missing(calls: Any) -> None:
    """Hosts and scikit-learn itself ask hasattr: available_if must keep answering."""
    hard = VotingClassifier([("a", GaussianNB())], voting="hard").fit(X, Y)

    assert not hasattr(hard, "predict_proba")
    assert hasattr(make_pipeline(GaussianNB()), "predict_proba")
    assert not hasattr(make_pipeline(LinearSVC()), "predict_proba")
    with pytest.raises(AttributeError, match="predict_proba"):
        hard.predict_proba(X)
    assert calls == []


def test_estimator_classes_made_later_are_instrumented_too(calls: Any) -> None:
    """The host's own estimators, and libraries that build on scikit-learn's base."""

    class Own(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
        def fit(self, _inputs: Any, labels: Any) -> "Own":
            self.classes_ = np.unique(labels)
            return self

        def predict(self, inputs: Any) -> Any:
            return self.classes_[np.zeros(len(inputs), dtype=int)]

    Own().fit(X, Y).predict(X[:2])

    assert [call.model_name for call in calls] == ["Own", "Own"]


def test_the_inner_predict_proba_of_a_predict_is_not_a_second_call(calls: Any) -> None:
    """`predict` that asks `predict_proba` answered once."""
    RandomForestClassifier(3).fit(X, Y).predict(X[:1])

    assert [call.name for call in calls] == ["predict"]


def test_names_come_from_the_frame_then_the_estimator_then_the_position(calls: Any) -> None:
    """The same model served from arrays must report the same fields as from frames."""
    named = GaussianNB().fit(FRAME, Y)
    with pytest.warns(UserWarning, match="valid feature names"):
        named.predict(X[:1])
    GaussianNB().fit(X, Y).predict(X[:1])

    assert list(calls[0].inputs) == ["ink", "width", "height", "slant"]
    assert list(calls[1].inputs) == ["f0", "f1", "f2", "f3"]


def test_only_the_chosen_fields_leave_the_process() -> None:
    """What a team must not send, it does not list."""
    model = GaussianNB().fit(FRAME, Y)
    with capture() as calls:
        tocsin.instrument_sklearn("reader", fields=["width"])
        model.predict(FRAME[:1])
        tocsin.instrument_sklearn("reader", fields=[])
        model.predict(FRAME[:1])

    assert [dict(call.inputs) for call in calls] == [{"width": X[0, 1]}, {}]


def test_handles_pair_with_rows(calls: Any) -> None:
    """Ground truth comes back as a list of the batch's length."""
    model = GaussianNB().fit(FRAME, Y)

    answer = model.predict_proba(FRAME[:5])
    handles = tocsin.last_calls()

    refs = [unpack_handle(handle) for handle in handles]
    assert [ref.call_id for ref in refs] == [call.call_id for call in calls]
    assert [ref.label for ref in refs] == [str(best) for best in answer.argmax(axis=1)]
    assert [ref.confidence for ref in refs] == pytest.approx(answer.max(axis=1).tolist())


def test_rows_of_a_batch_share_a_trace(calls: Any) -> None:
    """One request, one trace; each row its own span."""
    GaussianNB().fit(X, Y).predict(X[:3])

    assert len({call.call_id[:32] for call in calls}) == 1
    assert len({call.call_id for call in calls}) == 3


def test_segments_and_costs_travel_as_told() -> None:
    """The handle carries the segment's value; the span the cost."""
    model = GaussianNB().fit(FRAME, Y)
    with capture() as calls:
        tocsin.instrument_sklearn("reader", segments=["ink"], cost_per_call=0.002, currency="CHF", model_version="7")
        model.predict(FRAME[:1])
        ref = unpack_handle(tocsin.last_calls()[0])

    assert calls[0].cost == 0.002
    assert calls[0].attributes["tocsin.cost.currency"] == "CHF"
    assert (calls[0].model_version, ref.model_version) == ("7", "7")
    assert dict(ref.segments) == {"ink": str(X[0, 0])}


def test_a_function_may_name_the_use_case_of_each_estimator() -> None:
    """A process that serves five models serves five features."""
    models = [GaussianNB().fit(X, Y), LinearRegression().fit(X, Y)]
    with capture() as calls:
        tocsin.instrument_sklearn(lambda estimator: type(estimator).__name__.lower())
        for model in models:
            model.predict(X[:1])

    assert [call.use_case for call in calls] == ["gaussiannb", "linearregression"]


def test_without_a_use_case_the_rows_still_say_that_they_are_calls() -> None:
    """Zero code, zero configuration: the collector names it service/estimator."""
    model = GaussianNB().fit(X, Y)
    with capture() as calls:
        tocsin.instrument_sklearn()
        model.predict(X[:1])
        ref = unpack_handle(tocsin.last_calls()[0])

    assert calls[0].use_case is None
    assert calls[0].attributes["tocsin.call.id"] == calls[0].call_id == ref.call_id
    assert ref.use_case == "tests/GaussianNB"


def test_the_default_version_follows_class_and_parameters_only() -> None:
    """A retrained model is the same version; another depth is another, in every process."""
    shallow, deep = DecisionTreeClassifier(max_depth=2), DecisionTreeClassifier(max_depth=9)

    assert version_of(shallow) == version_of(DecisionTreeClassifier(max_depth=2).fit(X, Y))
    assert version_of(shallow) != version_of(deep)
    assert version_of(make_pipeline(StandardScaler(), shallow)) == version_of(make_pipeline(StandardScaler(), shallow))


def test_missing_and_infinite_cells_are_told_apart_from_numbers(calls: Any) -> None:
    """A broken feed shows as nulls, not as a shifted mean."""

    class Anything(BaseEstimator):  # type: ignore[misc]
        def predict(self, inputs: Any) -> Any:
            return np.zeros(len(inputs))

    Anything().predict(np.array([[1.0, np.nan], [np.inf, 2.0], [3.0, 4.0]]))

    assert [call.null_inputs for call in calls] == [("f1",), ("f0",), ()]
    assert [dict(call.inputs) for call in calls] == [{"f0": 1.0}, {"f1": 2.0}, {"f0": 3.0, "f1": 4.0}]


def test_mixed_frames_keep_numbers_as_numbers_and_categories_as_text(calls: Any) -> None:
    """Drift of a category is measured by value, of a number by quantile."""

    class Anything(BaseEstimator):  # type: ignore[misc]
        def predict(self, inputs: Any) -> Any:
            return np.zeros(len(inputs))

    frame = pd.DataFrame(
        {
            "age": pd.array([41, None], dtype="Int64"),
            "device": pd.Categorical(["a", None]),
            "ok": [True, False],
            "score": np.array([0.5, np.nan], dtype="float32"),
            "when": [pd.Timestamp("2026-03-02"), pd.NaT],
        }
    )

    Anything().predict(frame)

    assert dict(calls[0].inputs) == {
        "age": 41,
        "device": "a",
        "ok": True,
        "score": 0.5,
        "when": "2026-03-02T00:00:00",
    }
    assert calls[1].null_inputs == ("age", "device", "score", "when")


def test_sparse_lists_texts_and_records_are_read(calls: Any) -> None:
    """Whatever scikit-learn takes; of free text only the length, since content is not ours to send."""
    from scipy.sparse import csr_matrix

    class Anything(BaseEstimator):  # type: ignore[misc]
        def predict(self, inputs: Any) -> Any:
            return np.zeros(inputs.shape[0] if hasattr(inputs, "shape") else len(inputs))

    for inputs in (csr_matrix([[0.0, 2.0]]), [[0, 2]], ["four"], [{"ink": 1, "device": "a"}], np.zeros((1, 8, 8))):
        Anything().predict(inputs)

    assert [dict(call.inputs) for call in calls] == [
        {"f0": 0.0, "f1": 2.0},
        {"f0": 0, "f1": 2},
        {"text_length": 4},
        {"ink": 1, "device": "a"},
        {},
    ]
    assert calls[4].flags == ("inputs_unread:3d",)


def test_several_outputs_are_one_label(calls: Any) -> None:
    """Multi-output models answer one question in parts."""
    model = MultiOutputClassifier(GaussianNB()).fit(X, np.column_stack([Y, 1 - Y]))

    model.predict(X[:1])
    model.predict_proba(X[:1])

    assert [call.label for call in calls] == [f"[{Y[0]}, {1 - Y[0]}]"] * 2


def test_an_error_is_the_hosts_and_one_span_stands_for_the_batch(calls: Any) -> None:
    """Wrong input raises as ever, and the failed calls are not lost to the error rate."""
    model = GaussianNB().fit(X, Y)

    with pytest.raises(ValueError, match="features"):
        model.predict(X[:10, :2])

    assert [(call.error_type, call.weight) for call in calls] == [("ValueError", 10.0)]


def test_one_row_inside_an_observed_call_is_that_call() -> None:
    """The decorated function and the model inside it are one AI call, counted once."""
    model = GaussianNB().fit(FRAME, Y)

    @tocsin.observe("reader")
    def read() -> None:
        model.predict_proba(FRAME[:1])
        tocsin.current_call().set_input(page=3)

    with capture() as calls:
        tocsin.instrument_sklearn()
        read()

    assert len(calls) == 1
    assert calls[0].inputs == dict(zip(FRAME.columns, X[0], strict=True)) | {"page": 3}
    assert calls[0].label in {"0", "1"}
    assert calls[0].confidence is not None


def test_several_rows_inside_an_observed_call_are_calls_below_it() -> None:
    """A batch is not one call, whoever asked for it."""
    model = GaussianNB().fit(FRAME, Y)
    with capture() as calls:
        tocsin.instrument_sklearn("reader")
        with tocsin.observe("nightly"):
            model.predict(FRAME[:2])

    assert [call.use_case for call in calls] == ["reader", "reader", "nightly"]
    assert len({call.call_id[:32] for call in calls}) == 1


def test_uninstrumenting_gives_the_methods_back() -> None:
    """Nothing of ours stays behind, neither on classes nor on the import system."""
    before = (GaussianNB.predict_proba, LogisticRegression.__dict__["predict_proba"], list(sys.meta_path))
    with capture():
        tocsin.instrument_sklearn("reader")
        assert GaussianNB.predict_proba is not before[0]
        tocsin.uninstrument_sklearn()

    assert (GaussianNB.predict_proba, LogisticRegression.__dict__["predict_proba"], list(sys.meta_path)) == before
    assert "__init_subclass__" not in BaseEstimator.__dict__


def test_instrumenting_twice_records_once() -> None:
    """A library and its application may both ask; the last settings hold."""
    model = GaussianNB().fit(X, Y)
    with capture() as calls:
        tocsin.instrument_sklearn("first")
        tocsin.instrument_sklearn("second")
        model.predict(X[:1])

    assert [call.use_case for call in calls] == ["second"]


def test_an_empty_batch_is_no_call(calls: Any) -> None:
    """Zero rows are zero calls."""

    class Anything(BaseEstimator):  # type: ignore[misc]
        def predict(self, _inputs: Any) -> Any:
            return np.zeros(0)

    Anything().predict(np.zeros((0, 2)))

    assert calls == []
    assert tocsin.last_calls() == ()
