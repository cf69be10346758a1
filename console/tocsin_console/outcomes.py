"""Outcomes from the API into the collector: durable when it answers."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from tocsin_console.errors import UsageProblem
from tocsin_wire.v1.outcomes_pb2 import Outcome, RecordOutcomesRequest, RecordOutcomesResponse

_FIELDS: Final = frozenset(Outcome.DESCRIPTOR.fields_by_name) - {"call"}


def record_outcomes(
    take: Callable[[RecordOutcomesRequest], RecordOutcomesResponse], said: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Hand outcomes over, and say how many were taken and why others were not.

    Raises:
        UsageProblem: a field that outcomes do not have, or a value that does not fit.
    """
    answer = take(RecordOutcomesRequest(outcomes=[_outcome(each) for each in said]))
    return {"accepted": answer.accepted, "rejected": answer.rejected, "errors": list(answer.errors)}


def _outcome(said: Mapping[str, Any]) -> Outcome:
    if unknown := sorted(set(said) - _FIELDS):
        raise UsageProblem(f"unknown field {unknown[0]!r} of an outcome: valid are {', '.join(sorted(_FIELDS))}")
    try:
        return Outcome(**said)
    except (TypeError, ValueError) as error:
        raise UsageProblem(f"expected values that fit an outcome: {error}") from error
