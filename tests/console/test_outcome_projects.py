"""Outcomes that a person records belong to the project of the call."""

from tocsin_console.outcomes import record_outcomes
from tocsin_wire.v1.outcomes_pb2 import RecordOutcomesRequest, RecordOutcomesResponse


def test_each_outcome_goes_to_its_calls_project() -> None:
    """A label in another project would never meet its call."""
    taken: dict[str, list[str]] = {}

    def take(request: RecordOutcomesRequest, project: str) -> RecordOutcomesResponse:
        taken[project] = [outcome.handle for outcome in request.outcomes]
        return RecordOutcomesResponse(accepted=len(request.outcomes))

    said = [{"handle": "a"}, {"handle": "b", "project": "shop"}, {"handle": "c", "project": ""}]
    answer = record_outcomes(take, said)

    assert taken == {"default": ["a", "c"], "shop": ["b"]}
    assert answer["accepted"] == 3
