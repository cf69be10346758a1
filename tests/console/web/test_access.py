"""Who may see and do what: every route, every role, every way of signing in."""

import http.client
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from ipaddress import ip_network
from typing import Any

import pytest
from starlette.routing import Route

from tocsin_collector.errors import Unauthenticated
from tocsin_collector.receive.ingest_keys import IngestKeys
from tocsin_collector.receive.key_book import KeyBook
from tocsin_console.access.gate import COOKIE, ByKey, ByProxy
from tocsin_console.access.required import RouteWithoutRole, needed
from tocsin_console.access.roles import ROLES, Person
from tocsin_console.access.tokens import AccessKeys
from tocsin_console.api.app import build_app
from tocsin_console.api.server import ApiServer

LOCAL = "the-secret-of-the-folder"


class Guarded:
    """A running API where one has to sign in, and a key for each role."""

    def __init__(self, running: Any) -> None:
        book, now = KeyBook(running.database), running.parts.now()
        self.keys = {role: book.create("", name=f"a {role}", by="t", now=now, role=role).key for role in ROLES}
        self.ingest = book.create("shop", name="", by="t", now=now).key
        self.revoked = book.create("", name="gone", by="t", now=now, role="admin").key
        book.revoke(self.revoked, by="t", now=now)
        known = AccessKeys(running.database.sibling())
        self.parts = replace(running.parts, identify=ByKey(known, secrets=(LOCAL,)), access_keys=known)
        self.server = ApiServer(build_app(self.parts), replace(running.parts.config.api, port=0))
        self.address = str(self.server.start())

    def ask(
        self, method: str, path: str, *, key: str = "", body: Any = None, **headers: str
    ) -> tuple[int, dict[str, str], str]:
        """Send one request, with a key or without."""
        connection = http.client.HTTPConnection(self.address, timeout=30)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if key:
            sent["authorization"] = f"Bearer {key}"
        if body is not None and "content-type" not in sent:
            sent["content-type"] = "application/json"
        text = json.dumps(body) if isinstance(body, dict) else body
        connection.request(method, path, body=text, headers=sent)
        answer = connection.getresponse()
        found = answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read().decode()
        connection.close()
        return found


@pytest.fixture
def guarded(running: Any) -> Iterator[Guarded]:
    """Started once a test."""
    made = Guarded(running)
    yield made
    made.server.stop(timeout_s=5)


def routes_of(parts: Any) -> list[Route]:
    """Every route of the API and its pages."""
    app: Any = build_app(parts)
    while not hasattr(app, "routes"):
        app = app._app
    return list(app.routes)


def test_every_route_has_a_role(running: Any) -> None:
    """A new one that nobody thought of would be open to everybody."""
    found = {(each.path, *sorted(each.methods or ())): needed(each) for each in routes_of(running.parts)}

    opened = {path for (path, *_), role in found.items() if role == "nobody"}
    assert opened <= {
        "/healthz",
        "/readyz",
        "/static/{name}",
        "/hooks/{channel}",
        "/receipts/{token}",
        "/receipts/{token}.svg",
    }
    assert {role for (_, *methods), role in found.items() if "POST" in methods} >= {
        "viewer",
        "reviewer",
        "operator",
        "admin",
    }


def test_a_route_without_a_role_is_refused_before_anything_starts() -> None:
    """Deny is what happens when nothing is said."""
    for route in (
        Route("/api/new", print),
        Route("/api/alerts-too", print),
        Route("/api/new", print, methods=["DELETE"]),
    ):
        with pytest.raises(RouteWithoutRole):
            needed(route)


def test_nobody_gets_anything_without_a_key(guarded: Guarded) -> None:
    """Not one route of all answers a stranger, nor one with another sort of key."""
    for key in ("", guarded.ingest, guarded.revoked, "tk_x_y", guarded.keys["admin"] + "0"):
        for path in ("/", "/overview.json", "/api/status", "/metrics", "/events", "/api/keys"):
            assert guarded.ask("GET", path, key=key)[0] == 401, (path, key[:12])
    for route in routes_of(guarded.parts):
        if needed(route) != "nobody" and route.methods == {"POST"}:
            path = route.path.replace("{use_case:path}", "x").replace("{", "").replace("}", "")
            kind = "application/json" if path.startswith("/api/") else "application/x-www-form-urlencoded"
            body = "{}" if path.startswith("/api/") else "a=b"
            said = guarded.ask("POST", path, body=body, content_type=kind, origin=f"http://{guarded.address}")
            assert said[0] == 401, path


def test_each_role_may_what_those_before_it_may_and_no_more(guarded: Guarded) -> None:
    """A reviewer scores and releases no guard."""
    acts = [
        ("viewer", "/api/query", {"sql": "SELECT 1"}),
        ("reviewer", "/api/outcomes", {"outcomes": []}),
        ("operator", "/api/guard/digits", {"action": "release"}),
        ("admin", "/api/keys/ffff/revoke", {}),
    ]
    for needs, path, body in acts:
        for role in ROLES:
            refused = guarded.ask("POST", path, key=guarded.keys[role], body=body)[0] == 403
            assert refused == (ROLES.index(role) < ROLES.index(needs)), (role, path)


def test_who_signed_in_acts_under_no_other_name(guarded: Guarded, running: Any) -> None:
    """The audit log must not say what somebody typed."""
    guarded.ask(
        "POST", "/api/guard/digits", key=guarded.keys["operator"], body={"action": "release", "actor": "the boss"}
    )

    assert running.guard.done[0] == ("release", "default", "digits", "a operator")


def test_commands_of_the_folders_owner_need_no_key(guarded: Guarded) -> None:
    """Who can read the folder could read everything in it anyway."""
    assert guarded.ask("GET", "/api/keys", key=LOCAL)[0] == 200
    assert guarded.ask("GET", "/api/keys", key=LOCAL + "x")[0] == 401


def test_a_browser_is_led_to_the_login_and_back(guarded: Guarded) -> None:
    """The link in a page at three in the morning must lead to the incident, with one stop."""
    asked = guarded.ask("GET", "/overview.json?a=1", accept="text/html")
    form = {"content_type": "application/x-www-form-urlencoded", "origin": f"http://{guarded.address}"}
    wrong = guarded.ask("POST", "/login", body="key=tk_a_b&next=/", **form)
    entered = guarded.ask("POST", "/login", body=f"key={guarded.keys['viewer']}&next=%2Foverview.json%3Fa%3D1", **form)
    cookie = entered[1]["set-cookie"].partition(";")[0]
    shown = guarded.ask("GET", entered[1]["location"], cookie=cookie)

    assert (asked[0], asked[1]["location"]) == (303, "/login?next=%2Foverview.json%3Fa%3D1")
    assert guarded.ask("GET", "/login")[0] == 200
    assert (wrong[0], entered[0], shown[0]) == (401, 303, 200)
    assert cookie.startswith(COOKIE)
    assert {"HttpOnly", "SameSite=lax"} <= {part.strip() for part in entered[1]["set-cookie"].split(";")}


@pytest.mark.parametrize("there", ["https://evil.example", "//evil.example", "/\\evil.example", "", "/a\r\nx: y"])
def test_the_login_leads_nowhere_else(guarded: Guarded, there: str) -> None:
    """An open redirect lends our name to somebody's copy of this page."""
    from urllib.parse import urlencode

    form = {"content_type": "application/x-www-form-urlencoded", "origin": f"http://{guarded.address}"}
    body = urlencode({"key": guarded.keys["viewer"], "next": there})

    assert guarded.ask("POST", "/login", body=body, **form)[1]["location"] == "/"


def test_a_cookie_is_no_use_to_another_site(guarded: Guarded) -> None:
    """A page elsewhere can make a browser post, with the cookie if it is careless; it cannot say where it is from."""
    cookie = f"{COOKIE}={guarded.keys['admin']}"
    body = {"action": "release", "actor": "x"}

    for origin in ("https://evil.example", "null"):
        assert guarded.ask("POST", "/api/guard/digits", body=body, cookie=cookie, origin=origin)[0] == 403
    assert guarded.ask("POST", "/api/guard/digits", body=body, cookie=cookie, content_type="text/plain")[0] == 415


@pytest.mark.parametrize(
    ("headers", "client", "person"),
    [
        ([(b"x-forwarded-user", b"ana@example.com")], "127.0.0.1", Person(name="ana@example.com", role="admin")),
        ([(b"x-forwarded-user", b"bob@example.com")], "127.0.0.1", Person(name="bob@example.com", role="viewer")),
        ([(b"x-forwarded-user", b"ana@example.com")], "10.0.0.9", Person(name="", role=None)),
        (
            [(b"x-forwarded-user", b"bob"), (b"x-forwarded-user", b"ana@example.com")],
            "127.0.0.1",
            Person(name="", role=None),
        ),
        ([], "127.0.0.1", Person(name="", role=None)),
    ],
)
def test_a_proxy_is_believed_from_its_own_address_alone(
    headers: list[tuple[bytes, bytes]], client: str, person: Person
) -> None:
    """Anybody can write a header; said twice, one of them is a try."""
    stranger: Callable[[Any], Person] = lambda _scope: Person(name="", role=None)  # noqa: E731
    known = ByProxy(
        "X-Forwarded-User",
        proxies=(ip_network("127.0.0.1/32"),),
        roles={"ana@example.com": "admin", "*": "viewer"},
        otherwise=stranger,
    )

    assert known({"headers": headers, "client": (client, 1)}) == person


def test_a_key_of_access_sends_nothing(guarded: Guarded, running: Any) -> None:
    """A reader's key in a service's settings is a mistake, and says so."""
    ring = IngestKeys(running.database, required=False)
    ring.refresh()

    with pytest.raises(Unauthenticated, match="access"):
        ring.project_of(guarded.keys["viewer"])


def test_keys_of_access_are_made_on_the_command_line(running: Any, tocsin: Callable[..., Any]) -> None:
    """A name is needed: what is done is recorded under it."""
    made = tocsin("keys", "create", "--role", "viewer", "--name", "ana")
    both = tocsin("keys", "create", "shop", "--role", "viewer")
    unnamed = tocsin("keys", "create", "--role", "viewer")
    wrong = tocsin("keys", "create", "--role", "emperor", "--name", "x")

    assert AccessKeys(running.database.sibling()).person(made.stdout.strip()) == Person(name="ana", role="viewer")
    assert [each.exit_code for each in (both, unnamed, wrong)] == [2, 2, 2]


def test_what_nobody_writes_down_by_itself_goes_into_the_audit_log(running: Any) -> None:
    """Who changed what must be known of every change, by whom it was made."""
    kept: list[tuple[str, str]] = []
    parts = replace(running.parts, audit=lambda actor, path: kept.append((actor, path)))
    server = ApiServer(build_app(parts), replace(running.parts.config.api, port=0))
    address = str(server.start())
    connection = http.client.HTTPConnection(address, timeout=30)
    asked = [
        ("/api/prices/sync", {"actor": "ana"}),
        ("/api/prices/sync", {}),
        ("/api/guard/digits", {"action": "release", "actor": "ana"}),  # the guard's book says more
        ("/api/query", {"sql": "SELECT 1"}),  # a question
        ("/api/outcomes", {"outcomes": []}),  # refused
        ("/api/outcomes", {"outcomes": [{"handle": "t1.x"}]}),  # a service's, which says whose it is
    ]
    for path, body in asked:
        connection.request("POST", path, body=json.dumps(body), headers={"content-type": "application/json"})
        connection.getresponse().read()
    connection.close()
    server.stop(timeout_s=5)

    assert kept == [("ana", "/api/prices/sync"), ("somebody on this machine", "/api/prices/sync")]
