"""The stylesheet, the script and the sign, under addresses that change with what they hold."""

from functools import cache
from hashlib import sha256
from importlib import resources
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

PREFIX: Final = "/static/"
_MEDIA: Final = {
    "tocsin.css": "text/css; charset=utf-8",
    "tocsin.js": "text/javascript; charset=utf-8",
    "review.js": "text/javascript; charset=utf-8",
    "tocsin.svg": "image/svg+xml",
}


def static_link(name: str) -> str:
    """Give the address of a file; a browser may keep what it finds there for ever."""
    return f"{PREFIX}{name}?{_digest(name)}"


def static_routes() -> list[Route]:
    """List the one route."""
    return [Route(f"{PREFIX}{{name}}", _give)]


def _give(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in _MEDIA:
        return Response(status_code=404)
    fresh = request.url.query == _digest(name)
    kept = "public, max-age=31536000, immutable" if fresh else "no-cache"
    return Response(_content(name), media_type=_MEDIA[name], headers={"cache-control": kept})


@cache
def _content(name: str) -> bytes:
    return resources.files("tocsin_console.web.static").joinpath(name).read_bytes()


@cache
def _digest(name: str) -> str:
    return sha256(_content(name)).hexdigest()[:12]
