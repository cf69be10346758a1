"""The rows of one operation as calls: attributes and handles, made from kept copies when somebody reads them."""

import json
from collections.abc import Callable, Sequence
from typing import Any, Final

from opentelemetry.trace import SpanContext

from tocsin._calls import values
from tocsin._calls.handles import call_id, handle_of
from tocsin._calls.values import Flags, Scalar, add_flag
from tocsin._models.answers import Answers
from tocsin._models.columns import Read, Table
from tocsin._models.sampling import Sample
from tocsin._process.boundary import MISHAPS, Swallow
from tocsin_wire import attributes as keys

_IN_PROMPT: Final = Swallow("models.prompt")


class Batch:
    """The recorded rows of an operation. Reading them costs most of what a call costs, and is the exporting thread's work.

    Args:
        shared: What all rows say alike.
        read_inputs: Reads the recorded rows' inputs.
        read_answers: Reads their answers.
        recorded: How many rows are recorded.
        sample: Which rows those are, and their weights; None for all.
        count: Rows of the operation.
        use_case: For handles, when `shared` names none.
        segments: Input fields that handles carry.
    """

    __slots__ = (
        "_count",
        "_prompts",
        "_read_answers",
        "_read_inputs",
        "_recorded",
        "_rows",
        "_sample",
        "_segments",
        "_shared",
        "_started_ns",
        "_use_case",
        "contexts",
        "names_calls",
    )

    def __init__(
        self,
        shared: dict[str, Scalar],
        read_inputs: Read,
        read_answers: Callable[[], Answers],
        *,
        recorded: int,
        sample: Sample | None,
        count: int,
        started_ns: int,
        use_case: str,
        segments: tuple[str, ...],
    ) -> None:
        self._shared = shared
        self._read_inputs = read_inputs
        self._read_answers = read_answers
        self._recorded = recorded
        self._sample = sample
        self._count = count
        self._started_ns = started_ns
        self._use_case = use_case
        self._segments = segments
        self._rows: list[dict[str, Scalar]] | None = None
        self._prompts: Sequence[Any] = ()
        self.contexts: Sequence[SpanContext] = ()
        # Without a use case, the call id is what tells the collector that a span is an AI call.
        self.names_calls = keys.USE_CASE not in shared

    def __len__(self) -> int:
        return self._recorded

    @property
    def shared(self) -> dict[str, Scalar]:
        """What all rows say alike: all that a sampler is shown."""
        return self._shared

    def rows(self) -> list[dict[str, Scalar]]:
        """Read the rows, once. Two threads that ask at the same moment both read, and find the same."""
        if self._rows is None:
            rows, prompts = self.read()
            for at, prompt in enumerate(prompts):
                _measure(rows[at], prompt)
            self._prompts = prompts
            self._rows = rows
            self._read_inputs = Table  # the copies are needed no more
            self._read_answers = Answers
        return self._rows

    def row(self, at: int) -> dict[str, Scalar]:
        """Read the attributes of one recorded row."""
        row = self.rows()[at]
        if at < len(self.contexts) and (self.names_calls or self._prompts):
            context = self.contexts[at]
            named = call_id(context.trace_id, context.span_id)
            if self.names_calls:
                row[keys.CALL_ID] = named
            if self._prompts:
                _keep_words(row, self._prompts[at], named)
        return row

    def handles(self) -> tuple[str, ...]:
        """Write the handles, one per row of the operation; empty for rows that were left out."""
        handles = [""] * self._count
        places = self._sample.rows if self._sample is not None else range(self._recorded)
        for at, row, context in zip(places, self.rows(), self.contexts, strict=False):
            handles[at] = handle_of(
                row,
                use_case=self._use_case,
                call_id=call_id(context.trace_id, context.span_id),
                started_ns=self._started_ns,
                segments=self._segments,
            )
        return tuple(handles)

    def read(self) -> tuple[list[dict[str, Scalar]], Sequence[Any]]:
        """Read the rows, and the prompts that nobody has measured yet."""
        flags: Flags = {}
        answers, table = self._answers(flags), self._table(flags)
        weights = self._sample.weights if self._sample is not None else None
        return make_rows(self._shared, table, answers, self._recorded, flags, weights), table.prompts

    def _answers(self, flags: Flags) -> Answers:
        try:
            return self._read_answers()
        except Exception as error:
            MISHAPS.note("models.answers", error)
            add_flag(flags, "output_unreadable")
            return Answers()

    def _table(self, flags: Flags) -> Table:
        try:
            return self._read_inputs()
        except Exception as error:
            # The answers are worth recording without the inputs.
            MISHAPS.note("models.inputs", error)
            add_flag(flags, "inputs_unreadable")
            return Table()


def _measure(row: dict[str, Scalar], prompt: Any) -> None:
    """Add the features of a prompt, unless the use case's policy wants none."""
    if prompt is None:
        return
    with _IN_PROMPT:
        from tocsin._privacy import policy
        from tocsin._prompts.stage import add_features

        if policy(_use_case(row)).wants_features:
            add_features(row, prompt)


def _keep_words(row: dict[str, Scalar], prompt: Any, named: str) -> None:
    """Add a prompt's words, where this call's may leave."""
    if prompt is None:
        return
    with _IN_PROMPT:
        from tocsin._privacy import policy
        from tocsin._prompts.stage import add_content

        if policy(_use_case(row)).may_keep_content(str(row.get(keys.CALL_ID) or named)):
            add_content(row, prompt)


def _use_case(row: dict[str, Scalar]) -> str | None:
    named = row.get(keys.USE_CASE)
    return named if isinstance(named, str) else None


def make_rows(  # noqa: PLR0917 - six things make a row
    shared: dict[str, Scalar], table: Table, answers: Answers, count: int, flags: Flags, weights: Sequence[int] | None
) -> list[dict[str, Scalar]]:
    """Write the attributes of each row."""
    shared = shared.copy()
    if found := {**flags, **table.flags, **answers.flags}:
        shared[keys.FLAGS] = ",".join(found)
    if answers.confidences is not None:
        shared[keys.CONFIDENCE_SOURCE] = answers.confidence_source
    input_keys = [keys.INPUT_PREFIX + name for name in table.names]
    class_keys = [keys.PROBABILITY_PREFIX + name for name in answers.classes]
    inputs = table.rows if len(table.rows) == count else [()] * count
    labels, numbers, texts = answers.labels, answers.values, answers.texts
    chances, confidences = answers.probabilities, answers.confidences
    rows = []
    for at in range(count):
        row = shared.copy()
        if at in table.holed:
            row.update((key, value) for key, value in zip(input_keys, inputs[at], strict=True) if value is not None)
            row[keys.NULL_INPUTS] = _nulls(table.names, inputs[at])
        else:
            row.update(zip(input_keys, inputs[at], strict=False))
        if labels is not None:
            row[keys.OUTPUT_LABEL] = labels[at]
        if numbers is not None:
            _set_finite(row, keys.OUTPUT_VALUE, numbers[at], "not_finite:output")
        if texts is not None:
            row[keys.OUTPUT_TEXT] = texts[at]
        if confidences is not None:
            _set_confidence(row, confidences[at], dict(zip(class_keys, chances[at], strict=True)) if chances else None)
        if weights is not None:
            row[keys.WEIGHT] = float(weights[at])
        rows.append(row)
    return rows


def _set_confidence(row: dict[str, Scalar], confidence: float | None, chances: dict[str, float] | None) -> None:
    if confidence is None:
        row.pop(keys.CONFIDENCE_SOURCE, None)
    elif 0.0 <= confidence <= 1.0:
        row[keys.CONFIDENCE] = confidence
        if chances is not None:
            row.update(chances)
    else:
        _set_finite(row, keys.CONFIDENCE, confidence, "confidence_out_of_range")
        _flag(row, "confidence_out_of_range")


def _nulls(names: Sequence[str], row: Sequence[Any]) -> str:
    return json.dumps([name for name, value in zip(names, row, strict=True) if value is None])


def _set_finite(row: dict[str, Scalar], key: str, value: float, flag: str) -> None:
    number = values.finite(value)
    if number is None:
        _flag(row, flag)
    else:
        row[key] = number


def _flag(row: dict[str, Scalar], flag: str) -> None:
    known = str(row.get(keys.FLAGS, ""))
    if flag not in known.split(","):
        row[keys.FLAGS] = f"{known},{flag}" if known else flag
