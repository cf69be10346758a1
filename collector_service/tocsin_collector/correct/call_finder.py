"""Which call an outcome speaks of, where it does not say everything: by id, by response, or by the caller's own key."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Protocol, TypeAlias

from tocsin_collector.store.statement import statement

Facts: TypeAlias = Mapping[str, Any]  # a row of calls_by_id.sql

EVER: Final = datetime(1970, 1, 1, tzinfo=UTC)
_QUERY_BYTES: Final = (
    600_000  # of ids in one question: the embedded engine hangs on a parameter of more than a mebibyte
)


class Query(Protocol):
    """The store, as far as this needs it."""

    def rows(self, sql: str, parameters: Mapping[str, Any] | None = None, /) -> list[dict[str, Any]]:
        """Run one SELECT."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """What an outcome says of its call: one of the ids."""

    call_id: str = ""  # or trace id + span id
    response_id: str = ""
    key: str = ""  # the caller's own
    use_case: str = ""  # empty: any; asked for with a key only, since ids are nobody else's
    observed_at: datetime | None = None  # None: unknown


class CallFinder:
    """Finds calls of many references at once."""

    def __init__(self, query: Query) -> None:
        self._query = query

    def find(self, project: str, references: Sequence[Reference], *, since: datetime = EVER) -> list[Facts | None]:
        """Find the call of each reference; None where there is none yet.

        Of several spans of one response it is the outermost. Of several calls of one key it is the last that had begun when
        the outcome was observed; the first, where none had; the last of all, where nobody says when it was observed.

        Args:
            project: Where to look.
            references: What outcomes say.
            since: Calls by id that began before are not looked at.

        Raises:
            StoreUnavailable: ask again.
        """
        ids = self._by_id(project, {name for each in references for name in (each.call_id, each.response_id)}, since)
        keys = self._by_key(project, {each.key for each in references})
        return [
            ids.get(each.call_id) or ids.get(each.response_id) or _chosen(keys.get(each.key, ()), each)
            for each in references
        ]

    def _by_id(self, project: str, names: set[str], since: datetime) -> dict[str, Facts]:
        found: dict[str, Facts] = {}
        for some in pieces(names):
            for row in self._query.rows(statement("calls_by_id"), {"project": project, "ids": some, "since": since}):
                for name in (row["call_id"], row["call_key"], row["span_key"]):
                    found.setdefault(name, row)  # the earliest is the outermost
        found.pop("", None)
        return found

    def _by_call_id(self, project: str, ids: set[str], since: datetime) -> dict[str, Facts]:
        found: dict[str, Facts] = {}
        for some in pieces(ids):
            asked = {"project": project, "ids": some, "since": since}
            for row in self._query.rows(statement("calls_by_call_id"), asked):
                found.setdefault(row["call_id"], row)
        return found

    def _by_key(self, project: str, keys: set[str]) -> dict[str, list[Facts]]:
        calls: dict[str, list[str]] = {}
        first = datetime.max.replace(tzinfo=UTC)
        for some in pieces(keys):
            for row in self._query.rows(statement("calls_of_keys"), {"project": project, "keys": some}):
                calls.setdefault(row["business_key"], []).append(row["call_id"])
                first = min(first, row["started_at"])
        ids = {call_id for listed in calls.values() for call_id in listed}
        facts = self._by_call_id(project, ids, first) if ids else {}
        if missing := ids - facts.keys():  # spans of one response were made one call, which has another's id
            facts |= self._by_id(project, missing, first)
        return {key: [facts[each] for each in listed if each in facts] for key, listed in calls.items()}


def _chosen(calls: Sequence[Facts], reference: Reference) -> Facts | None:
    ours = [call for call in calls if reference.use_case in ("", call["use_case"])]
    if not ours:
        return None
    begun = [call for call in ours if reference.observed_at is None or call["started_at"] <= reference.observed_at]
    if begun:
        return max(begun, key=lambda call: call["started_at"])
    return min(ours, key=lambda call: call["started_at"])


def pieces(names: set[str]) -> Iterator[list[str]]:
    """Split ids into as many as one question takes; empty ones are left out."""
    piece: list[str] = []
    size = 0
    for name in sorted(names - {""}):
        if size > _QUERY_BYTES:
            yield piece
            piece, size = [], 0
        piece.append(name)
        size += 2 * len(name) + 3  # escaped and in UTF-8, at the most that is usual
    if piece:
        yield piece
