"""The alerts: what is open, what is about to be, what was, what is kept still; and forms to keep something still."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from starlette.requests import Request
from starlette.routing import Route

from tocsin_alerts.weekly import WEEK, Weekly
from tocsin_alerts.windows import Window
from tocsin_console.alerting import back, with_quiet
from tocsin_console.api.answering import text_of
from tocsin_console.parts import Parts
from tocsin_console.silencing import silence
from tocsin_console.web.forms import Form, actor, form_route
from tocsin_console.web.page import Document, Page

RANGES: Final = {"7d": 7, "30d": 30, "90d": 90, "1y": 366}
LASTS: Final = {
    "1h": "an hour",
    "2h": "two hours",
    "8h": "eight hours",
    "1d": "a day",
    "3d": "three days",
    "7d": "a week",
}
_OUTCOMES: Final = ("actionable", "noise", "unsaid")
_DONE: Final = {
    "silenced": "Silenced: nobody is told of it until then.",
    "expired": "Ended: what it kept still is told again.",
}
_SOON: Final = timedelta(days=7)
_MOST: Final = 1_000
_COLUMNS: Final = (
    *("project", "use_case", "incident", "severity", "since", "until", "rules", "says", "worst"),
    *("acknowledged_by", "acknowledged_at", "verdict", "told", "not_told"),
)
_FILTERS: Final = ("use_case", "rule", "severity", "outcome")


def alerts_pages(parts: Parts) -> list[Page]:
    """List the one page."""

    def read(request: Request) -> Document:
        asked = request.query_params
        wanted = {name: asked.get(name, "").strip() for name in _FILTERS}
        span = asked.get("range", "")
        span = span if span in RANGES else "90d"
        since = back(parts, timedelta(days=RANGES[span]))
        found = parts.book.history(since, use_case=wanted["use_case"], rule=wanted["rule"], most=_MOST)
        incidents = [_incident(parts, each) for each in found if _is_wanted(each, wanted)]
        active = with_quiet(parts, parts.book.alerts(use_case=wanted["use_case"]))
        opened = [each | _quiet(each, active) for each in incidents if each["until"] is None]
        return {
            "open": sorted(opened, key=lambda each: each["severity"] != "page"),
            "waiting": [_waiting(each) for each in active if each["state"] == "pending" or each["overlay"] == "error"],
            "past": [each for each in incidents if each["until"] is not None],
            "is_cut": len(found) >= _MOST,
            "asked": {**wanted, "range": span},
            "choices": _choices(parts),
            "silences": [each.to_json() for each in parts.silences.in_force()],
            "coming": [each.to_json() for each in parts.silences.coming(_SOON)],
            "windows": [_window(each) for each in parts.config.maintenance],
            "done": _DONE.get(asked.get("done", ""), ""),
        }

    return [Page(path="/alerts", section="alerts", template="alerts.html.j2", read=read, rows=_rows)]


def alerts_routes(parts: Parts) -> list[Route]:
    """List the forms about silences."""

    def keep_still(request: Request, form: Form) -> str:
        matchers = [each.strip() for each in form.get("matchers", "").splitlines() if each.strip()]
        silence(parts, {**form, "matchers": matchers, "because": text_of(form, "because")}, by=actor(request, form))
        return "/alerts?done=silenced#silences"

    def expire(request: Request, form: Form) -> str:
        parts.silences.expire(text_of(form, "silence"), by=actor(request, form))
        return "/alerts?done=expired#silences"

    return [
        form_route("/alerts/silences", keep_still),
        form_route("/alerts/silences/expire", expire),
    ]


def _incident(parts: Parts, row: Mapping[str, Any]) -> dict[str, Any]:
    rule = parts.rule_book.get(row["lead"])
    lasted = None if row["until"] is None else (row["until"] - row["since"]).total_seconds()
    return {
        **row,
        "rules": sorted(row["rules"]),
        "says": rule.text.summary if rule else row["lead"],
        "lasted_s": lasted,
    }


def _is_wanted(row: Mapping[str, Any], wanted: Mapping[str, str]) -> bool:
    outcome = row["verdict"] or "unsaid"
    return wanted["severity"] in ("", row["severity"]) and wanted["outcome"] in ("", outcome)


def _quiet(incident: Mapping[str, Any], active: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Say what keeps an incident still: something does only if it keeps each of its alerts."""
    own = [each for each in active if each["incident"] == incident["incident"]]
    silenced = [each["silenced_until"] for each in own]
    held = [each for each in own if each["held"]]
    first = held[0] if own and len(held) == len(own) else {}
    return {
        "silenced_until": max(silenced) if own and all(silenced) else None,
        **{name: first.get(name) for name in ("held", "held_because", "held_until", "wrong_until")},
    }


def _waiting(alert: Mapping[str, Any]) -> dict[str, Any]:
    names = ("project", "use_case", "rule", "labels", "severity", "state", "overlay", "since", "value", "reason")
    return {name: alert[name] for name in names}


def _choices(parts: Parts) -> dict[str, Any]:
    known = [(str(each["project"]), str(each["use_case"])) for each in parts.book.ask("known_use_cases")]
    known += [(plan.project, plan.use_case) for plan in parts.plans]
    return {
        "project": sorted({project for project, _ in known} | {"default"}),
        "use_case": sorted({use_case for _, use_case in known}),
        "rule": sorted(str(each["rule"]) for each in parts.rules),
        "severity": ("page", "ticket", "log"),
        "outcome": _OUTCOMES,
        "range": tuple(RANGES),
        "lasts": LASTS,
    }  # fmt: skip


def _window(window: Window) -> dict[str, Any]:
    return {
        "name": window.name,
        "matchers": [str(each) for each in window.matchers],
        "when": _weekly(window.weekly) if window.weekly else "once",
        "zone": window.zone,
        "since": window.since,
        "until": window.until,
        "author": window.author,
        "reason": window.reason,
    }


def _weekly(weekly: Weekly) -> str:
    """Write when a window comes round: ``sat, sun 22:00 to 04:00``."""
    days = "every day" if len(weekly.days) == len(WEEK) else ", ".join(weekly.days)
    said = weekly.model_dump(mode="json", by_alias=True)
    return f"{days} {said['from']} to {said['until']}"


def _rows(document: Document) -> Sequence[Mapping[str, Any]]:
    return [{name: each[name] for name in _COLUMNS} for each in [*document["open"], *document["past"]]]
