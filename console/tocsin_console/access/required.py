"""Which role each route needs. A route that is not in this table is refused to everybody: the API does not start with one."""

from typing import Final, Literal, TypeAlias

from starlette.routing import BaseRoute, Route

from tocsin_console.access.roles import Role
from tocsin_console.errors import ConsoleError

Needed: TypeAlias = Role | Literal["nobody"]  # nobody: signed, or of no secret

_OPEN: Final = ("/healthz", "/readyz", "/login", "/logout", "/static/", "/hooks/", "/receipts/")
_GET: Final[tuple[tuple[str, Role], ...]] = (
    ("/api/keys", "admin"),
    ("/api/dead-letters", "admin"),  # what senders sent, whole
    *((path, "viewer") for path in (
        "/", "/overview", "/events", "/metrics", "/use-cases", "/why", "/drift", "/cost", "/calls", "/call", "/alerts", "/rules", "/runbooks",
        "/guard", "/system", "/readiness", "/report", "/review", "/sql", "/charts", "/receipt",
        "/api/status", "/api/use-cases", "/api/alerts", "/api/silences", "/api/incidents", "/api/rules", "/api/guard",
        "/api/prices", "/api/disk", "/api/references", "/api/spool", "/api/outcomes", "/api/review", "/api/judge", "/api/cost",
        "/api/retraining", "/api/report", "/api/explain", "/api/recent-calls", "/api/call", "/api/notifications", "/api/openapi",
    )),
)  # fmt: skip
_POST: Final[tuple[tuple[str, Role], ...]] = (
    ("/api/query", "viewer"),
    ("/sql", "viewer"),
    ("/api/review", "reviewer"),
    ("/review", "reviewer"),
    ("/calls", "reviewer"),
    ("/call", "reviewer"),
    ("/api/outcomes", "reviewer"),
    ("/api/incidents", "operator"),
    ("/api/alerts", "operator"),
    ("/alerts", "operator"),
    ("/api/silences", "operator"),
    ("/api/guard", "operator"),
    ("/guard", "operator"),
    ("/api/use-cases", "operator"),
    ("/api/prices", "operator"),
    ("/api/rules", "operator"),
    ("/rules", "operator"),
    ("/api/references", "operator"),
    ("/api/judge", "operator"),
    ("/api/retraining", "operator"),
    ("/api/drill", "operator"),
    ("/api/report", "operator"),
    ("/api/channels", "operator"),
    ("/system", "operator"),
    ("/api/spool", "admin"),
    ("/api/dead-letters", "admin"),
    ("/api/disk", "admin"),
    ("/api/backup", "admin"),
    ("/api/forget", "admin"),
    ("/api/keys", "admin"),
)


class RouteWithoutRole(ConsoleError):  # noqa: N818 - says what is so
    """A route was added and nobody said who may use it."""


def needed(route: BaseRoute) -> Needed:
    """Give the role that a route needs.

    Raises:
        RouteWithoutRole: the table does not say.
    """
    if isinstance(route, Route):
        if any(_is_under(route.path, prefix) for prefix in _OPEN):
            return "nobody"
        table = _GET if (route.methods or set()) <= {"GET", "HEAD"} else _POST
        for prefix, role in table:
            if _is_under(route.path, prefix):
                return role
    raise RouteWithoutRole(f"expected a role for every route, got none for {getattr(route, 'path', route)}")


def _is_under(path: str, prefix: str) -> bool:
    rest = path.removeprefix(prefix.rstrip("/"))
    return path == prefix or (path.startswith(prefix) and prefix != "/" and rest[:1] in ("/", "."))
