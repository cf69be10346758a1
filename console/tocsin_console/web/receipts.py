"""Receipts: a badge and a permalink of a use case that can be shown anywhere, and cannot be made up."""

import os
import secrets
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from tocsin_alerts.report.weekly import WEEK
from tocsin_console.at_a_glance import clock_of
from tocsin_console.errors import UsageProblem
from tocsin_console.parts import Parts
from tocsin_console.receipt import Receipt, as_said, badge, receipt, signed, verified
from tocsin_console.web.page import Document, Frame, Page
from tocsin_console.web.templates import render

_KEPT: Final = timedelta(seconds=60)  # whoever shows a badge shows it to everybody
_MOST: Final = 256
_BADGE: Final = "public, max-age=300"


class Receipts:
    """Makes receipts, each at most once a minute."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._file = parts.config.data_dir / "receipt.key"
        self._lock = threading.Lock()
        self._kept: dict[tuple[str, str], tuple[datetime, Receipt]] = {}

    def of(self, project: str, use_case: str) -> Receipt:
        """Say how a use case stands.

        Raises:
            UsageProblem: there is no such use case.
        """
        now = self._parts.now()
        with self._lock:
            known = self._kept.get((project, use_case))
            if known and now - known[0] < _KEPT:
                return known[1]
            made = self._made(project, use_case, now)
            if len(self._kept) >= _MOST:
                self._kept.clear()
            self._kept[(project, use_case)] = (now, made)
            return made

    def token(self, said: Mapping[str, Any]) -> str:
        """Sign something."""
        return signed(said, self._key())

    def read(self, token: str) -> dict[str, Any] | None:
        """Read what we signed; None: we did not."""
        return verified(token, self._key())

    def _made(self, project: str, use_case: str, now: datetime) -> Receipt:
        parts = self._parts
        named = {"project": project, "use_case": use_case}
        each = next((row for row in parts.book.standings() if named.items() <= row.items()), None)
        if each is None:
            raise UsageProblem(f"expected a use case with calls or a plan, got {use_case!r} of project {project!r}")
        (scored,) = parts.book.ask("receipt", {**named, "since": now - WEEK})
        week = parts.report.week()
        paged = [page.minutes or 0.0 for page in week.pages if (page.project, page.use_case) == (project, use_case)]
        return receipt(
            each,
            reviewed=int(scored["scored"]),
            minutes=float(scored["minutes_spent"]) + sum(paged),
            needed=sum((each.project, each.use_case) == (project, use_case) for each in week.decisions),
            through=parts.evaluated_through(),
            now=clock_of(parts),
        )

    def _key(self) -> bytes:
        with suppress(FileNotFoundError):
            return self._file.read_bytes()
        return _made_once(self._file)


def receipt_pages(receipts: Receipts) -> list[Page]:
    """List the page from which a receipt is taken."""

    def read(request: Request) -> Document:
        project, use_case = request.path_params["project"], request.path_params["use_case"]
        made = receipts.of(project, use_case)
        return {
            **as_said(made),
            "badge": f"/receipts/{receipts.token({'project': project, 'use_case': use_case})}.svg",
            "permalink": f"/receipts/{receipts.token(as_said(made))}",
        }

    return [
        Page(
            path="/receipt/{project}/{use_case:path}",
            section="overview",
            template="receipt.html.j2",
            read=read,
            rows=_rows,
        )
    ]


def receipt_routes(receipts: Receipts, frame: Frame) -> list[Route]:
    """List what is open to everybody who has the address: its signature is the right to see it."""

    def drawn(request: Request) -> Response:
        said = receipts.read(request.path_params["token"])
        if said is None or set(said) != {"project", "use_case"}:
            return Response(status_code=404)
        try:
            made = receipts.of(said["project"], said["use_case"])
        except UsageProblem:
            return Response(status_code=404)
        headers = {"cache-control": _BADGE, "cross-origin-resource-policy": "cross-origin"}
        return Response(badge(made), media_type="image/svg+xml", headers=headers)

    def shown(request: Request) -> Response:
        said = receipts.read(request.path_params["token"])
        is_receipt = said is not None and "words" in said
        page = render(
            "permalink.html.j2", {"doc": said if is_receipt else None, "frame": {**frame(request), "sections": []}}
        )
        return HTMLResponse(page, status_code=200 if is_receipt else 404)

    return [Route("/receipts/{token}.svg", drawn), Route("/receipts/{token}", shown)]


def _rows(document: Document) -> Sequence[Mapping[str, Any]]:
    return [document]


def _made_once(file: Path) -> bytes:
    """Write a key of its own for this folder; of two who try at once the first one's counts."""
    draft = file.with_name(f"{file.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as made:
        made.write(secrets.token_bytes(32))
    with suppress(FileExistsError):
        os.link(draft, file)
    draft.unlink()
    return file.read_bytes()
