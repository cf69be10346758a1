"""Who may talk to the loopback API: processes and pages of this machine, never a site that a browser visits."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from starlette.datastructures import Headers
from starlette.responses import JSONResponse

from tocsin_console.addresses import Address
from tocsin_console.errors import UsageProblem

MAX_BODY_BYTES = 1 << 20
LARGE_BODIES = {
    "/api/outcomes/load": 8 << 20,  # a chunk of a label file
    "/api/outcomes": 16 << 20,  # and what a console passes on to a collector of it
}
HOOKS = "/hooks/"  # of services that sign what they say; no browser posts there
_HOOK_BYTES = 64 << 10
DOCUMENTS = "/api/"  # of programs, which send JSON; every other path is a page, which posts forms to itself
_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (
        b"content-security-policy",
        b"default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    ),
    (b"referrer-policy", b"same-origin"),  # with no-referrer a browser says of a form's post that it comes from nowhere
)
_NOT_KEPT = (b"cache-control", b"no-store")

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class LoopbackOnly:
    """Refuses other hosts' names (DNS rebinding), foreign origins, and POSTs that a form could send."""

    def __init__(self, app: App, *, any_host: bool = False, public_host: str = "") -> None:
        self._app = app
        self._any_host = any_host  # --insecure: a proxy before us speaks other names
        self._public_host = public_host.lower()  # of public_url: a proxy before us speaks this name

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                said = list(message.get("headers", []))
                kept = [] if any(name.lower() == b"cache-control" for name, _ in said) else [_NOT_KEPT]
                names = {name.lower() for name, _ in said}  # what an answer says of itself counts
                message["headers"] = [*said, *(each for each in _HEADERS if each[0] not in names), *kept]
            await send(message)

        status, refusal = self._refusal(scope["method"], Headers(raw=scope["headers"]), scope["path"])
        app: App = JSONResponse({"error": refusal}, status_code=status) if refusal else self._app
        await app(scope, receive, send_with_headers)

    def _refusal(self, method: str, headers: Headers, path: str) -> tuple[int, str]:
        host = headers.get("host", "")
        if not (self._any_host or is_loopback(host) or (host and host.lower() == self._public_host)):
            return 403, f"expected a request to a loopback address, got one for {host!r}"
        origin = headers.get("origin")
        if origin is not None and origin.partition("://")[2] != host:
            return 403, f"expected a request of this page, got one of {origin!r}"
        if method in {"GET", "HEAD"}:
            return 0, ""
        if path.startswith(HOOKS):
            return (
                (403, "expected a service, got a browser")
                if origin is not None
                else _refusal_of_length(headers, _HOOK_BYTES)
            )
        return _refusal_of_body(headers, path)


def _refusal_of_body(headers: Headers, path: str) -> tuple[int, str]:
    is_form = not path.startswith(DOCUMENTS)
    expected = "application/x-www-form-urlencoded" if is_form else "application/json"
    if is_form and "origin" not in headers:  # another site's form can post too: browsers say whose it is
        return 403, "expected a request of this page, got one of nowhere"
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != expected:
        return 415, f"expected a body of {expected}, got {kind or 'none'!r}"
    return _refusal_of_length(headers, LARGE_BODIES.get(path, MAX_BODY_BYTES))


def _refusal_of_length(headers: Headers, most: int) -> tuple[int, str]:
    length = headers.get("content-length", "")
    if not length.isdecimal() or int(length) > most:
        return 413, f"expected a body of at most {most} bytes with its length"
    return 0, ""


def is_loopback(host: str) -> bool:
    """Whether a Host header names this machine's own loopback, with or without a port."""
    if not host or host.startswith(":"):
        return False
    name = host if host.rpartition(":")[2].isdecimal() and not host.endswith("]") else f"{host}:80"
    try:
        return Address.parse(name).is_loopback
    except UsageProblem:
        return False
