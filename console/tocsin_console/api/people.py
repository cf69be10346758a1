"""The endpoints of people who are told: alerts, who has an incident, silences."""

from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tocsin_console.alerting import back, with_quiet
from tocsin_console.api.answering import duration_of, text_of, with_body
from tocsin_console.api.wire import Json
from tocsin_console.parts import Parts
from tocsin_console.silencing import silence


def people_routes(parts: Parts) -> list[Route]:
    """List the routes over the parts of a running ``up``."""

    def alerts(request: Request) -> Response:
        asked = request.query_params
        found = parts.book.alerts(everything="all" in asked, use_case=asked.get("use_case", ""))
        return Json({"alerts": with_quiet(parts, found)})

    def acknowledge(request: Request, body: dict[str, Any]) -> Response:
        return _acknowledge(parts, request.path_params["incident"], body)

    def silences(_request: Request) -> Response:
        return Json({"silences": [each.to_json() for each in parts.silences.in_force()]})

    def make_silence(_request: Request, body: dict[str, Any]) -> Response:
        return Json({"silence": silence(parts, body, by=text_of(body, "actor")).to_json()})

    def expire(request: Request, body: dict[str, Any]) -> Response:
        ended = parts.silences.expire(request.path_params["silence"], by=text_of(body, "actor"))
        return Json({"silence": ended.to_json()})

    def try_channels(_request: Request, body: dict[str, Any]) -> Response:
        return Json({"channels": [asdict(each) for each in parts.try_channels(str(body.get("channel") or ""))]})

    return [
        Route("/api/alerts", alerts),
        Route("/api/alerts/history", partial(_history, parts)),
        Route("/api/alerts/{incident}/acknowledge", with_body(acknowledge), methods=["POST"]),
        Route("/api/channels/test", with_body(try_channels), methods=["POST"]),
        Route("/api/silences", silences),
        Route("/api/silences", with_body(make_silence), methods=["POST"]),
        Route("/api/silences/{silence}/expire", with_body(expire), methods=["POST"]),
    ]


def _history(parts: Parts, request: Request) -> Response:
    asked = request.query_params
    since = back(parts, duration_of({"for": "90d", **asked}, "for"))
    found = parts.book.history(since, use_case=asked.get("use_case", ""), rule=asked.get("rule", ""))
    return Json({"incidents": found})


def _acknowledge(parts: Parts, incident: str, body: Mapping[str, Any]) -> Response:
    """Take an incident; of one that is over only what it was worth can still be said."""
    by, note, verdict = text_of(body, "actor"), str(body.get("note") or ""), str(body.get("verdict") or "")
    said = parts.verdicts.record(incident, verdict, by=by) if verdict else None
    if said is not None and not said.is_open:
        return Json({"acknowledgement": None, "verdict": asdict(said)})
    taken = parts.acknowledgements.acknowledge(incident, by=by, note=note)
    return Json({"acknowledgement": asdict(taken), "verdict": said and asdict(said)})
