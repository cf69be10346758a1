"""Dead letters of a person: requests that never became rows, read in Python since there are few of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tocsin_collector.privacy.erasure import USER_KEYS, Marks, Store
from tocsin_collector.spool.frames import digest
from tocsin_wire.v1.outcomes_pb2 import RecordOutcomesRequest

_AT_ONCE: Final = {"mutations_sync": 2}


class LetterStore(Store, Protocol):
    """The store, which letters are also written back to."""

    def insert(self, table: str, rows: Sequence[Mapping[str, Any]], /) -> None:
        """Insert rows that share their keys."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One dead letter that holds something of theirs, and what is left of it without."""

    row: Mapping[str, Any]
    rest: bytes | None  # None: nothing of it is anybody else's, or it cannot be read


def theirs(store: Store, marks: Marks) -> Iterator[Letter]:
    """Find the dead letters that hold something of theirs."""
    for row in store.rows(
        "SELECT project, kind, digest, segment, reason, hex(body) AS body, received_at, received_ns, position, together, at"
        " FROM dead_letters FINAL"
        " WHERE project = {project:String}",
        {"project": marks.project},
    ):
        body = bytes.fromhex(row["body"])
        rest = without(row["kind"], body, marks)
        if rest != body:
            yield Letter(row=row, rest=rest)


def erase(store: LetterStore, letters: Sequence[Letter], *, now: datetime) -> None:
    """Write back what is somebody else's, then delete the letters as they were."""
    for letter in letters:
        at = max(now, letter.row["at"])
        if letter.rest is not None:
            kept = {**letter.row, "body": letter.rest, "digest": digest(letter.rest).hex(), "at": at}
            store.insert("dead_letters", [kept])
        store.command(
            "ALTER TABLE dead_letters DELETE WHERE project = {project:String} AND kind = {kind:String}"
            " AND digest = {digest:String}",
            parameters={name: letter.row[name] for name in ("project", "kind", "digest")},
            settings=_AT_ONCE,
        )


def without(kind: str, body: bytes, marks: Marks) -> bytes | None:
    """Write a request's body without what is theirs: the same bytes when nothing is, None when nothing else is.

    What cannot be parsed is theirs when their id stands in it anywhere: it cannot be shown that the rest is not.
    """
    try:
        match kind:
            case "traces":
                return _rest(
                    body, ExportTraceServiceRequest.FromString(body), ("resource_spans", "scope_spans", "spans"), marks
                )
            case "logs":
                return _rest(
                    body,
                    ExportLogsServiceRequest.FromString(body),
                    ("resource_logs", "scope_logs", "log_records"),
                    marks,
                )
            case _:
                return _rest(body, RecordOutcomesRequest.FromString(body), ("outcomes",), marks)
    except DecodeError:
        return None if holds_any(body, marks) else body


def holds_any(body: bytes, marks: Marks) -> bool:
    """Say whether any of their ids stands in bytes that nobody can read."""
    ids = [each.encode() for each in ({marks.user} if marks.user else set()) | marks.calls]
    return any(each in body for each in ids + [bytes.fromhex(span) for _, span in marks.spans if _is_id(span)])


def _is_id(span: str) -> bool:
    return len(span) == 16 and set(span) <= set("0123456789abcdef")


def _rest(body: bytes, message: Any, path: Sequence[str], marks: Marks) -> bytes | None:
    removed = _prune(message, path, marks, inherited=False)
    if not removed:
        return body
    return bytes(message.SerializeToString(deterministic=True)) if getattr(message, path[0]) else None


def _prune(message: Any, path: Sequence[str], marks: Marks, *, inherited: bool) -> int:
    """Remove items from the innermost lists, then the lists' holders that are left empty; say how many items."""
    held = getattr(message, path[0])
    removed = 0
    for index in range(len(held) - 1, -1, -1):
        each = held[index]
        if len(path) > 1:
            resource = getattr(each, "resource", None)
            named = inherited or (resource is not None and _names_user(resource.attributes, marks.user))
            removed += _prune(each, path[1:], marks, inherited=named)
            if not getattr(each, path[1]):
                del held[index]
        elif inherited or _is_theirs(each, marks):
            del held[index]
            removed += 1
    return removed


def _is_theirs(item: Any, marks: Marks) -> bool:
    if hasattr(item, "call"):  # an outcome
        return item.call.call_id in marks.calls or (marks.user is not None and item.author == marks.user)
    span = (item.trace_id.hex(), item.span_id.hex())
    said = {pair.key: pair.value.string_value for pair in item.attributes if pair.key == "tocsin.call.id"}
    call_id = said.get("tocsin.call.id") or "".join(span)
    return span in marks.spans or call_id in marks.calls or _names_user(item.attributes, marks.user)


def _names_user(attributes: Any, user: str | None) -> bool:
    if user is None:
        return False
    return any(pair.key in USER_KEYS and _text(pair.value) == user for pair in attributes)


def _text(value: Any) -> str:
    which = value.WhichOneof("value")
    return str(getattr(value, which)) if which in ("string_value", "int_value") else ""
