"""Ingest keys as people manage them: made, listed, revoked; every act is on record."""

import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from tocsin_collector.errors import KeyProblem
from tocsin_collector.receive.ingest_keys import INGEST, PREFIX, hash_of

_PROJECT: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_MAX_NAME: Final = 200
_ALL: Final = (
    "SELECT key_id, project, role, name, hash, created_at, created_by, revoked_at, revoked_by, at"
    " FROM ingest_keys FINAL ORDER BY project, created_at, key_id"
)


class Store(Protocol):
    """The store as the book writes it."""

    def rows(self, sql: str, parameters: Mapping[str, Any] | None = None, /) -> list[dict[str, Any]]:
        """Run one SELECT."""
        ...

    def insert(self, table: str, rows: Sequence[Mapping[str, Any]], /) -> None:
        """Insert rows that share their keys."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFacts:
    """What may be known of a key."""

    key_id: str
    project: str  # of what is sent with it; empty: it is for access
    role: str  # ingest, or what its holder may do in the console
    name: str
    created_at: datetime
    created_by: str
    revoked_at: datetime | None
    revoked_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewKey:
    """A key that was just made: the one time that it is shown."""

    key: str
    facts: KeyFacts

    def __repr__(self) -> str:
        return f"NewKey({self.facts.key_id})"


class KeyBook:
    """The table of keys."""

    def __init__(self, store: Store, *, random: Callable[[int], bytes] = secrets.token_bytes) -> None:
        self._store = store
        self._random = random

    def create(self, project: str, *, name: str, by: str, now: datetime, role: str = INGEST) -> NewKey:
        """Make a key for a project, or for a person or program with a role, which has no project.

        Raises:
            KeyProblem: the project's name or the key's cannot be used.
            StoreUnavailable: it may have been made; nobody has seen it, so make another.
        """
        if role != INGEST:
            self._require_access(project, name)
        elif not _PROJECT.fullmatch(project):
            raise KeyProblem(
                f"expected a project of letters, digits, '.', '_' and '-', at most 64, got {project[:80]!r}"
            )
        if len(name) > _MAX_NAME or not name.isprintable():
            raise KeyProblem(f"expected a name of at most {_MAX_NAME} printable characters, got {len(name)}")
        key_id = self._random(6).hex()
        key = f"{PREFIX}{key_id}_{self._random(32).hex()}"
        facts = KeyFacts(
            key_id=key_id,
            project=project,
            role=role,
            name=name,
            created_at=now,
            created_by=by,
            revoked_at=None,
            revoked_by="",
        )
        self._audit("key create", facts, by=by, now=now)
        self._write(facts, hashed=hash_of(key), at=now)
        return NewKey(key=key, facts=facts)

    def listed(self, project: str = "") -> list[KeyFacts]:
        """List the keys of a project, or all of them, revoked ones too."""
        return [_facts(row) for row in self._store.rows(_ALL) if project in ("", row["project"])]

    def revoke(self, key_id: str, *, by: str, now: datetime) -> KeyFacts:
        """Revoke a key for good; doing it again changes nothing.

        Args:
            key_id: The id, or a whole key, of which only the id is read.
            by: Who does this.
            now: The time of day.

        Raises:
            KeyProblem: there is no such key.
            StoreUnavailable: it may hold still; revoke it again.
        """
        wanted = key_id.split("_")[1] if key_id.startswith(PREFIX) else key_id
        found = next((row for row in self._store.rows(_ALL) if row["key_id"] == wanted), None)
        if found is None:
            raise KeyProblem(f"expected the id of a key of 'tocsin keys ls', got {wanted[:20]!r}")
        facts = _facts(found)
        if facts.revoked_at is not None:
            return facts
        at = max(now, found["at"] + timedelta(milliseconds=1))  # newer, even when a clock was put back
        revoked = replace(facts, revoked_at=now, revoked_by=by)
        self._audit("key revoke", revoked, by=by, now=now)
        self._write(revoked, hashed=found["hash"], at=at)
        return revoked

    @staticmethod
    def _require_access(project: str, name: str) -> None:
        if project:
            raise KeyProblem(f"expected no project for a key of access, which sees all of them, got {project[:80]!r}")
        if not name.strip():
            raise KeyProblem("expected the name of who will hold it: what they do is recorded under it")

    def _write(self, facts: KeyFacts, *, hashed: str, at: datetime) -> None:
        self._store.insert("ingest_keys", [{**asdict(facts), "hash": hashed, "at": at}])

    def _audit(self, action: str, facts: KeyFacts, *, by: str, now: datetime) -> None:
        entry = {
            "id": self._random(16).hex(),
            "at": now,
            "actor": by,
            "action": action,
            "subject": f"{facts.project or facts.role}/{facts.key_id}",
            "detail": facts.name,
        }
        self._store.insert("audit_log", [entry])


def _facts(row: Mapping[str, Any]) -> KeyFacts:
    return KeyFacts(**{name: row[name] for name in KeyFacts.__slots__})
