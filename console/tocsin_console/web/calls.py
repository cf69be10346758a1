"""Single calls: a list that is its address, and each with what happened around it."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from starlette.requests import Request
from starlette.routing import Route

from tocsin_console.api.answering import text_of, time_of
from tocsin_console.calls.filters import SORTS, Asked
from tocsin_console.errors import UsageProblem
from tocsin_console.parts import Parts
from tocsin_console.web.forms import Form, actor, form_route
from tocsin_console.web.links import call_link, use_case_link
from tocsin_console.web.page import Document, Page

_RANGES: Final = {"3600s": "an hour", "86400s": "a day", "604800s": "a week", "2592000s": "30 days"}
_BEFORE: Final = timedelta(days=60)  # an incident that was open then began no earlier, or is still open
DONE: Final = {"picked": "It is in the current review, behind the calls that were drawn."}


def call_pages(parts: Parts) -> list[Page]:
    """List the pages: calls of everything, of one use case, and one call."""

    def listed(request: Request) -> Document:
        project, use_case = (request.path_params.get(name, "") for name in ("project", "use_case"))
        path = use_case_link({"project": project, "use_case": use_case}, "calls") if use_case else "/calls"
        asked = Asked.of(request.query_params.multi_items())
        found = parts.calls.listed(project, use_case, asked)
        return {
            "project": project,
            "use_case": use_case,
            "path": path,
            **found,
            "sort": asked.sort,
            "chips": [asdict(chip) for chip in asked.chips(path)],
            "next": asked.address(path, after=found["next"]) if found["next"] else "",
            "sorts": [
                {"name": name, "title": title, "path": asked.address(path, sort=name)} for name, title in SORTS.items()
            ],
            "ranges": [
                {"title": title, "path": asked.address(path, since="", until="", last=name)}
                for name, title in _RANGES.items()
            ],
            "kept": [
                each for each in asked.said if each[0].startswith("input.") or each[0] in ("sort", "last", "limit")
            ],
            "said": {**dict(asked.said)},
        }

    def one(request: Request) -> Document:
        asked = request.query_params
        project, use_case, call_id = (asked.get(name, "") for name in ("project", "use_case", "call_id"))
        if not (use_case and call_id):
            raise UsageProblem("expected use_case and call_id in the address: take a call from the list at /calls")
        project = project or "default"
        found = parts.call_detail.call(project, use_case, call_id, at=_hour(asked.get("at", "")))
        if found is None:
            raise UsageProblem(
                f"expected a call of {use_case[:200]!r}, got {call_id[:200]!r}: it is not stored, or not any more"
            )
        at = found["call"]["started_at"]
        return {
            "project": project,
            "use_case": use_case,
            "call_id": call_id,
            "done": DONE.get(asked.get("done", ""), ""),
            **found,
            "incidents": [
                {name: each[name] for name in ("incident", "since", "until", "severity", "rules", "worst")}
                for each in parts.book.history(at - _BEFORE, use_case=use_case)
                if each["project"] == project and _was_open(each, at)
            ],
        }

    listing: dict[str, Any] = {
        "section": "calls",
        "template": "calls.html.j2",
        "read": listed,
        "rows": lambda document: document["calls"],
    }
    return [
        Page(path="/calls", **listing),
        Page(path="/calls/{project}/{use_case:path}", **listing),
        Page(
            path="/call", section="calls", template="call.html.j2", read=one, rows=lambda document: [document["call"]]
        ),
    ]


def call_forms(parts: Parts) -> list[Route]:
    """List the routes of what is done with a call."""

    def picked(request: Request, form: Form) -> str:
        actor(request, form)
        about = {name: text_of(form, name) for name in ("project", "use_case", "call_id")}
        found = parts.call_detail.began(**about, at=_hour(form.get("at", "")))
        if found is None:
            raise UsageProblem(f"expected a stored call, got {about['call_id'][:200]!r}")
        parts.reviews.pick(about["project"], about["use_case"], about["call_id"], found)
        link = call_link({**about, "started_at": found})
        return f"{link}&done=picked"

    return [form_route("/call/review", picked)]


def _hour(said: str) -> datetime | None:
    return time_of(said, "at") if said else None


def _was_open(incident: Mapping[str, Any], at: datetime) -> bool:
    since, until = (
        value and (value if value.tzinfo else value.replace(tzinfo=UTC))
        for value in (incident["since"], incident["until"])
    )
    return bool(since <= at and (until is None or until >= at))
