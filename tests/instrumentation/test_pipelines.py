"""Pipelines without the library: how results are read, streams sampled and classes patched. Real ones: test_transformers.py."""

import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import tocsin
from tocsin._models.operation import Operation
from tocsin._models.pipeline_answers import read_results
from tocsin._models.streaming import _Picks
from tocsin.testing import capture

CHAT = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "hello"}]


@pytest.mark.parametrize(
    ("result", "task", "label", "confidence", "text"),
    [
        ([{"label": "spam", "score": 0.9}], "classification", "spam", 0.9, None),
        ({"label": "spam", "score": 0.9}, "classification", "spam", 0.9, None),
        ([{"label": "a", "score": 0.2}, {"label": "b", "score": 0.8}], "classification", "b", 0.8, None),
        ({"sequence": "x", "labels": ["b", "a"], "scores": [0.7, 0.3]}, "classification", "b", 0.7, None),
        ([{"entity_group": "PER", "score": 0.9, "word": "Ada"}], "extraction", "PER", 0.9, "Ada: PER"),
        ([{"label": "cat", "score": 0.4, "box": {}}, {"label": "cat", "score": 0.9}], "extraction", "cat", 0.4, None),
        ([], "extraction", "none", None, None),
        ({"answer": "Ada", "score": 0.6, "start": 0, "end": 3}, "extraction", None, 0.6, "Ada"),
        ([{"generated_text": "hello you there"}], "generation", None, None, " there"),
        ([{"generated_text": [*CHAT, {"role": "assistant", "content": "hi"}]}], "generation", None, None, "hi"),
        ([[{"generated_text": "one"}], [{"generated_text": "two"}]], "generation", None, None, "one"),
        ([{"summary_text": "short"}], "generation", None, None, "short"),
        ({"text": "spoken"}, "extraction", None, None, "spoken"),
    ],
)
def test_results_are_read_by_their_shape(
    result: Any, task: str, label: str | None, confidence: float | None, text: str | None
) -> None:
    """Each task's pipeline answers in a form of its own, and some in two."""
    answers = read_results([result], ["hello you"], task)

    assert (answers.labels or [None])[0] == label
    assert (answers.confidences or [None])[0] == confidence
    assert (answers.texts or [None])[0] == text
    assert not answers.flags


def test_scores_of_classes_that_do_not_exclude_each_other_are_no_probabilities() -> None:
    """Calibration and drift read probabilities as shares of one."""
    answers = read_results([[{"label": "a", "score": 0.9}, {"label": "b", "score": 0.8}]], [None], "classification")

    assert (answers.labels, answers.probabilities) == (["a"], None)
    assert list(answers.flags) == ["multilabel"]


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["label", "score", "labels", "scores", "entity", "word", "generated_text", "answer", "x"]),
            inner,
        )
    ),
    max_leaves=8,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # a loaded machine is slow, not broken
@given(
    st.lists(JSON, min_size=1, max_size=3),
    st.sampled_from(["classification", "extraction", "generation", "regression"]),
)
def test_any_result_is_read_or_flagged(results: list[Any], task: str) -> None:
    """A pipeline of the host's own may return anything; whatever it is, there is one entry per row."""
    answers = read_results(results, [], task)

    for said in (answers.labels, answers.values, answers.texts, answers.confidences, answers.probabilities):
        assert said is None or len(said) == len(results)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 3_000), st.integers(1, 50))
def test_weights_of_a_stream_sum_to_its_answers(offered: int, limit: int) -> None:
    """Counts are exact however long it is, and so is what is kept bounded: it grows with the logarithm of what comes."""
    picks = _Picks(limit)
    operation = Operation(None, "", (), {}, None, 0, 0, print, lambda _: None)

    picked = [one for one in (*(picks.offer(operation) for _ in range(offered)), picks.rest()) if one is not None]

    assert sum(weight for _, weight in picked) == offered
    assert len(picked) <= limit * (2 + max(offered // limit, 1).bit_length())


@pytest.fixture
def base() -> Iterator[Any]:
    """The library as far as it is patched: a module with a class whose subclasses are called."""
    module = ModuleType("transformers.pipelines.base")

    class Pipeline:
        def __init__(self, task: str) -> None:
            self.task = task
            self.model = self

        def __call__(self, inputs: Any, **_: Any) -> Any:
            if isinstance(inputs, list):
                return [self.answer(one) for one in inputs]
            return (self.answer(one) for one in inputs) if hasattr(inputs, "__next__") else [self.answer(inputs)]

        def answer(self, given: Any) -> dict[str, Any]:
            if given == "fail":
                raise RuntimeError(given)
            return {"label": "long" if len(given) > 3 else "short", "score": 0.75}

    Pipeline.__module__ = module.__name__
    module.Pipeline = Pipeline  # type: ignore[attr-defined]
    sys.modules[module.__name__] = module
    yield module
    del sys.modules[module.__name__]


def test_the_outermost_call_of_a_class_of_the_hosts_own_counts(base: Any) -> None:
    """Registered pipelines derive from the library's, and call what they override."""
    with capture() as calls:
        tocsin.instrument_transformers("mine")

        class Mine(base.Pipeline):  # type: ignore[misc] - made after we came
            def __call__(self, inputs: Any, **options: Any) -> Any:
                return super().__call__(inputs, **options)

        Mine("text-classification")(inputs=["abcd", "a"])
        tocsin.uninstrument_transformers()
        Mine("text-classification")("uncounted")

    assert [(call.label, call.confidence, call.use_case) for call in calls] == [
        ("long", 0.75, "mine"),
        ("short", 0.75, "mine"),
    ]
    assert all(call.name == "pipeline" for call in calls)


def test_a_conversation_is_one_input(base: Any) -> None:
    """It is a list, as a batch is."""
    with capture() as calls:
        tocsin.instrument_transformers("mine")
        base.Pipeline.answer = lambda _self, _given: [{"generated_text": "hi"}]
        base.Pipeline("text-generation")(tuple(CHAT))
        tocsin.uninstrument_transformers()

    (call,) = calls
    assert (call.text, call.task) == ("hi", "generation")
    assert call.inputs["prompt.chars"] == 5
    assert call.inputs["prompt.context_chars"] == 13


def test_a_stream_that_breaks_or_is_left_counts_what_was_answered(base: Any) -> None:
    """The host's error is the host's; a loop that ends early still made its calls."""
    with capture() as calls:
        tocsin.instrument_transformers("mine", max_rows=2)
        pipe = base.Pipeline("text-classification")
        stream = iter(pipe(one for one in ["a", "b", "c", "d", "e", "fail"]))
        taken = [next(stream) for _ in range(5)]
        with pytest.raises(RuntimeError, match="fail"):
            next(stream)
        left = pipe(one for one in ["a", "b", "c"])
        for _ in left:
            break
        del left, stream
        tocsin.uninstrument_transformers()

    assert len(taken) == 5
    assert sum(call.weight for call in calls if call.error_type is None) == 6
    assert [call.error_type for call in calls if call.error_type] == ["RuntimeError"]
