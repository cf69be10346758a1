"""Outcomes on their way out: their words are redacted, and what is hashed on a call's span is hashed in what is said of it."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from tocsin._outcomes.saying import says_something
from tocsin._privacy.policies import Policies
from tocsin._privacy.policy import Policy
from tocsin._process.boundary import MISHAPS
from tocsin._process.runtime import runtime
from tocsin_wire import HandleError, unpack_handle
from tocsin_wire import attributes as keys

if TYPE_CHECKING:
    from tocsin_wire.v1.outcomes_pb2 import Outcome

# A text of an outcome goes by the key under which a call's span says the same: labels are compared, keys are joined.
_TEXTS: Final = {"label": keys.OUTPUT_LABEL, "source": keys.OUTCOME_SOURCE, "author": keys.OUTCOME_AUTHOR}
_REFERENCES: Final = {"key": keys.CALL_KEY, "response_id": keys.RESPONSE_ID, "call_id": keys.CALL_ID}


def fit_to_leave(outcomes: "Iterable[Outcome]", policies: Policies | None = None) -> "list[Outcome]":
    """Return what may leave of outcomes; one of which nothing may is left out. Never raises.

    The outcomes themselves stay unchanged, since a batch may be looked at again.
    """
    in_force = runtime().policies if policies is None else policies
    kept = []
    for outcome in outcomes:
        try:
            fit = _fit(outcome, in_force)
        except Exception as error:
            MISHAPS.note("privacy", error)
            continue
        if says_something(fit):
            kept.append(fit)
    return kept


def _fit(outcome: "Outcome", policies: Policies) -> "Outcome":
    policy = policies.of(_use_case(outcome, policies))
    fit = type(outcome)()
    fit.CopyFrom(outcome)
    for field, key in _TEXTS.items():
        if said := getattr(fit, field):
            _set(fit, field, policy.value(key, said))
    if fit.WhichOneof("truth") == "value" and not isinstance(policy.value(keys.OUTPUT_VALUE, fit.value), (int, float)):
        fit.ClearField("value")
    if fit.comment:
        fit.comment = policy.comment(fit.comment, keys.OUTCOME_COMMENT)
    if fit.HasField("call"):
        _fit_references(fit.call, policy)
    return fit


def _fit_references(call: Any, policy: Policy) -> None:
    for field, key in _REFERENCES.items():
        if said := getattr(call, field):
            _set(call, field, policy.value(key, said))


def _set(message: Any, field: str, value: Any) -> None:
    if value is None:
        message.ClearField(field)
    else:
        setattr(message, field, str(value))


def _use_case(outcome: "Outcome", policies: Policies) -> str | None:
    if not policies.privacy.by_use_case:
        return None
    if not outcome.handle:
        return outcome.call.use_case or runtime().settings.use_case
    try:
        return unpack_handle(outcome.handle).use_case
    except HandleError:  # the collector says what is wrong with it
        return None
