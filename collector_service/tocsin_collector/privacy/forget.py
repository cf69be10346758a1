"""Erase a person or a call from everything that is kept, and prove it by counting again."""

import hashlib
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from tocsin_collector.errors import ForgetProblem
from tocsin_collector.privacy import letters
from tocsin_collector.privacy.disk_use import record
from tocsin_collector.privacy.erasure import Marks, Place, chunks, names_user, places

_DEPTH: Final = 1_000  # spans below spans; deeper is a loop


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Whom or what to forget: exactly one of the two."""

    project: str
    user: str | None = None  # as written in user.id, enduser.id, …
    call_id: str | None = None
    whole_traces: bool = False  # also the spans beside and above

    def __post_init__(self) -> None:
        if bool(self.user) == bool(self.call_id):
            raise ForgetProblem("expected either a user's id or a call, got both or neither")


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """How much was in a place, and how much is left."""

    place: str
    before: int
    after: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What came of it."""

    places: Sequence[Erased]
    elsewhere: Mapping[str, int]  # spans and calls of other projects that carry the same user's id
    is_dry_run: bool

    @property
    def is_forgotten(self) -> bool:
        """Whether nothing is left anywhere."""
        return all(each.after == 0 for each in self.places)


def forget(
    store: letters.LetterStore,
    request: Request,
    *,
    by: str,
    now: datetime,
    dry_run: bool = False,
    damaged: Path | None = None,
) -> Report:
    """Erase everything of a user or a call from the tables. What waits in the spool must be loaded before.

    Spans that carry the user's id go with everything below them in their trace; so do their logs, calls, contents,
    outcomes, reviews and dead letters, values in histograms that no other call had, and the text of messages that showed
    such a call. Hourly sums stay: they hold no person. Interrupted at any point, it can be run again and ends the same.

    Args:
        store: A client of the store.
        request: Whom or what.
        by: Who asks, for the audit log.
        now: The time of day.
        dry_run: Only count.
        damaged: The folder in which a damaged spool's bytes are kept; files that hold an id of theirs go whole.

    Raises:
        StoreUnavailable: run it again.
    """
    marks = _marks(store, request)
    found = places(store, marks)
    letter_list = list(letters.theirs(store, marks))
    files = _damaged_files(damaged, marks)
    before = {place.table: place.count(store) for place in found}
    if not dry_run:
        _audit(store, request, sum(before.values()) + len(letter_list), by=by, now=now)
        letters.erase(store, letter_list, now=now)
        for file in files:
            file.unlink(missing_ok=True)
        for place in found:
            if before[place.table]:
                if not place.update:
                    what = "\n".join(
                        (place.table, request.project, *sorted(map("".join, marks.spans)), *sorted(marks.calls))
                    )
                    record(store, place.table, before[place.table], what=what, reason="forget", now=now)
                place.erase(store)
        _forget_times(store, marks)
    left = before if dry_run else {place.table: place.count(store) for place in found}
    letters_left = len(letter_list) if dry_run else sum(1 for _ in letters.theirs(store, marks))
    return Report(
        places=[
            *(Erased(place=each.table, before=before[each.table], after=left[each.table]) for each in found),
            Erased(place="dead_letters", before=len(letter_list), after=letters_left),
            Erased(place="damaged spool bytes", before=len(files), after=len(_damaged_files(damaged, marks))),
        ],
        elsewhere=_elsewhere(store, request),
        is_dry_run=dry_run,
    )


def _damaged_files(folder: Path | None, marks: Marks) -> list[Path]:
    if folder is None or not folder.is_dir():
        return []
    return [file for file in sorted(folder.iterdir()) if file.is_file() and letters.holds_any(file.read_bytes(), marks)]


def _marks(store: letters.LetterStore, request: Request) -> Marks:
    marks = Marks(project=request.project, user=request.user)
    about = {"project": request.project, "user": request.user or "", "call": request.call_id or ""}
    if request.user:
        calls, spans = (
            "user_id = {user:String}",
            f"({names_user('SpanAttributes')} OR {names_user('ResourceAttributes')})",
        )
    else:
        calls, spans = "call_id = {call:String}", "SpanAttributes['tocsin.call.id'] = {call:String}"
        if len(request.call_id or "") == 48:  # the default: trace id + span id
            spans = f"({spans} OR TraceId = left({{call:String}}, 32) AND SpanId = substring({{call:String}}, 33))"
    rows = store.rows(
        f"SELECT DISTINCT TraceId, SpanId FROM otel_traces WHERE project = {{project:String}} AND {spans}"
        f" UNION DISTINCT SELECT trace_id, span_id FROM ai_calls WHERE project = {{project:String}} AND {calls}",
        about,
    )
    # Ids of nothing but zeros, or none, are many people's: such spans go by what they carry, and nothing else with them.
    carriers = {
        (row["TraceId"], row["SpanId"]) for row in rows if row["TraceId"].strip("0") and row["SpanId"].strip("0")
    }
    marks = replace(marks, spans=frozenset(_with_below(store, request, carriers)))
    call_ids = {request.call_id} if request.call_id else set()
    call_ids |= {
        row["call_id"]
        for row in store.rows(
            f"SELECT DISTINCT call_id FROM ai_calls WHERE project = {{project:String}} AND {calls}", about
        )
    }
    for some in chunks(sorted(marks.spans)):
        values = {"traces": sorted({trace for trace, _ in some}), "spans": [trace + span for trace, span in some]}
        call_ids |= {
            row["call_id"]
            for row in store.rows(
                "SELECT DISTINCT call_id FROM ai_calls WHERE project = {project:String}"
                " AND trace_id IN {traces:Array(String)} AND concat(trace_id, span_id) IN {spans:Array(String)}",
                {"project": request.project, **values},
            )
        }
    call_ids |= {trace + span for trace, span in marks.spans}  # outcomes and letters of calls whose row has expired
    marks = replace(marks, calls=frozenset(each for each in call_ids if each))
    return replace(marks, cells=frozenset(_own_cells(store, marks)))


def _with_below(store: letters.LetterStore, request: Request, carriers: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """Add what lies below these spans in their traces, or the whole traces."""
    below: dict[tuple[str, str], list[tuple[str, str]]] = {}
    found = set(carriers)
    for some in chunks(sorted({trace for trace, _ in carriers if trace})):
        for row in store.rows(
            "SELECT DISTINCT TraceId, SpanId, ParentSpanId FROM otel_traces"
            " WHERE project = {project:String} AND TraceId IN {traces:Array(String)}",
            {"project": request.project, "traces": list(some)},
        ):
            span = (row["TraceId"], row["SpanId"])
            below.setdefault((row["TraceId"], row["ParentSpanId"]), []).append(span)
            if request.whole_traces and span[1].strip("0"):
                found.add(span)
    layer: Iterable[tuple[str, str]] = carriers
    for _ in range(_DEPTH):
        layer = {child for span in layer for child in below.get(span, ())} - found
        if not layer:
            break
        found |= set(layer)
    return found


_CELLS: Final = (
    "arrayConcat(arrayMap((k, v) -> ('category', toString(k), v), mapKeys(input_strings), mapValues(input_strings)),"
    " if(output_label = '', [], [('output', '', output_label)]))"
)


def _own_cells(store: letters.LetterStore, marks: Marks) -> set[tuple[str, str, str, str]]:
    """Find the texts in histograms that only these calls had: a name, perhaps. What others had too says nothing of them."""
    own: dict[tuple[str, str, str, str], int] = {}
    counted = f"SELECT use_case, cell.1 AS kind, cell.2 AS field, cell.3 AS value, count() AS n FROM ai_calls ARRAY JOIN {_CELLS} AS cell"
    grouped = "AND length(cell.3) <= 64 GROUP BY use_case, kind, field, value"
    for some in chunks(sorted(marks.calls)):
        for row in store.rows(
            f"{counted} WHERE project = {{project:String}} AND call_id IN {{calls:Array(String)}} {grouped}",
            {"project": marks.project, "calls": list(some)},
        ):
            key = (row["use_case"], row["kind"], row["field"], row["value"])
            own[key] = own.get(key, 0) + int(row["n"])
    shared: set[tuple[str, str, str, str]] = set()
    for some in chunks(sorted({value for _, _, _, value in own})):
        for row in store.rows(
            f"{counted} WHERE project = {{project:String}} AND cell.3 IN {{values:Array(String)}} {grouped}",
            {"project": marks.project, "values": list(some)},
        ):
            key = (row["use_case"], row["kind"], row["field"], row["value"])
            if int(row["n"]) > own.get(key, 0):
                shared.add(key)
    return set(own) - shared


def _forget_times(store: letters.LetterStore, marks: Marks) -> None:
    """Drop the times of traces that have no span left; they name nobody, but a trace id is theirs too."""
    for some in chunks(sorted({trace for trace, _ in marks.spans if trace})):
        held = {
            row["TraceId"]
            for row in store.rows(
                "SELECT DISTINCT TraceId FROM otel_traces WHERE TraceId IN {traces:Array(String)}",
                {"traces": list(some)},
            )
        }
        gone = Place.of_traces([trace for trace in some if trace not in held])
        gone.erase(store)


def _elsewhere(store: letters.LetterStore, request: Request) -> dict[str, int]:
    if not request.user:
        return {}
    rows = store.rows(
        "SELECT project, sum(n) AS found FROM"
        f" (SELECT project, count() AS n FROM otel_traces WHERE project != {{project:String}} AND {names_user('SpanAttributes')}"
        " GROUP BY project UNION ALL SELECT project, count() AS n FROM ai_calls"
        " WHERE project != {project:String} AND user_id = {user:String} GROUP BY project)"
        " GROUP BY project ORDER BY project",
        {"project": request.project, "user": request.user},
    )
    return {row["project"]: int(row["found"]) for row in rows}


def _audit(store: letters.LetterStore, request: Request, found: int, *, by: str, now: datetime) -> None:
    """Put on record that it was asked for, without the id: a salted hash, by which who knows the id can find it."""
    what, said = ("user", request.user) if request.user else ("call", request.call_id)
    salt = secrets.token_hex(8)
    hashed = hashlib.blake2b(f"{salt}\n{said}".encode(), digest_size=16).hexdigest()
    entry: dict[str, Any] = {
        "id": secrets.token_hex(16),
        "at": now,
        "actor": by,
        "action": "forget",
        "subject": f"{request.project}/{what}/{salt}:{hashed}",
        "detail": f"{found} rows and letters found",
    }
    store.insert("audit_log", [entry])
