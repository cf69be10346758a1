"""What is said of one call while it happens.

The caller's thread keeps references. Values are checked, cut and put on the wire by `settling.settle`, on the thread that
exports. What could change in between is converted at once: only values of `values.UNCHANGING` types wait as they are, and
of a mapping a shallow copy is kept.
"""

import json
from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any, Final, TypeAlias

from tocsin._calls import values
from tocsin._calls.settling import best_of, settle
from tocsin._calls.values import UNCHANGING, Flags, Scalar, add_flag
from tocsin._process.boundary import MISHAPS, Swallow
from tocsin_wire import attributes as keys

Deferred: TypeAlias = Callable[[dict[str, Scalar]], None]

_IN_MODEL: Final = Swallow("call.set_model")
_NO_INPUTS: Final[dict[str, Any]] = {}
_TEXT: Final = frozenset({str})
_FLOATS: Final = frozenset({float})


class Record:
    """What was said of a call. Every method is safe: values that do not fit are cut, coerced or left out, and flagged.

    What others in this package may fill (all of it is read on the exporting thread, once the call has ended):

    - ``call.say(key, value)`` sets an attribute by its wire key; ``call.complete({key: value})`` only what nobody has said.
    - ``call.deferred`` is a list of functions that the exporting thread runs, in order, with the attributes of the ended
      call, a plain dict that they may change, just before the span is read for the first time. What they need they keep
      themselves, and it must not change in between. A function may run more than once (two processors of the host's may
      read the span at the same time): it works from what it is given. What it raises is swallowed and counted.
    - ``call.set_response_id(id)`` says which response answered; a span inside that carries the same id is the same call.
    """

    __slots__ = ("_deferred", "_flags", "_inputs", "_probabilities", "_said")

    def __init__(self, said: dict[str, Any]) -> None:
        self._said = said  # by wire key, not yet checked
        self._inputs = _NO_INPUTS  # by field name, not yet checked; this one is shared and never changed
        self._probabilities: dict[Any, float] | None = None
        self._flags: Flags | None = None
        self._deferred: list[Deferred] | None = None

    def set_input(self, **fields: Any) -> None:
        """Record input features by name."""
        self._keep(fields, fields)

    def set_inputs(self, fields: Mapping[str, Any]) -> None:
        """Record input features; names need not be identifiers. At most 128 a call."""
        self._keep(fields, None)

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
        if label is not None:
            if type(label) is str:
                self._said[keys.OUTPUT_LABEL] = label
            else:
                self._set_label(label)
        if value is not None:
            if type(value) is float:
                self._said[keys.OUTPUT_VALUE] = value
            else:
                self._set_value(value)
        if text is not None:
            self._set_text(text)
        if probabilities is not None:
            self._set_probabilities(probabilities)

    @property
    def confidence(self) -> float | None:
        """How sure the model says it is, 0 to 1; None when it did not say."""
        said = self._said.get(keys.CONFIDENCE)
        if said is None and self._probabilities:
            return self._probabilities[best_of(self._probabilities)]
        return said

    @confidence.setter
    def confidence(self, value: Any) -> None:
        self.set_confidence(value)

    @property
    def model_version(self) -> str | None:
        """Which version answers; None when nobody said."""
        said = self._said.get(keys.MODEL_VERSION)
        return None if said is None else str(said)

    @property
    def decision(self) -> str:
        """What the guard made of it: answer, verify ("verify this") or fallback."""
        return str(self._said.get(keys.GUARD_DECISION) or "answer")

    def set_confidence(self, value: Any, source: str = "self_reported") -> None:
        """Record the confidence and where it comes from: proba, logprob, margin or self_reported."""
        said = self._said
        if type(value) is float and 0.0 <= value <= 1.0 and type(source) is str:
            said[keys.CONFIDENCE] = value
            said[keys.CONFIDENCE_SOURCE] = source
            return
        try:
            number = values.finite(value)
            if number is None or not 0 <= number <= 1:
                self._flag("confidence_out_of_range")
            if number is not None:
                origin = str(source)
                said[keys.CONFIDENCE] = number
                said[keys.CONFIDENCE_SOURCE] = origin
        except Exception as error:
            MISHAPS.note("call.confidence", error)

    def set_cost(self, amount: float, currency: str = "USD", source: str = "local") -> None:
        """Record what the call cost; leave it out when unknown, since 0 means free."""
        said = self._said
        try:
            if type(amount) is not float or type(currency) is not str or type(source) is not str:
                number = values.finite(amount)
                if number is None:
                    self._flag("not_finite:cost")
                    return
                amount, currency, source = number, str(currency), str(source)
            said[keys.COST_AMOUNT] = amount
            said[keys.COST_CURRENCY] = currency
            said[keys.COST_SOURCE] = source
        except Exception as error:
            MISHAPS.note("call.set_cost", error)

    def set_tokens(self, input: int | None = None, output: int | None = None) -> None:  # noqa: A002 - their names
        """Record how many tokens were read and written, where no instrumentation of the client does."""
        with _IN_MODEL:
            for key, count in ((keys.INPUT_TOKENS, input), (keys.OUTPUT_TOKENS, output)):
                if count is not None:
                    self._said[key] = int(count)

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
                    self._said[key] = values.text(str(value), self._our_flags(), "model")

    def set_response_id(self, response_id: str) -> None:
        """Say which response of a provider answered: spans that share it, inside and out, are one call.

        A call that several responses went into is none of them: it then keeps no id, and each response counts by itself.
        """
        with _IN_MODEL:
            known = self._said.get(keys.RESPONSE_ID)
            written = values.words(response_id)
            if written is not None and known is None:
                self._said[keys.RESPONSE_ID] = written
            elif written != known:
                self._said[keys.RESPONSE_ID] = ""

    def set_key(self, key: Any) -> None:
        """Give your own key of this call, such as an order's number: outcomes may name the call by it. Need not be unique."""
        with _IN_MODEL:
            self._said[keys.CALL_KEY] = values.text(str(key), self._our_flags(), "key")

    def set_attempt(self, attempt: int, retry_of: str = "") -> None:
        """Say which attempt this is, from 1, and the call id of the first: every attempt is a call and is costed."""
        with _IN_MODEL:
            self._said[keys.ATTEMPT] = int(attempt)
            if retry_of:
                self._said[keys.RETRY_OF] = values.text(str(retry_of), self._our_flags(), "retry_of")

    @property
    def deferred(self) -> list[Deferred]:
        """What the exporting thread runs with the attributes before the span is built; see the class."""
        if self._deferred is None:
            self._deferred = []
        return self._deferred

    def say(self, key: str, value: Scalar) -> None:
        """Set one attribute by its wire key."""
        self._said[key] = value

    def complete(self, attributes: Mapping[str, Scalar]) -> None:
        """Add what an instrumented model inside this call knows and the host has not said."""
        inputs = dict(self._inputs)
        for key, value in attributes.items():
            if key.startswith(keys.INPUT_PREFIX):
                inputs.setdefault(key.removeprefix(keys.INPUT_PREFIX), value)
            elif key == keys.NULL_INPUTS:
                for name in json.loads(str(value)):
                    inputs.setdefault(name, None)
            elif key == keys.FLAGS:
                for flag in str(value).split(","):
                    self._flag(flag)
            else:
                self._said.setdefault(key, value)
        self._inputs = inputs

    def settled(self, *, limit: int | None = None) -> dict[str, Scalar]:
        """Read what was said so far as attributes, without what is deferred."""
        return settle(self._said, self._inputs, self._probabilities, self._flags, limit)

    def run_deferred(self, attributes: dict[str, Scalar]) -> None:
        """Run what was put off until the attributes of the ended call are known."""
        for run in self._deferred or ():
            try:
                run(attributes)
            except Exception as error:
                MISHAPS.note("call.deferred", error)

    def _flag(self, flag: str) -> None:
        add_flag(self._our_flags(), flag)

    def _our_flags(self) -> Flags:
        if self._flags is None:
            self._flags = {}
        return self._flags

    def _keep(self, fields: Mapping[str, Any], own: dict[str, Any] | None) -> None:
        """Keep input features; `own` is a dict that nobody else holds."""
        inputs = self._inputs
        try:  # a with-block per setter would cost more than the setter
            if (
                type(fields) is dict
                and len(fields) + len(inputs) <= values.FIELD_LIMIT
                and UNCHANGING.issuperset(map(type, fields.values()))
                and _TEXT.issuperset(map(type, fields))
            ):
                if inputs is _NO_INPUTS:
                    self._inputs = fields.copy() if own is None else own
                else:
                    inputs.update(fields)
            else:
                self._convert_inputs(fields)
        except Exception as error:
            MISHAPS.note("call.set_inputs", error)

    def _convert_inputs(self, fields: Mapping[str, Any]) -> None:
        """Keep what could change, or is of no kind that we know, as what it says now."""
        flags = self._our_flags()
        inputs = self._inputs = dict(self._inputs)
        room = max(values.FIELD_LIMIT - len(inputs), 0)
        for field, value in islice(fields.items(), room):
            name = values.name(field, flags)
            try:
                inputs[name] = values.scalar(value, flags, name)
            except Exception as error:
                add_flag(flags, f"unreadable:{name}")
                MISHAPS.note("call.set_inputs", error)
        if len(fields) > room:
            add_flag(flags, f"fields_dropped:{len(fields) - room}")

    def _set_label(self, label: Any) -> None:
        try:
            self._said[keys.OUTPUT_LABEL] = values.label_text(label)
        except Exception as error:
            MISHAPS.note("call.set_output", error)

    def _set_value(self, value: Any) -> None:
        try:
            number = values.finite(value)
            if number is None:
                self._flag("not_finite:output")
            else:
                self._said[keys.OUTPUT_VALUE] = number
        except Exception as error:
            MISHAPS.note("call.set_output", error)

    def _set_text(self, text: Any) -> None:
        try:
            written = text if type(text) is str else values.label_text(text)
            # One character too many still says that something was cut, and does not keep megabytes waiting.
            self._said[keys.OUTPUT_TEXT] = written[: values.TEXT_LIMIT + 1]
        except Exception as error:
            MISHAPS.note("call.set_output", error)

    def _set_probabilities(self, probabilities: Mapping[Any, float]) -> None:
        try:
            if (
                type(probabilities) is dict
                and len(probabilities) <= values.FIELD_LIMIT
                and _FLOATS.issuperset(map(type, probabilities.values()))
                and _TEXT.issuperset(map(type, probabilities))
            ):
                known = probabilities.copy()
            else:
                known = values.chances(probabilities, self._our_flags())
            self._probabilities = self._probabilities | known if self._probabilities else known
        except Exception as error:
            MISHAPS.note("call.set_output", error)
