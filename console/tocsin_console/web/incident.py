"""The page of one incident, which messages link: what to do, the evidence and the exact statement behind it, and forms to act.

Opening it changes nothing, since mail programs and chats open links by themselves; its forms post.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tocsin_alerts.budget import strictness
from tocsin_alerts.charts.quality import chart_of
from tocsin_alerts.conditions import STRICT
from tocsin_alerts.filters import amount
from tocsin_alerts.jobs import Job
from tocsin_alerts.journal_sql import statement as journal
from tocsin_alerts.overlays import overlay_of
from tocsin_alerts.plan import Plan
from tocsin_alerts.rule import Rule
from tocsin_alerts.runbook import shipped_runbooks, shipped_steps
from tocsin_alerts.verdicts import VERDICTS
from tocsin_console.alerting import with_quiet
from tocsin_console.api.answering import duration_of, text_of
from tocsin_console.errors import UsageProblem
from tocsin_console.parts import Parts
from tocsin_console.web.charts import chart_route
from tocsin_console.web.forms import Form, actor, form_route
from tocsin_console.web.incident_charts import quality, value
from tocsin_console.web.incident_facts import by_alert, explained, timeline
from tocsin_console.web.links import incident_link, with_query
from tocsin_console.web.page import Document, Page
from tocsin_console.web.templates import argument

_SHOWN: Final = 12  # alerts whose statement is on the page
_DONE: Final = {
    "acknowledged": "Acknowledged: it is yours, and nobody else is called.",
    "silenced": "Silenced.",
    "judged": "Noted what it was worth.",
    "guarded": "The guard is changed: services that read it follow within a second.",
}
_MEDIA: Final = {"png": "image/png", "svg": "image/svg+xml"}
_BEFORE: Final = timedelta(days=30)  # of a chart, before it began
_MOST_SLOTS: Final = 400


def incident_pages(parts: Parts) -> list[Page]:
    """List the one page."""

    def read(request: Request) -> Document:
        return _Incident(parts, request.path_params["incident"]).document() | {
            "done": _DONE.get(request.query_params.get("done", ""), "")
        }

    return [Page(path="/alerts/{incident}", section="alerts", template="incident.html.j2", read=read, rows=_rows)]


def incident_routes(parts: Parts) -> list[Route]:
    """List its charts and its forms."""

    def as_told(request: Request) -> Response:
        """Draw what was told last, as chats fetch it."""
        data, kind = _told_last(parts, request.path_params["incident"]), request.path_params["kind"]
        if kind not in _MEDIA or not (drawn := parts.draw(data, kind)):
            return Response(status_code=404)
        return Response(drawn, media_type=_MEDIA[kind])

    def quality_chart(request: Request) -> Mapping[str, Any] | None:
        return quality(_told_last(parts, request.path_params["incident"]))

    def value_chart(request: Request) -> Mapping[str, Any] | None:
        return _Incident(parts, request.path_params["incident"]).series()

    def acknowledge(request: Request, form: Form) -> str:
        incident = request.path_params["incident"]
        parts.acknowledgements.acknowledge(incident, by=actor(request, form), note=form.get("note", ""))
        return with_query(incident_link(incident), done="acknowledged")

    def silence(request: Request, form: Form) -> str:
        incident = request.path_params["incident"]
        about = [each for each in parts.book.alerts() if each["incident"] == incident]
        rule = form.get("rule", "")
        if not about or (rule and rule not in {each["rule"] for each in about}):
            raise UsageProblem(f"expected a rule of this incident, got {rule!r}")
        parts.silences.add(
            duration_of(form, "for"),
            project=about[0]["project"],
            use_case=about[0]["use_case"],
            rule=rule,
            by=actor(request, form),
            because=text_of(form, "because"),
        )
        return with_query(incident_link(incident), done="silenced")

    def judge(request: Request, form: Form) -> str:
        incident = request.path_params["incident"]
        parts.verdicts.record(incident, text_of(form, "verdict"), by=actor(request, form))
        return with_query(incident_link(incident), done="judged")

    return [
        chart_route("/alerts/{incident}/quality.svg", quality_chart, parts.figures),
        chart_route("/alerts/{incident}/value.svg", value_chart, parts.figures),
        Route("/alerts/{incident}/chart.{kind}", as_told),
        form_route("/alerts/{incident}/acknowledge", acknowledge),
        form_route("/alerts/{incident}/silence", silence),
        form_route("/alerts/{incident}/verdict", judge),
    ]


class _Incident:
    """One incident, named by how it begins.

    Raises:
        HTTPException: there is none, or more than one.
    """

    def __init__(self, parts: Parts, beginning: str) -> None:
        self._parts = parts
        events = parts.book.ask("incident_events", {"incident": beginning})
        names = {event["incident"] for event in events} - {""}
        if beginning not in names and len(names) != 1:
            known = f"{len(names)} incidents begin with it" if names else "nothing is known of it"
            raise HTTPException(404, f"No such incident as {beginning[:40]!r}: {known}.")
        self.name: str = beginning if beginning in names else names.pop()
        self.alerts = by_alert(events, self.name)
        self.lead = self.alerts[0]
        self.about = {name: self.lead[name] for name in ("project", "use_case")}

    def document(self) -> dict[str, Any]:
        """Put the page together."""
        ask, about = self._parts.book.ask, {**self.about, "incident": self.name}
        told = [{name: each[name] for name in _DELIVERY} for each in self._parts.book.notifications(self.name)]
        acts, guard = ask("incident_acts", {"incident": self.name}), ask("incident_guard", about)
        plan = self._parts.plans.get(**self.about)
        data = _told_last(self._parts, self.name)
        is_open = any(each["until"] is None for each in self.alerts)
        standing = self._standing()
        alerts = [self._described(each, standing, is_shown=at < _SHOWN) for at, each in enumerate(self.alerts)]
        in_force = next((row for row in ask("guard_latest") if row.items() >= self.about.items()), None)
        drawn = chart_of(data)
        return {
            "incident": self.name,
            **self.about,
            "severity": self.lead["severity"],
            "is_open": is_open,
            "since": min(each["began"] for each in self.alerts),
            "until": None if is_open else max(each["until"] for each in self.alerts),
            "summary": alerts[0]["summary"],
            "do_now": data.get("do_now") or ("Look at it: nobody was told of it." if is_open else "Nothing to do: it is over."),
            "command": data.get("command") or "",
            "alerts": alerts,
            "queries": self._queries(),
            "taken": [{"by": each["actor"], "at": each["at"], "note": each["detail"]} for each in acts if each["action"] == "acknowledge"],
            "verdict": next(({"verdict": each["detail"], "by": each["actor"], "at": each["at"]} for each in reversed(acts) if each["action"] == "verdict"), None),
            "verdicts": VERDICTS,
            "evidence": {name: data.get(name) for name in _EVIDENCE},
            "runbook": {**self._runbook(plan), "owner": plan.owner, "contact": plan.contact},
            "guard": {"state": (in_force and in_force["state_in_force"]) or "normal", "mode": plan.guard.mode, "fallback": plan.fallback.description},
            "timeline": timeline(
                self.alerts, told, acts, guard,
                later={name for step in plan.escalation for name in step.route}, by_slot=self._parts.config.clock == "data",
            ),
            "deliveries": told,
            "quality_chart": str(drawn["alt"]) if drawn else "",
            "value_chart": self._value_words(alerts[0]),
        }  # fmt: skip

    def series(self) -> dict[str, Any] | None:
        """Give the figure of what its first alert judges, slot by slot."""
        lead, rule = self.lead, self._rule(self.lead)
        if rule is None:
            return None
        until = lead["until"] or self._parts.evaluated_through() or lead["last"]["slot"]
        asked = {
            **self.about,
            "evaluator": rule.source.name,
            "labels": sorted(f"{name}={said}" for name, said in lead["labels"].items() if name in rule.source.columns),
            "hash": Job(name="", source=rule.source, schedule=rule.schedule, params=self._params(rule, lead), rule=rule).source_hash,
            "since": lead["began"] - max(_BEFORE, rule.text.every * 60),
            "until": until + rule.text.every,
            "most": _MOST_SLOTS,
        }  # fmt: skip
        rows = self._parts.book.ask("alert_series", asked)[::-1]
        said = explained(lead, rule, self._parts.plans.get(**self.about), {})
        return value(rule.name, rows, unit=said["unit"], threshold=said["threshold"], events=lead["events"])

    def _runbook(self, plan: Plan) -> dict[str, Any]:
        """Say where the steps are: the team's, and what is shipped about the rule that leads."""
        name, rule = self.lead["rule"], self._rule(self.lead)
        use_case = argument(plan.use_case) + (
            "" if plan.project == "default" else f" --project {argument(plan.project)}"
        )
        return {
            "link": (rule.text.runbook if rule else None) or plan.runbook.link,
            "steps": plan.runbook.first_steps or list(shipped_steps(name, use_case)),
            "guide": name if name in shipped_runbooks() else "",
        }

    def _described(self, alert: Mapping[str, Any], standing: Mapping[str, Any], *, is_shown: bool) -> dict[str, Any]:
        rule, now = self._rule(alert), standing.get(alert["fingerprint"])
        said = explained(alert, rule, self._parts.plans.get(**self.about), self._params(rule, alert) if rule else {})
        beside = _BESIDE.get(overlay_of(alert["labels"]) or "")
        return {
            **{name: alert[name] for name in ("rule", "labels", "severity", "state", "began", "until", "fingerprint")},
            "summary": beside or (rule.text.summary if rule else alert["rule"]),
            "reason": alert["fired"]["reason"],
            "slot": alert["fired"]["slot"],
            "rule_hash": alert["fired"]["rule_hash"],
            **said,
            "ask": said["ask"] if is_shown else "",
            "value_now": now["value"] if now else None,
            "slot_now": now["slot"] if now else None,
            **{name: now[name] if now else None for name in ("silenced_until", "held", "held_because", "held_until")},
        }

    def _standing(self) -> dict[str, dict[str, Any]]:
        found = [
            each for each in self._parts.book.alerts(use_case=self.about["use_case"]) if each["incident"] == self.name
        ]
        return {each["fingerprint"]: each for each in with_quiet(self._parts, found)}

    def _queries(self) -> list[dict[str, Any]]:
        """Give each rule's statement once, as it is in force."""
        rules = {each["rule"]: self._rule(each) for each in self.alerts}
        return [
            {"rule": name, "evaluator": rule.source.name, "when": rule.text.when, "clear": rule.text.clear, "sql": str(getattr(rule.source, "sql", ""))}
            for name, rule in rules.items()
            if rule is not None
        ]  # fmt: skip

    def _rule(self, alert: Mapping[str, Any]) -> Rule | None:
        return self._parts.rule_book.get(alert["rule"])

    def _params(self, rule: Rule, alert: Mapping[str, Any]) -> dict[str, Any]:
        """Give a rule's parameters as they were: what it asks for rises with the number of use cases."""
        if STRICT not in rule.source.params:
            return dict(rule.params)
        rows = self._parts.book.rows(journal("streams"), {"until": alert["fired"]["slot"]})
        streams = [(row["project"], row["use_case"]) for row in rows]
        return {**rule.params, STRICT: strictness(self._parts.rule_book, self._parts.plans, streams)}

    def _value_words(self, alert: Mapping[str, Any]) -> str:
        """Say in words what the figure shows; empty where there is none."""
        figure = self.series()
        if figure is None:
            return ""
        days = f"{str(figure['rows'][0]['at'])[:10]} to {max(str(row['at']) for row in figure['rows'])[:10]}"
        beside = "" if alert["baseline"] is None else f", {amount(alert['baseline'], alert['unit'])} in its reference"
        return f"What {alert['rule']} judged, {days}: {amount(alert['value'], alert['unit'])} when it fired{beside}"


_BESIDE: Final = {"no_data": "There is nothing to judge", "error": "It cannot be evaluated"}
_DELIVERY: Final = ("at", "slot", "channel", "transition", "state", "attempts", "error", "subject", "text")
_EVIDENCE: Final = (
    *("explanation", "changed", "drifted", "worst_segment", "examples", "impact", "release", "retraining"),
    *("wrong_per_day", "calls_per_day", "quality", "estimated"),
)


def _told_last(parts: Parts, incident: str) -> dict[str, Any]:
    found = parts.book.ask("notification_data", {"incident": incident})
    return dict(json.loads(found[0]["data"] or "{}")) if found else {}


def _rows(document: Document) -> Sequence[Mapping[str, Any]]:
    return [{"incident": document["incident"], **each} for each in document["timeline"]]
