"""Lets a request in that comes from somebody who may: who it is is found first, what they may is asked of each route."""

import hmac
from collections.abc import Callable, Mapping, Sequence
from http.cookies import CookieError, SimpleCookie
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Any, Final, Protocol
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.responses import JSONResponse, RedirectResponse
from starlette.routing import BaseRoute, Route

from tocsin_console.access.required import needed
from tocsin_console.access.roles import MAY, Person, Role
from tocsin_console.api.security import App, Message, Receive, Scope, Send
from tocsin_console.errors import AccessRefused
from tocsin_wire import TocsinError

COOKIE: Final = "tocsin_key"
_OWNER: Final = Person(name="", role="admin")  # of the machine: who can reach loopback, or read the data folder
_STRANGER: Final = Person(name="", role=None)

Identify = Callable[[Scope], Person]
Acted = Callable[[str, str], None]


class Keys(Protocol):
    """Knows access keys."""

    def person(self, presented: str) -> Person | None:
        """Say who shows this; None: nobody who may."""
        ...


def anybody(_scope: Scope) -> Person:
    """Whoever can reach it owns it: loopback, or ``--insecure``."""
    return _OWNER


class ByKey:
    """Knows people by the access key that they show, as a header or a cookie.

    Args:
        keys: Knows them.
        secrets: Of the data folder, by which commands on this machine are known, and of tocsin's other parts; who shows one
            names who acts.
    """

    def __init__(self, keys: Keys, *, secrets: Sequence[str] = ()) -> None:
        self._keys = keys
        self._secrets = [f"Bearer {each}".encode() for each in secrets if each]

    def __call__(self, scope: Scope) -> Person:
        """Say who asks."""
        headers = Headers(raw=scope["headers"])
        shown = headers.get("authorization", "") or _cookie(headers.get("cookie", ""))
        if any(hmac.compare_digest(shown.encode(), each) for each in self._secrets):
            return _OWNER
        return (shown and self._keys.person(shown)) or _STRANGER


class ByProxy:
    """Knows people by the name that a proxy says, which has signed them in; whoever shows a key needs no proxy.

    Args:
        header: It is believed of no other header.
        proxies: From which addresses it is believed.
        roles: By name; ``*`` of everybody else.
        otherwise: Who it is where no proxy says so.
    """

    def __init__(
        self,
        header: str,
        *,
        proxies: tuple[IPv4Network | IPv6Network, ...],
        roles: Mapping[str, Role],
        otherwise: Identify,
    ) -> None:
        self._header = header.lower()
        self._proxies = proxies
        self._roles = roles
        self._otherwise = otherwise

    def __call__(self, scope: Scope) -> Person:
        """Say who asks."""
        said = [value for name, value in scope["headers"] if name.decode("latin-1").lower() == self._header]
        name = said[0].decode("utf-8", "replace").strip() if len(said) == 1 else ""  # two are somebody's try
        if not name or not self._is_proxy(scope):
            return self._otherwise(scope)
        return Person(name=name, role=self._roles.get(name, self._roles.get("*")))

    def _is_proxy(self, scope: Scope) -> bool:
        client = scope.get("client")
        try:
            address = ip_address(client[0] if client else "")
        except ValueError:
            return False
        return any(address in network for network in self._proxies)


class Gate:
    """Finds out who asks, before any route."""

    def __init__(self, app: App, identify: Identify) -> None:
        self._app = app
        self._identify = identify

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request on, with who asks in its scope."""
        if scope["type"] == "http":
            try:
                person = await run_in_threadpool(self._identify, scope) if self._identify is not anybody else _OWNER
            except TocsinError as error:  # the store, which knows the keys
                await JSONResponse({"error": str(error)}, status_code=503)(scope, receive, send)
                return
            scope["tocsin.who"], scope["tocsin.person"], scope["tocsin.actor"] = person, person.name, person.name
        await self._app(scope, receive, send)


def guarded(route: BaseRoute, acted: Acted) -> BaseRoute:
    """Let only those to a route who may.

    Args:
        route: It is changed.
        acted: Told when somebody has done something there: who, and at which address.

    Raises:
        RouteWithoutRole: nobody said who that is.
    """
    role = needed(route)
    if role != "nobody" and isinstance(route, Route):
        route.app = _Door(route.app, role, acted)
    return route


class _Door:
    def __init__(self, app: Any, role: Role, acted: Acted) -> None:
        self._app = app
        self._role = role
        self._acted = acted

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        person: Person = scope.get("tocsin.who", _STRANGER)
        if person.may(self._role):
            await self._app(scope, receive, self._heard(send, scope) if self._is_act(scope) else send)
        elif person == _STRANGER:
            await _who_are_you(scope)(scope, receive, send)
        else:
            has = f"is {person.role}" if person.role else "has no role here"
            raise AccessRefused(f"expected the role {self._role}, which may {MAY[self._role]}; {person.name} {has}")

    def _is_act(self, scope: Scope) -> bool:
        return scope["method"] not in {"GET", "HEAD"} and self._role != "viewer"  # a viewer's post is a question

    def _heard(self, send: Send, scope: Scope) -> Send:
        path = str(scope["path"])

        async def send_and_tell(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] < 400:
                await run_in_threadpool(self._acted, str(scope.get("tocsin.actor") or ""), path)
            await send(message)

        return send_and_tell


def _who_are_you(scope: Scope) -> App:
    looks = scope["method"] in {"GET", "HEAD"} and "text/html" in Headers(raw=scope["headers"]).get("accept", "")
    if looks:
        return RedirectResponse(f"/login?next={quote(_asked(scope), safe='')}", status_code=303)
    words = (
        "expected an access key that holds, as 'authorization: Bearer tk_…' (commands take it from TOCSIN_ACCESS_KEY), got none: "
        "an admin makes one with 'tocsin keys create --role viewer --name YOU'"
    )
    return JSONResponse({"error": words}, status_code=401, headers={"www-authenticate": "Bearer"})


def _asked(scope: Scope) -> str:
    query = scope.get("query_string", b"").decode("latin-1")
    return f"{scope['path']}?{query}" if query else str(scope["path"])


def _cookie(header: str) -> str:
    try:
        found = SimpleCookie(header).get(COOKIE)
    except CookieError:
        return ""
    return found.value if found else ""
