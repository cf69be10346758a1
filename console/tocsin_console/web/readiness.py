"""Whether each use case may be put before users: five questions, answered by the plan and proven by the data."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from starlette.exceptions import HTTPException
from starlette.requests import Request

from tocsin_console.parts import Parts
from tocsin_console.web.page import Document, Page

_SHORT: Final = ("Know it is wrong", "What then", "Retraining", "Fallback", "Cost")  # of the five, in their order
_PAGES: Final = ("use-cases", "alerts", "drift", "guard", "cost")  # where each is looked into further


def readiness_pages(parts: Parts) -> list[Page]:
    """List the matrix, and the page of one use case."""

    def matrix(_request: Request) -> Document:
        found = [_worded(each) for each in parts.report.readiness()]
        return {"use_cases": found, "ready": sum(each["is_ready"] for each in found), "short": _SHORT}

    def one(request: Request) -> Document:
        project, use_case = request.path_params["project"], request.path_params["use_case"]
        found = [
            each for each in parts.report.readiness() if (each["project"], each["use_case"]) == (project, use_case)
        ]
        if not found:
            raise HTTPException(404, f"No use case {use_case[:80]!r} in project {project[:40]!r} has calls or a plan.")
        return _worded(found[0])

    def rows(document: Document) -> Sequence[Mapping[str, Any]]:
        listed = document.get("use_cases", [document])
        names = ("question", "word", "is_answered", "is_proven", "evidence", "command")
        return [
            {"project": each["project"], "use_case": each["use_case"], **{name: question[name] for name in names}}
            for each in listed
            for question in each["questions"]
        ]

    one_path = "/readiness/{project}/{use_case:path}"
    return [
        Page(path="/readiness", section="readiness", template="readiness.html.j2", read=matrix, rows=rows),
        Page(path=one_path, section="readiness", template="readiness_of.html.j2", read=one, rows=rows),
    ]


def _worded(each: Mapping[str, Any]) -> dict[str, Any]:
    """Add to each question the word that the command says too."""
    questions = [
        {**question, "word": _word(question), "page": page}
        for question, page in zip(each["questions"], _PAGES, strict=True)
    ]
    return {**each, "questions": questions, "open": sum(not question["is_green"] for question in questions)}


def _word(question: Mapping[str, Any]) -> str:
    if question["is_green"]:
        return "green"
    return "unproven" if question["is_answered"] else "unanswered"
