"""The week's review: what is due of every use case, and one call after the other with a key each."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from starlette.requests import Request
from starlette.routing import Route

from tocsin_console.api.answering import text_of
from tocsin_console.errors import UsageProblem
from tocsin_console.parts import Parts
from tocsin_console.review.draw import SIZE
from tocsin_console.web.forms import Form, actor, form_route
from tocsin_console.web.links import use_case_link, with_query
from tocsin_console.web.page import Document, Page

_ROW: Final = ("position", "call_id", "started_at", "stratum", "selection_probability", "state", "reviewer", "score")
_ROW_TOO: Final = ("correct", "minutes")
_POINTS: Final = {str(number): (number - 1) / 4 for number in range(1, 6)}


def review_pages(parts: Parts) -> list[Page]:
    """List the two pages."""

    def due(_request: Request) -> Document:
        drawn = {(each["project"], each["use_case"]): each for each in parts.reviews.status()}
        known = {(row["project"], row["use_case"]) for row in parts.book.ask("known_use_cases")}
        found = [
            {**held, "is_open": _is_open(held)}
            if (held := drawn.get(key))
            else {"project": key[0], "use_case": key[1], "week": None}
            for key in sorted({*known, *drawn}, key=lambda key: (_rank(drawn.get(key)), key))
        ]
        return {"reviews": found, "size": SIZE}

    def one(request: Request) -> Document:
        project, use_case = request.path_params["project"], request.path_params["use_case"]
        asked = request.query_params
        call_id, by = asked.get("call_id", ""), asked.get("by", "")
        review = parts.reviews.whole(project, use_case)
        calls = [{name: each[name] for name in (*_ROW, *_ROW_TOO)} for each in review.pop("items")] if review else []
        return {
            "project": project,
            "use_case": use_case,
            "by": by,
            "done": "done" in asked,
            "size": SIZE,
            "review": review,
            "item": parts.reviews.read(project, use_case, call_id) if review and call_id else None,
            "last": parts.reviews.last(project, use_case, by=by) if review and by else "",
            "read_at": parts.now(),
            "calls": calls,
        }

    return [
        Page(path="/review", section="review", template="review.html.j2", read=due, rows=_due_rows),
        Page(
            path="/review/{project}/{use_case:path}",
            section="review",
            template="review_calls.html.j2",
            read=one,
            rows=lambda document: document["calls"],
            twin="",
        ),
    ]


def review_forms(parts: Parts) -> list[Route]:
    """List the routes by which a sample is drawn, handed out and scored."""

    def drawn(request: Request, form: Form) -> str:
        project, use_case = str(form.get("project", "default")), str(form.get("use_case", ""))
        size, by = form.get("size", str(SIZE)), actor(request, form)
        if not size.isdecimal():
            raise UsageProblem(f"expected size as a whole number, got {size!r}")
        parts.reviews.draw(project, use_case, size=int(size), by=by, daily=form.get("pace") == "daily")
        about = {"project": project, "use_case": use_case}
        return with_query(use_case_link(about, "review"), by=by) if use_case else "/review"

    def following(request: Request, form: Form) -> str:
        return _next(parts, form, actor(request, form))

    def scored(request: Request, form: Form) -> str:
        by = actor(request, form)
        project, use_case, call_id = (text_of(form, name) for name in ("project", "use_case", "call_id"))
        match verdict := text_of(form, "verdict"):
            case "skip":
                parts.reviews.skip(project, use_case, call_id, by=by)
            case "undo":
                last = parts.reviews.last(project, use_case, by=by)
                if last:
                    parts.reviews.undo(project, use_case, last, by=by)
                return _at(form, by, last or call_id)
            case _:
                said = {**_verdict(verdict, form), "call_id": call_id, "minutes": _minutes(form, parts.now())}
                parts.reviews.score(project, use_case, {**said, "comment": form.get("comment", "")}, by=by)
        return _next(parts, form, by)

    return [
        form_route("/review/draw", drawn),
        form_route("/review/next", following),
        form_route("/review/score", scored),
    ]


def _next(parts: Parts, form: Form, by: str) -> str:
    found = parts.reviews.next(text_of(form, "project"), text_of(form, "use_case"), by=by)
    return _at(form, by, found["item"]["call_id"] if found["item"] else "")


def _at(form: Form, by: str, call_id: str) -> str:
    about = {name: text_of(form, name) for name in ("project", "use_case")}
    return with_query(use_case_link(about, "review"), call_id=call_id, by=by, done="" if call_id else "yes")


def _verdict(verdict: str, form: Form) -> dict[str, Any]:
    corrected = {"label": form["label"]} if form.get("label") else {}
    if verdict in _POINTS:
        return {"score": _POINTS[verdict], **corrected}
    if verdict in {"right", "wrong"}:
        return {"correct": verdict == "right", **corrected}
    if verdict == "label" and corrected:
        return corrected
    if verdict == "label":
        raise UsageProblem("expected the corrected output in its field: say what the right output would have been")
    raise UsageProblem(f"expected a verdict of right, wrong, 1 to 5, label, skip or undo, got {verdict[:40]!r}")


def _minutes(form: Form, now: datetime) -> float | None:
    """Give how long a call was looked at: as the script counted it, or since the page was made."""
    try:
        if "minutes" in form:
            return max(0.0, float(form["minutes"]))
        return max(0.0, (now - datetime.fromisoformat(form["read_at"]).astimezone(UTC)).total_seconds() / 60)
    except (KeyError, ValueError):
        return None


def _is_open(review: Mapping[str, Any]) -> bool:
    return bool(review["scored"] < review["size"] or review["picked_scored"] < review["picked"])


def _rank(review: Mapping[str, Any] | None) -> int:
    """Put what is overdue first, then what was begun, then what was never drawn."""
    if review is None:
        return 2
    return 0 if review["overdue"] else 1 if _is_open(review) else 3


def _due_rows(document: Document) -> Sequence[Mapping[str, Any]]:
    return [
        {name: value for name, value in each.items() if name != "estimate"}
        | {f"right_{name}": value for name, value in each.get("estimate", {}).items()}
        for each in document["reviews"]
    ]
