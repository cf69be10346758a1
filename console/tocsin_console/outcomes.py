"""Outcomes from the API into the collector: durable when it answers."""

import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from tocsin_collector.correct.call_finder import Query
from tocsin_collector.correct.outcome_review import review
from tocsin_collector.receive.outcomes import complete
from tocsin_console.errors import UsageProblem
from tocsin_wire import HandleError
from tocsin_wire.v1.outcomes_pb2 import CallRef, Outcome, RecordOutcomesRequest, RecordOutcomesResponse

_DEFAULT_PROJECT: Final = "default"
_FIELDS: Final = frozenset(Outcome.DESCRIPTOR.fields_by_name)
_REFERENCES: Final = frozenset({"key", "response_id", "call_id", "use_case"})

Take = Callable[[RecordOutcomesRequest, str], RecordOutcomesResponse]


def record_outcomes(take: Take, said: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Hand outcomes over, each in its call's project, and say how many were taken and why others were not.

    Raises:
        UsageProblem: a field that outcomes do not have, or a value that does not fit.
    """
    by_project: dict[str, list[Outcome]] = {}
    for each in said:
        project = str(each.get("project") or _DEFAULT_PROJECT)
        by_project.setdefault(project, []).append(outcome_of({k: v for k, v in each.items() if k != "project"}))
    answers = [take(RecordOutcomesRequest(outcomes=made), project) for project, made in by_project.items()]
    return {
        "accepted": sum(answer.accepted for answer in answers),
        "rejected": sum(answer.rejected for answer in answers),
        "errors": [error for answer in answers for error in answer.errors],
    }


class OutcomeDesk:
    """Takes many outcomes of one project, and says of each what is known. One request at a time."""

    def __init__(
        self,
        query: Query,
        record: Callable[[Sequence[Mapping[str, Any]]], Mapping[str, Any]],
        *,
        now: Callable[[], datetime],
    ) -> None:
        self._query = query
        self._record = record
        self._now = now
        self._one_at_a_time = threading.Lock()

    def load(self, said: Sequence[Mapping[str, Any]], *, project: str, dry_run: bool) -> dict[str, Any]:
        """Record those that did not come before, unless it is a dry run.

        Returns:
            Under ``rows`` one of each: ``{"problem": …}``, or its call (None: it waits), whether it was known, its
            verdict and what contradicts it.

        Raises:
            UsageProblem: a field that outcomes do not have, or a value that does not fit.
            StoreUnavailable: ask again; what was recorded is known by then.
        """
        rows: list[dict[str, Any]] = []
        sound: list[int] = []
        outcomes: list[Outcome] = []
        now_ns = int(self._now().timestamp() * 1e9)
        for at, each in enumerate(said):
            try:
                outcomes.append(complete(outcome_of(each), project=project, now_ns=now_ns))
            except (HandleError, ValueError) as error:
                rows.append({"problem": str(error)})
            else:
                sound.append(at)
                rows.append({})
        with self._one_at_a_time:
            known = review(self._query, project, outcomes)
        fresh = []
        for at, found in zip(sound, known, strict=True):
            rows[at] = {
                "call": found.call_id,
                "known": found.is_known,
                "verdict": found.claim.verdict,
                "contradicted": found.contradicted,
            }
            if not found.is_known:
                fresh.append({**said[at], "project": project})
        if fresh and not dry_run:
            answer = self._record(fresh)
            if answer["rejected"]:  # what it would refuse was found above
                raise UsageProblem(
                    f"the collector refused {answer['rejected']} outcomes: {'; '.join(answer['errors'])}"
                )
        return {"rows": rows}


def outcome_of(said: Mapping[str, Any]) -> Outcome:
    """Make an outcome of what a document says.

    Raises:
        UsageProblem: a field that outcomes do not have, or a value that does not fit.
    """
    if unknown := sorted(set(said) - _FIELDS):
        raise UsageProblem(f"unknown field {unknown[0]!r} of an outcome: valid are {', '.join(sorted(_FIELDS))}")
    fields = dict(said)
    named = fields.pop("call", None)
    try:
        outcome = Outcome(**fields)
        if named is not None:
            if other := sorted(set(named) - _REFERENCES):
                raise UsageProblem(f"unknown reference {other[0]!r}: valid are {', '.join(sorted(_REFERENCES))}")
            outcome.call.CopyFrom(CallRef(**named))
    except (TypeError, ValueError) as error:
        raise UsageProblem(f"expected values that fit an outcome: {error}") from error
    return outcome
