"""Outcomes from the API into the collector: durable when it answers."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from tocsin_console.errors import UsageProblem
from tocsin_wire.v1.outcomes_pb2 import Outcome, RecordOutcomesRequest, RecordOutcomesResponse

_DEFAULT_PROJECT: Final = "default"
_FIELDS: Final = frozenset(Outcome.DESCRIPTOR.fields_by_name) - {"call"}


def record_outcomes(
    take: Callable[[RecordOutcomesRequest, str], RecordOutcomesResponse], said: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Hand outcomes over, each in its call's project, and say how many were taken and why others were not.

    Raises:
        UsageProblem: a field that outcomes do not have, or a value that does not fit.
    """
    by_project: dict[str, list[Outcome]] = {}
    for each in said:
        project = str(each.get("project") or _DEFAULT_PROJECT)
        by_project.setdefault(project, []).append(_outcome({k: v for k, v in each.items() if k != "project"}))
    answers = [take(RecordOutcomesRequest(outcomes=made), project) for project, made in by_project.items()]
    return {
        "accepted": sum(answer.accepted for answer in answers),
        "rejected": sum(answer.rejected for answer in answers),
        "errors": [error for answer in answers for error in answer.errors],
    }


def _outcome(said: Mapping[str, Any]) -> Outcome:
    if unknown := sorted(set(said) - _FIELDS):
        raise UsageProblem(f"unknown field {unknown[0]!r} of an outcome: valid are {', '.join(sorted(_FIELDS))}")
    try:
        return Outcome(**said)
    except (TypeError, ValueError) as error:
        raise UsageProblem(f"expected values that fit an outcome: {error}") from error
