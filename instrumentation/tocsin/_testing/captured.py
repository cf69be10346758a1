"""Captured calls, and assertions about them whose messages say what came instead."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final, Self

from opentelemetry.sdk.trace import ReadableSpan

from tocsin_wire import attributes as keys
from tocsin_wire.v1.outcomes_pb2 import Outcome

_MOST_SHOWN: Final = 5  # calls in a message


@dataclass(frozen=True, slots=True, kw_only=True)
class CapturedCall:
    """One AI call as it would have left the process."""

    name: str
    use_case: str | None
    call_id: str
    start_ns: int
    end_ns: int
    task: str | None
    model_name: str | None
    model_version: str | None
    prompt_version: str | None
    inputs: Mapping[str, str | bool | int | float]
    null_inputs: tuple[str, ...]
    label: str | None
    value: float | None
    text: str | None
    probabilities: Mapping[str, float]
    confidence: float | None
    cost: float | None
    currency: str | None
    input_tokens: int | None
    output_tokens: int | None
    response_id: str | None
    weight: float
    guard_state: str | None
    served_by: str
    is_probe: bool
    error_type: str | None
    flags: tuple[str, ...]
    attributes: Mapping[str, Any] = field(repr=False)  # everything, as on the wire

    @classmethod
    def of(cls, span: ReadableSpan) -> Self:
        """Read a call off its span."""
        said: dict[str, Any] = dict(span.attributes or {})
        context = span.context
        ids = f"{context.trace_id:032x}{context.span_id:016x}" if context is not None else ""
        return cls(
            name=span.name,
            use_case=said.get(keys.USE_CASE),
            call_id=said.get(keys.CALL_ID) or ids,
            start_ns=span.start_time or 0,
            end_ns=span.end_time or 0,
            task=said.get(keys.TASK),
            model_name=said.get(keys.MODEL_NAME) or said.get(keys.RESPONSE_MODEL) or said.get(keys.REQUEST_MODEL),
            model_version=said.get(keys.MODEL_VERSION),
            prompt_version=said.get(keys.PROMPT_VERSION),
            inputs=_beginning_with(keys.INPUT_PREFIX, said),
            null_inputs=tuple(json.loads(said.get(keys.NULL_INPUTS, "[]"))),
            label=said.get(keys.OUTPUT_LABEL),
            value=said.get(keys.OUTPUT_VALUE),
            text=said.get(keys.OUTPUT_TEXT),
            probabilities=_beginning_with(keys.PROBABILITY_PREFIX, said),
            confidence=said.get(keys.CONFIDENCE),
            cost=said.get(keys.COST_AMOUNT),
            currency=said.get(keys.COST_CURRENCY),
            input_tokens=said.get(keys.INPUT_TOKENS),
            output_tokens=said.get(keys.OUTPUT_TOKENS),
            response_id=said.get(keys.RESPONSE_ID),
            weight=said.get(keys.WEIGHT, 1.0),
            guard_state=said.get(keys.GUARD_STATE),
            served_by=said.get(keys.SERVED_BY, "model"),
            is_probe=said.get(keys.PROBE, False),
            error_type=said.get(keys.ERROR_TYPE),
            flags=tuple(flag for flag in said.get(keys.FLAGS, "").split(",") if flag),
            attributes=said,
        )


class Captured(list[CapturedCall]):
    """The calls of a block, in the order in which they ended, and the outcomes that were recorded.

    What is expected is named by the fields of `CapturedCall`. Of ``inputs``, ``probabilities`` and ``attributes`` only the
    names given are compared; a field may be compared with anything that has an ``==``, such as ``pytest.approx(0.9)``.
    """

    def __init__(self) -> None:
        super().__init__()
        self.outcomes: list[Outcome] = []

    def of(self, use_case: str | None = None, **expected: Any) -> list[CapturedCall]:
        """Return the calls that are as expected."""
        if use_case is not None:
            expected["use_case"] = use_case
        _check(expected)
        return [call for call in self if not _differences(call, expected)]

    def one(self, use_case: str | None = None, **expected: Any) -> CapturedCall:
        """Return the one call that is as expected.

        Raises:
            AssertionError: there is none, or more than one.
        """
        found = self.of(use_case, **expected)
        if len(found) != 1:
            raise AssertionError(self._message("exactly one call", found, use_case, expected))
        return found[0]

    def assert_called(self, use_case: str | None = None, *, times: int | None = None, **expected: Any) -> None:
        """Claim that there is a call as expected; with `times`, that there are so many."""
        found = self.of(use_case, **expected)
        if not found if times is None else len(found) != times:
            wanted = "a call" if times is None else f"{times} call{'s' * (times != 1)}"
            raise AssertionError(self._message(wanted, found, use_case, expected))

    def assert_not_called(self, use_case: str | None = None, **expected: Any) -> None:
        """Claim that there is no such call."""
        found = self.of(use_case, **expected)
        if found:
            raise AssertionError(self._message("no call", found, use_case, expected))

    def assert_outcome(self, call: CapturedCall | None = None, *, times: int | None = None, **expected: Any) -> None:
        """Claim that an outcome was recorded: of a call, and with these fields of the outcome's message.

        Fields: label, value, score, correct, kind, source, minutes, author, comment; and of what it names its call by:
        use_case, call_id, key, response_id.
        """
        found = [outcome for outcome in self.outcomes if _is_outcome(outcome, call, expected)]
        if not found if times is None else len(found) != times:
            of = f" of {call.use_case or call.name} {call.call_id}" if call is not None else ""
            wanted = "an outcome" if times is None else f"{times} outcomes"
            came = "".join(f"\n  {_outcome_words(outcome)}" for outcome in self.outcomes[:_MOST_SHOWN])
            raise AssertionError(
                f"expected {wanted}{of} with {_words(expected)}; {len(found)} of {len(self.outcomes)} recorded "
                f"{'is' if len(found) == 1 else 'are'} like that{':' if came else ''}{came}"
            )

    def _message(self, wanted: str, found: list[CapturedCall], use_case: str | None, expected: Any) -> str:
        asked = ({"use_case": use_case} if use_case is not None else {}) | expected
        came = sorted(self, key=lambda call: len(_differences(call, asked)))[:_MOST_SHOWN]
        lines = [
            f"\n  {call.use_case or call.name}: {'; '.join(_differences(call, asked)) or 'as expected'}"
            for call in came
        ]
        left_out = f"\n  and {len(self) - len(came)} more" if len(self) > len(came) else ""
        about = f" with {_words(asked)}" if asked else ""
        if not self:
            return f"expected {wanted}{about}; no call was made at all"
        return f"expected {wanted}{about}; {len(found)} of {len(self)} made are like that:{''.join(lines)}{left_out}"


_FIELDS: Final = frozenset(one.name for one in fields(CapturedCall))
_PARTIAL: Final = frozenset({"inputs", "probabilities", "attributes"})


def _check(expected: Mapping[str, Any]) -> None:
    unknown = sorted(set(expected) - _FIELDS)
    if unknown:
        raise TypeError(f"a call has no {', '.join(unknown)}; expected some of {', '.join(sorted(_FIELDS))}")


def _differences(call: CapturedCall, expected: Mapping[str, Any]) -> list[str]:
    found = []
    for name, wanted in expected.items():
        came = getattr(call, name)
        if name in _PARTIAL and isinstance(wanted, Mapping):
            found += [
                f"{name}[{key!r}] is {came.get(key)!r}, expected {value!r}"
                for key, value in wanted.items()
                if key not in came or came[key] != value
            ]
        elif came != wanted:
            found.append(f"{name} is {came!r}, expected {wanted!r}")
    return found


def _is_outcome(outcome: Outcome, call: CapturedCall | None, expected: Mapping[str, Any]) -> bool:
    said = _outcome_fields(outcome)
    if call is not None and said.get("call_id") != call.call_id:
        return False
    return all(said.get(name) == wanted for name, wanted in expected.items())


def _outcome_fields(outcome: Outcome) -> dict[str, Any]:
    from tocsin_wire import HandleError, unpack_handle

    said: dict[str, Any] = {descriptor.name: value for descriptor, value in outcome.ListFields()}
    ref = said.pop("call", None)
    if said.get("handle"):
        try:
            ref = unpack_handle(said["handle"])
        except HandleError:
            return said
    for name in ("use_case", "call_id", "key", "response_id"):
        if getattr(ref, name, ""):
            said[name] = getattr(ref, name)
    return said


def _outcome_words(outcome: Outcome) -> str:
    return _words({name: value for name, value in _outcome_fields(outcome).items() if name != "handle"})


def _words(expected: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in expected.items()) or "anything"


def _beginning_with(prefix: str, said: Mapping[str, Any]) -> dict[str, Any]:
    return {key.removeprefix(prefix): value for key, value in said.items() if key.startswith(prefix)}
