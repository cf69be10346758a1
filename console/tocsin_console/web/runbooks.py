"""The shipped runbooks, as pages: whoever is woken reads them here, without the internet."""

from collections.abc import Sequence
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request

from tocsin_alerts.documents import suggest
from tocsin_alerts.runbook import shipped_runbooks
from tocsin_console.parts import Parts
from tocsin_console.web.markdown import titled
from tocsin_console.web.page import Document, Page


def runbook_pages(parts: Parts) -> list[Page]:
    """List the list, and the page of one."""

    def listing(_request: Request) -> Document:
        return {"runbooks": [_about(parts, name) for name in shipped_runbooks()]}

    def one(request: Request) -> Document:
        name = request.path_params["name"]
        if name not in shipped_runbooks():
            raise HTTPException(
                404, f"No runbook is called {name[:80]!r}: {suggest(name, sorted(shipped_runbooks()))}."
            )
        return {**_about(parts, name), "markdown": shipped_runbooks()[name]}

    return [
        Page(path="/runbooks", section="rules", template="runbooks.html.j2", read=listing, rows=_rows),
        Page(path="/runbooks/{name}", section="rules", template="runbook.html.j2", read=one, rows=_row),
    ]


def _about(parts: Parts, name: str) -> dict[str, Any]:
    rule = parts.rule_book.get(name)
    return {
        "rule": name,
        "title": titled(shipped_runbooks()[name])[0] or name,
        "severity": rule.text.severity if rule else None,  # None: a folder of rules has switched it off
        "summary": rule.text.summary if rule else "",
    }


def _rows(document: Document) -> Sequence[dict[str, Any]]:
    return list(document["runbooks"])


def _row(document: Document) -> Sequence[Document]:
    return [document]
