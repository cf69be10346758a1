"""One AI call while it happens: what it was given, what it answered, how sure it was, what it cost."""

import json
from collections.abc import Mapping
from contextvars import ContextVar, Token
from itertools import islice
from typing import Any, Final

from opentelemetry import context as otel_context
from opentelemetry.trace import Span, StatusCode, set_span_in_context

from tocsin._calls import values
from tocsin._calls.handles import call_id, handle_of
from tocsin._calls.last import LAST
from tocsin._calls.values import Flags, Scalar, add_flag
from tocsin._process.boundary import MISHAPS, Swallow, type_name
from tocsin._process.runtime import Runtime
from tocsin_wire import attributes as keys

CURRENT: Final[ContextVar["Call | None"]] = ContextVar("tocsin_call", default=None)

_IN_INPUTS: Final = Swallow("call.set_inputs")
_IN_OUTPUT: Final = Swallow("call.set_output")
_IN_CONFIDENCE: Final = Swallow("call.confidence")
_IN_COST: Final = Swallow("call.set_cost")
_IN_MODEL: Final = Swallow("call.set_model")
_IN_HANDLE: Final = Swallow("call.handle")


class Call:
    """One AI call. Every method is safe: values that do not fit are cut, coerced or left out, and flagged."""

    __slots__ = (
        "_attributes",
        "_confidence",
        "_ended",
        "_flags",
        "_initial",
        "_inputs",
        "_nulls",
        "_runtime",
        "_segments",
        "_span",
        "_started_ns",
        "_tokens",
    )

    def __init__(
        self,
        runtime: Runtime,
        span: Span,
        started_ns: int,
        attributes: Mapping[str, Scalar],
        segments: tuple[str, ...] = (),
    ) -> None:
        self._runtime = runtime
        self._span = span
        self._started_ns = started_ns
        self._initial = attributes
        self._attributes: dict[str, Scalar] = dict(attributes)
        self._inputs: dict[str, Scalar] = {}
        self._nulls: dict[str, None] = {}
        self._flags: Flags = {}
        self._confidence: float | None = None
        self._segments = segments
        self._ended = False
        self._tokens: tuple[Token[Call | None], Any] | None = None

    def set_input(self, **fields: Any) -> None:
        """Record input features by name."""
        self.set_inputs(fields)

    def set_inputs(self, fields: Mapping[str, Any]) -> None:
        """Record input features; names need not be identifiers. At most 128 a call."""
        with _IN_INPUTS:
            room = values.FIELD_LIMIT - len(self._inputs) - len(self._nulls)
            for field, value in islice(fields.items(), max(room, 0)):
                self._set_input(field, value)
            if len(fields) > room:
                add_flag(self._flags, f"fields_dropped:{len(fields) - max(room, 0)}")

    def set_output(
        self,
        *,
        label: Any = None,
        value: Any = None,
        text: str | None = None,
        probabilities: Mapping[Any, float] | None = None,
    ) -> None:
        """Record the answer: a class, a number or text, and the probability of each class.

        Probabilities without a label name the likeliest class, and without a confidence its probability is the
        confidence.
        """
        with _IN_OUTPUT:
            if label is not None:
                self._attributes[keys.OUTPUT_LABEL] = values.text(values.label_text(label), self._flags, "label")
        with _IN_OUTPUT:
            if value is not None:
                number = values.finite(value)
                if number is None:
                    add_flag(self._flags, "not_finite:output")
                else:
                    self._attributes[keys.OUTPUT_VALUE] = number
        with _IN_OUTPUT:
            if text is not None:
                written = text if isinstance(text, str) else values.label_text(text)
                self._attributes[keys.OUTPUT_TEXT] = values.text(written, self._flags, "output")
        with _IN_OUTPUT:
            if probabilities:
                self._set_probabilities(probabilities)

    @property
    def confidence(self) -> float | None:
        """How sure the model says it is, 0 to 1; None when it did not say."""
        return self._confidence

    @confidence.setter
    def confidence(self, value: Any) -> None:
        self.set_confidence(value)

    def set_confidence(self, value: Any, source: str = "self_reported") -> None:
        """Record the confidence and where it comes from: proba, logprob, margin or self_reported."""
        with _IN_CONFIDENCE:
            number = values.finite(value)
            if number is None or not 0 <= number <= 1:
                add_flag(self._flags, "confidence_out_of_range")
            if number is not None:
                self._confidence = number
                self._attributes[keys.CONFIDENCE] = number
                self._attributes[keys.CONFIDENCE_SOURCE] = str(source)

    def set_cost(self, amount: float, currency: str = "USD", source: str = "local") -> None:
        """Record what the call cost; leave it out when unknown, since 0 means free."""
        with _IN_COST:
            number = values.finite(amount)
            if number is None:
                add_flag(self._flags, "not_finite:cost")
                return
            self._attributes[keys.COST_AMOUNT] = number
            self._attributes[keys.COST_CURRENCY] = str(currency)[:8]
            self._attributes[keys.COST_SOURCE] = str(source)

    def set_model(
        self, name: str | None = None, version: str | None = None, *, prompt_version: str | None = None
    ) -> None:
        """Say which model and prompt answered, when it turns out during the call."""
        with _IN_MODEL:
            for key, value in (
                (keys.MODEL_NAME, name),
                (keys.MODEL_VERSION, version),
                (keys.PROMPT_VERSION, prompt_version),
            ):
                if value is not None:
                    self._attributes[key] = values.text(str(value), self._flags, "model")

    def set_attempt(self, attempt: int, retry_of: str = "") -> None:
        """Say which attempt this is, from 1, and the call id of the first: every attempt is a call and is costed."""
        with _IN_MODEL:
            self._attributes[keys.ATTEMPT] = int(attempt)
            if retry_of:
                self._attributes[keys.RETRY_OF] = values.text(str(retry_of), self._flags, "retry_of")

    @property
    def call_id(self) -> str:
        """The key by which outcomes find this call."""
        context = self._span.get_span_context()
        return str(self._attributes.get(keys.CALL_ID) or call_id(context.trace_id, context.span_id))

    @property
    def handle(self) -> str:
        """What `record_outcome` wants, with the answer as known by now: read it after ``set_output``.

        Empty when nothing is recorded.
        """
        with _IN_HANDLE:
            if not self._span.get_span_context().is_valid:
                return ""
            known = {**self._inputs_of_segments(), **self._attributes}
            model = self._attributes.get(keys.MODEL_NAME) or getattr(self._span, "name", "")
            return handle_of(
                known,
                use_case=f"{self._runtime.service_name}/{model}",
                call_id=self.call_id,
                started_ns=self._started_ns,
                segments=self._segments,
            )
        return ""

    def handles(self) -> tuple[str, ...]:
        """Return the handle, as `last_calls` does."""
        return (self.handle,)

    @property
    def use_case(self) -> str | None:
        """The AI feature, when the call names one."""
        named = self._attributes.get(keys.USE_CASE)
        return str(named) if named else None

    def complete(self, attributes: Mapping[str, Scalar]) -> None:
        """Add what an instrumented model inside this call knows and the host has not said."""
        for key, value in attributes.items():
            if key.startswith(keys.INPUT_PREFIX):
                self._inputs.setdefault(key, value)
            elif key == keys.NULL_INPUTS:
                self._nulls.update(dict.fromkeys(json.loads(str(value))))
            elif key == keys.FLAGS:
                for flag in str(value).split(","):
                    add_flag(self._flags, flag)
            else:
                self._attributes.setdefault(key, value)
        confidence = self._attributes.get(keys.CONFIDENCE)
        self._confidence = confidence if isinstance(confidence, float) else None

    def _inputs_of_segments(self) -> dict[str, Scalar]:
        wanted = (keys.INPUT_PREFIX + name for name in self._segments)
        return {key: self._inputs[key] for key in wanted if key in self._inputs}

    def _set_input(self, field: Any, value: Any) -> None:
        name = values.name(field, self._flags)
        try:
            known = values.scalar(value, self._flags, name)
        except Exception as error:
            add_flag(self._flags, f"unreadable:{name}")
            MISHAPS.note("call.set_inputs", error)
            return
        if known is None:
            self._nulls[name] = None
        else:
            self._inputs[keys.INPUT_PREFIX + name] = known

    def _set_probabilities(self, probabilities: Mapping[Any, float]) -> None:
        known = {
            values.name(label, self._flags): number
            for label, probability in islice(probabilities.items(), values.FIELD_LIMIT)
            if (number := values.finite(probability)) is not None
        }
        if len(probabilities) > len(known):
            add_flag(self._flags, f"probabilities_dropped:{len(probabilities) - len(known)}")
        for label, number in known.items():
            self._attributes[keys.PROBABILITY_PREFIX + label] = number
        if not known:
            return
        best = max(known, key=lambda label: known[label])
        self._attributes.setdefault(keys.OUTPUT_LABEL, best)
        if self._confidence is None:
            self.set_confidence(known[best], "proba")

    def _enter(self) -> None:
        self._tokens = (CURRENT.set(self), otel_context.attach(set_span_in_context(self._span)))

    def _leave(self) -> None:
        if self._tokens is not None:
            ours, theirs = self._tokens
            self._tokens = None
            otel_context.detach(theirs)
            CURRENT.reset(ours)

    def _finish(self, error: BaseException | None = None) -> None:
        """End the span. The first time counts."""
        if self._ended:
            return
        self._ended = True
        if self._span.is_recording():
            if error is not None:
                self._attributes[keys.ERROR_TYPE] = type_name(error)
                self._span.set_status(StatusCode.ERROR, type_name(error))
            self._span.set_attributes(self._fitted())
        self._span.end(end_time=self._runtime.clock())
        LAST.set(self)

    def _fitted(self) -> dict[str, Scalar]:
        """All attributes, with so many inputs left out that what names the call fits the span's limit."""
        limit = getattr(getattr(self._span, "_limits", None), "max_span_attributes", None)
        room = len(self._inputs) if limit is None else limit - len(self._attributes) - 2
        inputs = self._inputs
        if len(inputs) > room:
            add_flag(self._flags, f"fields_dropped:{len(inputs) - max(room, 0)}")
            inputs = dict(islice(inputs.items(), max(room, 0)))
        fitted = inputs | self._attributes
        if len(fitted) + 2 < (limit or len(fitted) + 3):
            # What the span has carried since its start need not be set again ...
            for key, value in self._initial.items():
                if fitted[key] is value:
                    del fitted[key]
        # ... unless the span is full: OpenTelemetry drops the oldest attribute, and what names the call comes last.
        if self._nulls:
            fitted[keys.NULL_INPUTS] = json.dumps(list(self._nulls))
        if self._flags:
            fitted[keys.FLAGS] = ",".join(self._flags)
        return fitted
