"""The page of inputs and answers: each against the reference, as a picture, a figure and a word."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from starlette.requests import Request

from tocsin_console.field_drift import MOST_PICTURES, field_drift
from tocsin_console.one_use_case import named as standing_of
from tocsin_console.parts import Parts
from tocsin_console.web.page import Document, Page
from tocsin_console.web.use_case import named

_PLAIN: Final = ("field", "psi", "lower", "upper", "n", "null_share", "null_share_then", "new_share", "outside_share")


def drift_pages(parts: Parts) -> list[Page]:
    """List the one page."""

    def read(request: Request) -> Document:
        project, use_case = named(request)
        row = standing_of(parts, project, use_case)
        return {
            "project": project,
            "use_case": use_case,
            "standing": row,
            "pictures": MOST_PICTURES,
            **field_drift(parts, project, use_case, alerts=row["alerts"]),
        }

    return [
        Page(
            path="/drift/{project}/{use_case:path}", section="overview", template="drift.html.j2", read=read, rows=_rows
        )
    ]


def _rows(document: Document) -> Sequence[Mapping[str, Any]]:
    fields = [
        {
            "kind": "input",
            **{name: each[name] for name in _PLAIN},
            "words": ", ".join(each["words"]),
            **each["statistics"],
        }
        for each in document["fields"]
    ]
    answers = [
        {"kind": each["what"], "field": "", "psi": each["value"] if each["unit"] == "PSI" else None}
        | {name: each[name] for name in ("lower", "upper", "n", "words")}
        | {"p95_ms": each["value"] if each["unit"] == "ms" else None}
        for each in document["answers"]
    ]
    return fields + answers
