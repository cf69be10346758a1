"""Pages that wait until people work again, so that whoever looks at night sees that they are there. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any

_KEPT = ("incident", "project", "use_case", "until", "wrong")


def waiting(rows: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Count them, each an incident, and say when the first is told; None: none waits."""
    listed = [{name: row[name] for name in _KEPT} for row in rows]
    return {"pages": len(listed), "until": min((each["until"] for each in listed), default=None), "incidents": listed}
