"""Batches: a million rows are a thousand calls whose weights are exact, read from copies, on another thread."""

import threading
from collections import Counter
from typing import Any

import cloudpickle
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.naive_bayes import GaussianNB

import tocsin
from tocsin._models.sampling import stratified_sample
from tocsin.testing import capture
from tocsin_wire import unpack_handle

RANDOM = np.random.default_rng(3)
X = RANDOM.normal(size=(200, 3))
Y = np.array(["rare", "usual"])[(X[:, 0] > -1.6).astype(int)]


class Echo(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Answers what it was told to."""

    def __init__(self, answer: Any = None) -> None:
        self.answer = answer

    def predict(self, _inputs: Any) -> Any:
        """Answer."""
        return self.answer


def test_a_million_rows_are_a_thousand_calls_with_exact_counts() -> None:
    """The rows, and the rows of each label, are known exactly, however rare the label."""
    inputs = np.resize(X, (1_000_000, 3))
    model = GaussianNB().fit(X, Y)
    with capture() as calls:
        tocsin.instrument_sklearn("reader")
        answers = model.predict(inputs)
        handles = tocsin.last_calls()

    weights: Counter[str] = Counter()
    for call in calls:
        weights[str(call.label)] += int(call.weight)
    assert len(calls) <= 1_000
    assert sum(call.weight for call in calls) == 1_000_000
    assert weights == Counter(answers.tolist())
    assert len(handles) == 1_000_000
    assert sum(bool(handle) for handle in handles) == len(calls)
    assert unpack_handle(next(filter(None, handles))).weight == calls[0].weight


@given(
    count=st.integers(1, 3_000),
    limit=st.integers(1, 300),
    seed=st.integers(0, 2**32),
    kinds=st.integers(1, 40),
)
def test_weights_sum_to_the_rows_of_each_label(count: int, limit: int, seed: int, kinds: int) -> None:
    """Whatever the sizes: whole numbers, ascending rows, none twice."""
    labels = np.random.default_rng(seed).geometric(0.3, count) % kinds

    sample = stratified_sample(count, limit, labels, seed)

    if sample is None:
        assert count <= limit
        return
    assert sum(sample.weights) == count
    assert min(sample.weights) >= 1
    assert sample.rows == sorted(set(sample.rows))
    assert len(sample.rows) <= limit
    if len(set(labels.tolist())) * 4 <= limit:
        summed: Counter[int] = Counter()
        for row, weight in zip(sample.rows, sample.weights, strict=True):
            summed[int(labels[row])] += weight
        assert summed == Counter(labels.tolist())


def test_every_row_is_as_likely_as_its_weight_says() -> None:
    """Weighted means are unbiased: over many samples each row's weight averages to one."""
    total = np.zeros(50)
    for seed in range(4_000):
        sample = stratified_sample(50, 7, None, seed)
        assert sample is not None
        total[sample.rows] += sample.weights

    assert total / 4_000 == pytest.approx(np.ones(50), abs=0.2)


def test_all_rows_are_recorded_when_asked_for() -> None:
    """A nightly job of ten thousand decisions may want each of them."""
    with capture() as calls:
        tocsin.instrument_sklearn("reader", max_rows=None)
        GaussianNB().fit(X, Y).predict(np.resize(X, (10_000, 3)))

    assert len(calls) == 10_000
    assert {call.weight for call in calls} == {1.0}


def test_rows_are_read_from_copies(monkeypatch: pytest.MonkeyPatch) -> None:
    """The host may reuse its buffers the moment it has its answer."""
    from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor

    from tocsin._process.runtime import runtime

    class Later(SpanProcessor):
        def __init__(self) -> None:
            self.spans: list[ReadableSpan] = []

        def on_end(self, span: ReadableSpan) -> None:
            self.spans.append(span)

    model = LogisticRegression().fit(X, Y)
    frame = pd.DataFrame(X[:1], columns=["a", "b", "c"])
    array = X[:1].copy()
    with capture():
        later = Later()
        provider: Any = runtime().provider
        processors = provider._active_span_processor
        monkeypatch.setattr(processors, "_span_processors", (later,))  # nobody reads a span at once
        tocsin.instrument_sklearn("reader")
        answers = [model.predict_proba(array)]
        with pytest.warns(UserWarning, match="feature names"):
            answers.append(model.predict_proba(frame))
        best = str(model.classes_[answers[0].argmax()])
        for answer in answers:
            answer[:] = 0.0
        array[:] = 7.0
        frame.loc[:, "a"] = 7.0

        read = [dict(span.attributes or {}) for span in later.spans]

    assert [row["tocsin.output.label"] for row in read] == [best, best]
    assert read[0]["tocsin.input.f0"] == X[0, 0]
    assert read[1]["tocsin.input.a"] == X[0, 0]


@pytest.mark.parametrize(
    "inputs",
    [
        pa.table({"a": list(range(3_000)), "b": ["x"] * 3_000}),
        pd.DataFrame({"a": range(3_000), "b": ["x"] * 3_000}),
        [{"a": at, "b": "x"} for at in range(3_000)],
    ],
    ids=["arrow", "pandas", "records"],
)
def test_the_sampled_rows_of_any_table_carry_their_own_inputs(inputs: Any) -> None:
    """A row that is paired with another's inputs would be worse than none."""
    with capture() as calls:
        tocsin.instrument_sklearn("reader")
        Echo(np.arange(3_000) % 7).predict(inputs)

    assert sum(call.weight for call in calls) == 3_000
    assert all(call.label == str(int(call.inputs["a"]) % 7) for call in calls)
    assert calls[0].inputs["b"] == "x"


class Odd:
    """Has a shape and nothing else."""

    shape = (2, "x")


ODD_FRAMES = [
    pd.DataFrame([[1, 2], [3, 4]], columns=["a", "a"]),
    pd.DataFrame({"a": [1, "x"], "b": [[1], {"k": 2}]}),
    pd.DataFrame({"a": pd.Categorical(["x", None]), "b": pd.to_datetime(["2026-01-01", None])}),
    pd.DataFrame(index=range(2)),
    pd.DataFrame({("a", 1): [1.0, 2.0], ("b", None): ["x" * 1_000_000, "y"]}),
    pd.Series([1.0, 2.0]),
    np.array([[1, None], ["x", b"\xff"]], dtype=object),
    np.array([["2026-01-01"], ["NaT"]], dtype="datetime64[ns]"),
    np.zeros((2, 0)),
    np.zeros((2, 3, 4)),
    np.array([[1 + 2j], [3j]]),
    [[1, 2], [3]],
    [None, None],
    [[], []],
    {"a": [1, 2]},
    "two",
    Odd(),
    iter([1, 2]),
    None,
]


@pytest.mark.parametrize("inputs", ODD_FRAMES, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize("rows", [2, 2_000], ids=["few", "many"])
def test_no_input_keeps_the_answer_from_the_host(inputs: Any, rows: int) -> None:
    """Two rows, or a sampled batch that claims more rows than its inputs have: the host gets its own object."""
    answer = np.array(["x", "y"])[np.arange(rows) % 2]
    model = Echo(answer)
    with capture() as calls:
        tocsin.instrument_sklearn("odd")
        assert model.predict(inputs) is answer

    assert sum(call.weight for call in calls) == rows
    assert {call.label for call in calls} == {"x", "y"}


@pytest.mark.parametrize(
    "answer",
    [None, 3, "x", [], [[]], (), {"a": 1}, np.float64(3), np.zeros((2, 2, 2)), [None, 1], object(), [np.zeros((2, 2))]],
    ids=lambda answer: type(answer).__name__,
)
def test_no_answer_keeps_itself_from_the_host(answer: Any) -> None:
    """What a method called predict may return is anything."""
    model = Echo(answer)
    with capture():
        tocsin.instrument_sklearn("odd")

        assert model.predict([[1.0], [2.0]]) is answer


def test_a_class_pickled_by_value_works_where_it_arrives() -> None:
    """Joblib's processes get estimators of ``__main__`` that way."""

    class Own(Echo):
        def predict(self, inputs: Any) -> Any:
            return super().predict(inputs)

    with capture() as calls:
        tocsin.instrument_sklearn("own")
        copy = cloudpickle.loads(cloudpickle.dumps(Own(np.array(["x"]))))

        assert copy.predict([[1.0]]).tolist() == ["x"]

    assert len(calls) == 1


def test_model_selection_and_its_scorers_are_not_production() -> None:
    """Cross validation asks every model about every row."""
    with capture() as calls:
        tocsin.instrument_sklearn("reader")
        cross_val_score(GaussianNB(), X, Y, cv=2, scoring="accuracy")

    assert calls == []


def test_several_targets_are_no_value_and_no_label() -> None:
    """Three quantiles are not one number; they are flagged, and their inputs kept."""
    with capture() as calls:
        tocsin.instrument_sklearn("price")
        LinearRegression().fit(X, X).predict(X[:1])
        LinearRegression().fit(X, X[:, :1]).predict(X[:1])

    assert (calls[0].value, calls[0].label, calls[0].flags) == (None, None, ("outputs:3",))
    assert calls[1].value is not None


def test_threads_record_their_own_calls() -> None:
    """A server's worker threads share the model."""
    model = GaussianNB().fit(X, Y)
    with capture() as calls:
        tocsin.instrument_sklearn("reader")
        threads = [threading.Thread(target=model.predict, args=(X[:1],)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert len(calls) == 8
