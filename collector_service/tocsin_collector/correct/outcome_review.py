"""What is known of outcomes before they are recorded: whose they are, whether they came before, what contradicts them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from tocsin_collector.correct.call_finder import CallFinder, Facts, Query, Reference, pieces
from tocsin_collector.correct.verdicts import Claim
from tocsin_collector.store.statement import statement
from tocsin_wire.v1.outcomes_pb2 import Outcome

NEVER_CONTRADICTS: Final = "support"  # a kind: minutes are no verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviewed:
    """What is known of one outcome."""

    call_id: str | None  # None: nobody knows its call yet
    claim: Claim
    is_known: bool = False  # it came before
    contradicted: str = ""  # by what is stored, in words


def review(query: Query, project: str, outcomes: Sequence[Outcome]) -> list[Reviewed]:
    """Look outcomes up, each checked and completed.

    One that carries all facts of its call, as a handle does, is its call's whether or not that has arrived.

    Raises:
        StoreUnavailable: ask again.
    """
    calls = _calls(query, project, outcomes)
    said = _said_of(query, project, {call_id for call_id, _ in calls if call_id})
    waiting = _waiting(query, project, {outcome.outcome_id for outcome in outcomes})
    reviewed = []
    for outcome, (call_id, predicted) in zip(outcomes, calls, strict=True):
        claim = Claim.of(outcome, predicted)
        rows = [row for row in said.get(call_id or "", ()) if row["kind"] == outcome.kind]
        is_known = outcome.outcome_id in waiting or any(row["outcome_id"] == outcome.outcome_id for row in rows)
        against = "" if is_known or outcome.kind == NEVER_CONTRADICTS else _against(claim, rows)
        reviewed.append(Reviewed(call_id=call_id, claim=claim, is_known=is_known, contradicted=against))
    return reviewed


def _calls(query: Query, project: str, outcomes: Sequence[Outcome]) -> list[tuple[str | None, str]]:
    """Find each one's call and what that answered."""
    found = iter(
        CallFinder(query).find(project, [_reference(outcome) for outcome in outcomes if not _is_complete(outcome)])
    )
    calls: list[tuple[str | None, str]] = []
    for outcome in outcomes:
        if _is_complete(outcome):
            calls.append((outcome.call.call_id, outcome.call.label))
        else:
            facts: Facts | None = next(found)
            calls.append((None, "") if facts is None else (facts["call_id"], facts["output_label"]))
    return calls


def _is_complete(outcome: Outcome) -> bool:
    return outcome.call.started_unix_nano > 0  # as the view over outcomes_in tells them apart


def _reference(outcome: Outcome) -> Reference:
    call = outcome.call
    seconds = outcome.observed_unix_nano / 1e9
    return Reference(
        call_id=call.call_id,
        response_id=call.response_id,
        key=call.key,
        use_case=call.use_case,
        observed_at=datetime.fromtimestamp(seconds, UTC),
    )


def _said_of(query: Query, project: str, calls: set[str]) -> dict[str, list[Mapping[str, Any]]]:
    said: dict[str, list[Mapping[str, Any]]] = {}
    for some in pieces(calls):
        for row in query.rows(statement("outcomes_of_calls"), {"project": project, "calls": some}):
            said.setdefault(row["call_id"], []).append(row)
    return said


def _waiting(query: Query, project: str, ids: set[str]) -> set[str]:
    return {
        row["outcome_id"]
        for some in pieces(ids)
        for row in query.rows(statement("waiting_of_ids"), {"project": project, "ids": some})
    }


def _against(claim: Claim, rows: Sequence[Mapping[str, Any]]) -> str:
    for row in rows:
        other = Claim.of_row(row)
        if claim.contradicts(other):
            return f"{other.words()}, which {row['source'] or 'somebody'} said before"
    return ""
