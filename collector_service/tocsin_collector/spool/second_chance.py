"""Requests that are queued again by hand: dead letters, and files that somebody kept.

Each goes into a segment of its own, or of those it was set aside with: its hash is then the same each time, so the ledger
knows one that was stored already, and what some tables hold of it is not stored twice.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Protocol, get_args

from google.protobuf.message import DecodeError

from tocsin_collector.errors import RequestRejected
from tocsin_collector.instants import nanoseconds
from tocsin_collector.load.decoder import Kind
from tocsin_collector.spool.contents import contents_of
from tocsin_collector.spool.frames import Envelope, Frame, digest, retry_key, segment_hash
from tocsin_collector.spool.segments import Request
from tocsin_collector.spool.spool_look import whole_requests

_COLUMNS: Final = (
    "project, kind, digest, segment, reason, hex(body) AS body, received_at, received_ns, position, together, at"
)
_AT_ONCE: Final = {"mutations_sync": 2}


class Store(Protocol):
    """The store as dead letters need it."""

    def rows(self, sql: str, parameters: Mapping[str, Any] | None = None, /) -> list[dict[str, Any]]:
        """Run one SELECT."""
        ...

    def command(
        self, sql: str, *, parameters: Mapping[str, Any] | None = None, settings: Mapping[str, Any] | None = None
    ) -> None:
        """Run one statement."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One request that was set aside."""

    project: str
    kind: Kind
    digest: str
    segment: str
    reason: str
    size_bytes: int
    received_at: datetime
    at: datetime
    together: int  # set aside, and retried, with so many; 0: alone


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Requests that are loaded as one segment, and the letters that they came from."""

    kind: Kind
    requests: Sequence[Request]
    digests: Sequence[str]
    project: str

    @property
    def hash(self) -> str:
        """The segment's."""
        return segment_hash(one.frame.envelope for one in self.requests)


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """What became of a wish to queue requests again."""

    queued: int  # requests
    already_stored: int
    problems: Sequence[str]


Queue = Callable[[Batch], bool]  # False: it is stored already


class DeadLetters:
    """Reads the letters and gives them another chance."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def listed(self, *, digest: str = "", reason: str = "") -> list[Letter]:
        """List letters, the newest first: those whose digest begins so, and whose reason holds this."""
        return [_letter(row) for row in self._rows(digest, reason)]

    def body(self, digest: str) -> tuple[Letter, bytes]:
        """Show one letter and its bytes.

        Raises:
            RequestRejected: there is none, or more than one begins so.
        """
        found = self._rows(digest, "")
        if len(found) != 1:
            raise RequestRejected(
                f"expected the digest of one dead letter, got {digest!r}, which {len(found)} begin with"
            )
        return _letter(found[0]), bytes.fromhex(found[0]["body"])

    def retry(self, queue: Queue, *, digest: str = "", reason: str = "") -> Again:
        """Queue letters again; one set aside with others takes them with it."""
        queued = stored = 0
        problems: list[str] = []
        chosen = self._rows(digest, reason)
        for rows in self._groups(chosen):
            try:
                batch = _batch(rows)
            except (RequestRejected, DecodeError, ValueError) as error:
                problems.append(f"{rows[0]['digest']}: {error}")
                continue
            if queue(batch):
                queued += len(rows)
            else:
                stored += len(rows)
                self.forget(batch)
        return Again(queued=queued, already_stored=stored, problems=problems)

    def forget(self, batch: Batch) -> None:
        """Take letters out that are stored."""
        self._store.command(
            "ALTER TABLE dead_letters DELETE WHERE kind = {kind:String} AND project = {project:String}"
            " AND digest IN {digests:Array(String)}",
            parameters={"kind": batch.kind, "project": batch.project, "digests": list(batch.digests)},
            settings=_AT_ONCE,
        )

    def _rows(self, digest: str, reason: str) -> list[dict[str, Any]]:
        return self._store.rows(
            f"SELECT {_COLUMNS} FROM dead_letters FINAL WHERE startsWith(digest, {{digest:String}})"
            " AND positionCaseInsensitive(reason, {reason:String}) > 0 ORDER BY at DESC, segment, position",
            {"digest": digest.lower(), "reason": reason},
        ) if reason else self._store.rows(
            f"SELECT {_COLUMNS} FROM dead_letters FINAL WHERE startsWith(digest, {{digest:String}})"
            " ORDER BY at DESC, segment, position",
            {"digest": digest.lower()},
        )  # fmt: skip

    def _groups(self, rows: Sequence[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
        yield from ([row] for row in rows if not row["together"])
        segments = sorted({row["segment"] for row in rows if row["together"]})
        for segment in segments:
            yield self._store.rows(
                f"SELECT {_COLUMNS} FROM dead_letters FINAL WHERE segment = {{segment:String}} AND together > 0"
                " ORDER BY position",
                {"segment": segment},
            )


def batches_of(kind: Kind, path: Path) -> Batch:
    """Read a file that somebody kept.

    Raises:
        OSError: it cannot be read.
        RequestRejected: nothing in it is a whole frame.
    """
    return Batch(kind=kind, requests=whole_requests(kind, path), digests=(), project="")


def kind_of(path: Path, said: str | None) -> Kind:
    """Say which kind of messages a file holds: as told, else by its folder or its name.

    Raises:
        RequestRejected: nothing says so.
    """
    names = [said] if said else [path.parent.name, path.name.split("-")[0]]
    for kind in get_args(Kind):
        if kind in names:
            found: Kind = kind
            return found
    raise RequestRejected(f"expected a kind of {', '.join(get_args(Kind))} for {path.name}: give --kind")


def _letter(row: Mapping[str, Any]) -> Letter:
    names = ("project", "kind", "digest", "segment", "reason", "received_at", "at", "together")
    return Letter(size_bytes=len(row["body"]) // 2, **{name: row[name] for name in names})


def _batch(rows: Sequence[Mapping[str, Any]]) -> Batch:
    kind, project, segment = rows[0]["kind"], rows[0]["project"], rows[0]["segment"]
    named = [[_request(row, name) for row in rows] for name in (project, "")]
    same = [requests for requests in named if segment_hash(one.frame.envelope for one in requests) == segment]
    if len(rows) != max(1, rows[0]["together"]) or (rows[0]["together"] and not same):
        raise ValueError(
            f"it was set aside as one of {rows[0]['together']} of which some tables hold rows, and they are not all here as "
            f"they were sent: loading them could store those rows twice"
        )
    return Batch(
        kind=kind,
        requests=(same or named)[0],
        digests=[row["digest"] for row in rows],
        project=project,
    )


def _request(row: Mapping[str, Any], project: str) -> Request:
    received_ns = row["received_ns"] or nanoseconds(row["received_at"])
    body = bytes.fromhex(row["body"])
    # Of the bytes as they are: what a redaction rule took out of them is gone for good.
    frame = Frame(body=body, envelope=Envelope(project=project, received_ns=received_ns, digest=digest(body)))
    key = retry_key(row["kind"], bytes.fromhex(row["digest"]), project)
    return Request(frame=frame, contents=contents_of(row["kind"])(frame), key=key)
