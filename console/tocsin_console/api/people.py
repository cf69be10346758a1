"""The endpoints of people who are told: alerts, who has an incident, silences."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tocsin_alerts.documents import suggest
from tocsin_alerts.matchers import Matcher, matchable
from tocsin_alerts.silences import Silence, covering
from tocsin_console.api.answering import duration_of, text_of, with_body
from tocsin_console.api.wire import Json
from tocsin_console.errors import UsageProblem
from tocsin_console.parts import Parts


def people_routes(parts: Parts) -> list[Route]:
    """List the routes over the parts of a running ``up``."""

    def alerts(request: Request) -> Response:
        asked = request.query_params
        found = parts.book.alerts(everything="all" in asked, use_case=asked.get("use_case", ""))
        in_force = parts.silences.in_force()
        held = {(row["incident"], row["fingerprint"]): row for row in parts.book.ask("held_alerts")}
        return Json({"alerts": [each | _silenced(each, in_force) | _held(each, held) for each in found]})

    def _silenced(alert: Mapping[str, Any], in_force: Sequence[Silence]) -> dict[str, Any]:
        about = matchable(**{name: alert[name] for name in ("project", "use_case", "rule", "severity", "labels")})
        silence = covering(in_force, about, at=parts.now())
        return {"silence": silence and silence.silence, "silenced_until": silence and silence.until}

    def acknowledge(request: Request, body: dict[str, Any]) -> Response:
        return _acknowledge(parts, request.path_params["incident"], body)

    def silences(_request: Request) -> Response:
        return Json({"silences": [each.to_json() for each in parts.silences.in_force()]})

    def silence(_request: Request, body: dict[str, Any]) -> Response:
        use_case, rule = str(body.get("use_case") or ""), str(body.get("rule") or "")
        _require(use_case, {each["use_case"] for each in parts.book.use_cases()}, "a use case")
        _require(rule, {str(each["rule"]) for each in parts.rules}, "a rule")
        since = _time(body, "from") or parts.now()
        try:
            matchers = [Matcher.parse(each) for each in body.get("matchers") or ()]
        except (TypeError, ValueError) as error:
            raise UsageProblem(str(error)) from error
        until = _time(body, "until")
        lasts = duration_of(body, "for") if until is None else until - since
        made = parts.silences.add(
            lasts,
            project=str(body.get("project") or "default"),
            use_case=use_case,
            rule=rule,
            matchers=matchers,
            since=since,
            by=text_of(body, "actor"),
            because=str(body.get("because") or ""),
        )
        return Json({"silence": made.to_json()})

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
        Route("/api/silences", with_body(silence), methods=["POST"]),
        Route("/api/silences/{silence}/expire", with_body(expire), methods=["POST"]),
    ]


def _history(parts: Parts, request: Request) -> Response:
    asked = request.query_params
    since = parts.now() - duration_of({"for": "90d", **asked}, "for")
    found = parts.book.history(since, use_case=asked.get("use_case", ""), rule=asked.get("rule", ""))
    return Json({"incidents": found})


def _held(alert: Mapping[str, Any], held: Mapping[tuple[str, str], Mapping[str, Any]]) -> dict[str, Any]:
    """Say why an alert that fires is not told, or only as a ticket; until when, and what is wrong by then."""
    found = held.get((alert["incident"], alert["fingerprint"])) if alert["incident"] else None
    names = {"why": "held", "detail": "held_because", "until": "held_until", "wrong": "wrong_until"}
    return {shown: found[name] if found else None for name, shown in names.items()}


def _acknowledge(parts: Parts, incident: str, body: Mapping[str, Any]) -> Response:
    """Take an incident; of one that is over only what it was worth can still be said."""
    by, note, verdict = text_of(body, "actor"), str(body.get("note") or ""), str(body.get("verdict") or "")
    said = parts.verdicts.record(incident, verdict, by=by) if verdict else None
    if said is not None and not said.is_open:
        return Json({"acknowledgement": None, "verdict": asdict(said)})
    taken = parts.acknowledgements.acknowledge(incident, by=by, note=note)
    return Json({"acknowledgement": asdict(taken), "verdict": said and asdict(said)})


def _time(body: Mapping[str, Any], name: str) -> datetime | None:
    """Read a time, of UTC unless it says otherwise; None where none is given."""
    said = body.get(name)
    if not said:
        return None
    try:
        when = datetime.fromisoformat(str(said))
    except ValueError as error:
        raise UsageProblem(f"expected {name!r} as a time such as 2026-12-24T18:00+01:00, got {said!r}") from error
    return when if when.tzinfo else when.replace(tzinfo=UTC)


def _require(name: str, known: set[str], what: str) -> None:
    """Refuse a name that nothing has: a silence with a slip in it silences nothing, and nobody would notice."""
    if name and name not in known:
        raise UsageProblem(f"expected {what} that there is, got {name!r}: {suggest(name, sorted(known))}")
