"""The routes of ``tocsin up``."""

from typing import Final
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.routing import Route

from tocsin_console.access.gate import Gate, guarded
from tocsin_console.api.answering import with_body
from tocsin_console.api.cost import cost_routes
from tocsin_console.api.drill import drill_routes
from tocsin_console.api.hooks import hook_routes
from tocsin_console.api.judge import judge_routes
from tocsin_console.api.openapi import openapi_route
from tocsin_console.api.outcomes import OUTCOMES, outcome_route
from tocsin_console.api.people import people_routes
from tocsin_console.api.recall import recall_routes
from tocsin_console.api.references import reference_routes
from tocsin_console.api.rehearsal import rehearsal_routes
from tocsin_console.api.report import report_routes
from tocsin_console.api.retraining import retraining_routes
from tocsin_console.api.review import review_routes
from tocsin_console.api.security import App, LoopbackOnly
from tocsin_console.api.spool import spool_routes
from tocsin_console.api.views import Views
from tocsin_console.parts import Parts
from tocsin_console.web.site import web_errors, web_routes

# What goes into the audit log by itself, with its reasons, before it is done; and asking for the next call, which changes nothing.
_AUDITED: Final = (
    "/api/alerts/", "/alerts/", "/api/silences", "/api/guard/", "/guard", "/api/keys", "/api/forget", "/api/disk/", "/api/channels/",
    "/system/test-channel", "/api/references/", "/api/retraining/", "/api/review/next", "/review/next", "/api/rules/", "/rules/",
)  # fmt: skip


def build_app(parts: Parts) -> App:
    """Put the API together over the parts of a running ``up``."""
    views = Views(parts)
    routes = [
        Route("/healthz", views.healthz),
        Route("/readyz", views.readyz),
        Route("/metrics", views.metrics),
        Route("/api/status", views.status),
        Route("/api/use-cases", views.use_cases),
        Route("/api/use-cases/map", with_body(views.map_use_cases), methods=["POST"]),
        *people_routes(parts),
        *hook_routes(parts.hearing),
        Route("/api/rules", views.rules),
        Route("/api/guard", views.guards),
        Route("/api/guard/{use_case:path}", with_body(views.change_guard), methods=["POST"]),
        Route("/api/prices", views.prices),
        Route("/api/prices/sync", with_body(views.sync_prices), methods=["POST"]),
        Route("/api/disk", views.disk),
        Route("/api/disk/drop", with_body(views.disk_drop), methods=["POST"]),
        Route("/api/backup", with_body(views.backup), methods=["POST"]),
        Route("/api/forget", with_body(views.forget), methods=["POST"]),
        Route("/api/keys", views.keys),
        Route("/api/keys", with_body(views.create_key), methods=["POST"]),
        Route("/api/keys/{key_id}/revoke", with_body(views.revoke_key), methods=["POST"]),
        *rehearsal_routes(parts.rehearsal),
        *reference_routes(parts.references),
        *spool_routes(parts.config.data_dir / "spool", parts.spool),
        outcome_route(parts.record_outcomes),
        Route("/api/outcomes/load", with_body(views.load_outcomes), methods=["POST"]),
        Route("/api/outcomes/contradictory", views.contradictory_outcomes),
        *review_routes(parts.reviews),
        *judge_routes(parts.judge),
        *cost_routes(parts.cost),
        *retraining_routes(parts.retraining),
        *drill_routes(parts.drill),
        *recall_routes(parts.recall),
        *report_routes(parts.report, parts.postbox),
        Route("/api/explain", views.explain),
        Route("/api/query", with_body(views.query), methods=["POST"]),
        Route("/api/recent-calls", views.recent_calls),
        Route("/api/call", views.call),
        Route("/api/notifications", views.notifications),
        Route("/api/notifications/{incident}", views.notifications),
        *web_routes(parts),
    ]
    routes.insert(0, openapi_route(routes, parts.version))

    def acted(actor: str, path: str) -> None:
        if path.startswith(
            OUTCOMES
        ):  # what services send, many a second: it names its author, and is news once it is loaded
            return
        parts.news.changed()
        if not path.startswith(_AUDITED):
            parts.audit(actor or "somebody on this machine", path)

    app = Starlette(routes=[guarded(route, acted) for route in routes], exception_handlers=web_errors(parts))
    public = urlsplit(parts.config.public_url).netloc
    config = parts.config
    return LoopbackOnly(Gate(app, parts.identify), any_host=config.api_takes_any_host, public_host=public)
