"""Signing in with an access key: the browser keeps it in a cookie that no script reads and no other site sends along."""

from typing import Final
from urllib.parse import parse_qs

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from tocsin_console.access.gate import COOKIE, Keys
from tocsin_console.web.page import Frame
from tocsin_console.web.templates import render

_MOST_BYTES: Final = 4096
_LASTS_S: Final = 30 * 24 * 3600


def login_routes(keys: Keys, frame: Frame, *, is_https: bool) -> list[Route]:
    """List the routes.

    Args:
        keys: Knows access keys.
        frame: What surrounds a page.
        is_https: Whether browsers come over https; then they send the cookie over nothing else.
    """

    def page(request: Request, *, error: str = "", status: int = 200) -> Response:
        shown = {"doc": {"error": error, "next": _local(request.query_params.get("next", ""))}, "frame": frame(request)}
        return HTMLResponse(render("login.html.j2", shown), status_code=status)

    async def enter(request: Request) -> Response:
        body = (await request.body())[:_MOST_BYTES]
        form = parse_qs(body.decode("utf-8", "replace"))
        key = (form.get("key") or [""])[0].strip()
        person = await run_in_threadpool(keys.person, key)
        if person is None:
            words = "That is no access key that holds. 'tocsin keys ls' lists them; an admin makes a new one."
            return page(request, error=words, status=401)
        answer = RedirectResponse(_local((form.get("next") or [""])[0]), status_code=303)
        answer.set_cookie(COOKIE, key, max_age=_LASTS_S, httponly=True, samesite="lax", secure=is_https)
        return answer

    async def leave(_request: Request) -> Response:
        answer = RedirectResponse("/login", status_code=303)
        answer.delete_cookie(COOKIE, httponly=True, samesite="lax", secure=is_https)
        return answer

    return [
        Route("/login", page),
        Route("/login", enter, methods=["POST"]),
        Route("/logout", leave, methods=["POST"]),
    ]


def _local(path: str) -> str:
    """Give an address of ours; anything else becomes the overview."""
    is_ours = path.startswith("/") and not path.startswith("//") and path.isprintable() and "\\" not in path
    return path if is_ours else "/"
