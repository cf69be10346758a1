"""Anything callable, wrapped in one line: plain and async, one answer or many, functions and methods."""

from typing import Any

import numpy as np
import pytest
from sklearn.naive_bayes import GaussianNB

import tocsin
from tocsin.testing import capture

X = np.random.default_rng(5).normal(size=(40, 2))


def test_a_function_of_a_batch_is_a_call_per_row() -> None:
    """Rows pair with answers, and the host gets its own object."""
    answer = np.array([1.5, 2.5])
    with capture() as calls:
        score = tocsin.wrap(lambda _rows: answer, "price", task="regression", feature_names=["a", "b"])

        assert score(X[:2]) is answer

    assert [(call.use_case, call.value, dict(call.inputs)) for call in calls] == [
        ("price", 1.5, {"a": X[0, 0], "b": X[0, 1]}),
        ("price", 2.5, {"a": X[1, 0], "b": X[1, 1]}),
    ]


def test_probabilities_are_read_when_told() -> None:
    """One number a row is the second class's."""
    with capture() as calls:
        tocsin.wrap(lambda _rows: np.array([0.9]), "churn", probabilities=True, classes=["stays", "leaves"])(X[:1])

    assert (calls[0].label, calls[0].confidence) == ("leaves", 0.9)


async def test_async_functions_and_single_answers() -> None:
    """A record in, a word out."""

    async def triage(_ticket: dict[str, Any]) -> str:
        return "hardware"

    with capture() as calls:
        assert await tocsin.wrap(triage, "triage")({"words": 7}) == "hardware"

    assert (calls[0].label, dict(calls[0].inputs)) == ("hardware", {"words": 7})


def test_a_wrapped_method_of_an_instrumented_model_is_one_call() -> None:
    """Both ways of watching the same model must not count twice."""
    model = GaussianNB().fit(X, X[:, 0] > 0)
    with capture() as calls:
        tocsin.instrument_sklearn("inner")
        tocsin.wrap(model.predict_proba, "outer", probabilities=True)(X[:1])

    assert [call.use_case for call in calls] == ["outer"]


def test_errors_are_the_hosts() -> None:
    """And are recorded as such."""

    def fails(_row: Any) -> None:
        raise LookupError("no model")

    with capture() as calls, pytest.raises(LookupError):
        tocsin.wrap(fails, "triage")({"words": 7})

    assert calls[0].error_type == "LookupError"


def test_what_cannot_be_read_is_the_hosts_all_the_same() -> None:
    """A reader of the host's own that raises is ours to swallow."""
    with capture():
        assert tocsin.wrap(lambda row: row, "echo", output=lambda result: result.nothing)(3) == 3
