"""The audit log: who did what to what, written before it is done, so that nothing happens that is not on record."""

import hashlib
from datetime import datetime
from typing import Final

from tocsin_alerts.ports import Query

_LONGEST: Final = 4_000


def record(query: Query, *, key: str, at: datetime, actor: str, action: str, subject: str, detail: str) -> None:
    """Write one entry.

    Args:
        query: The store.
        key: What makes it this entry: the same action, subject and key is one entry, however often it is written at a time.
        at: When.
        actor: A person, or tocsin.
        action: A verb.
        subject: A use case with its project, a version, an incident.
        detail: In words; cut at 4,000 characters.
    """
    entry = {
        "id": hashlib.sha256(f"{action}\x1f{subject}\x1f{key}".encode()).hexdigest()[:32],
        "at": at,
        "actor": actor,
        "action": action,
        "subject": subject,
        "detail": detail[:_LONGEST],
    }
    query.insert("audit_log", [entry])
