"""The addresses of pages: names come from spans, so every part of them is quoted. Pure."""

from typing import Any
from urllib.parse import quote, urlencode


def use_case_link(each: Any, page: str = "use-cases") -> str:
    """Give a page of a use case: ``use-cases``, ``drift``, ``review``, ``readiness`` or another."""
    return f"/{page}/{_part(each['project'])}/{quote(str(each['use_case']), safe='/')}"


def call_link(call: Any) -> str:
    """Give the page of one call; where it says when it began, the page finds it at once."""
    about = {name: str(call[name]) for name in ("project", "use_case", "call_id")}
    began = call.get("started_at")
    return "/call?" + urlencode(about | ({"at": f"{began:%Y-%m-%dT%H}"} if began else {}))


def incident_link(incident: str) -> str:
    """Give the page of one incident."""
    return f"/alerts/{_part(incident)}"


def rule_link(name: str) -> str:
    """Give the page of one rule."""
    return f"/rules/{_part(name)}"


def runbook_link(name: str) -> str:
    """Give the page of a shipped rule's runbook."""
    return f"/runbooks/{_part(name)}"


def with_query(path: str, **changes: Any) -> str:
    """Give a path with these parameters; None and empty ones are left out."""
    known = {name: str(value) for name, value in changes.items() if value not in (None, "")}
    return f"{path}?{urlencode(known)}" if known else path


def _part(name: Any) -> str:
    return quote(str(name), safe="")
