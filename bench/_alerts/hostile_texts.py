"""Puts payloads wherever others' words stand in a message, renders it for every channel, and judges what would be sent."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import UTC, datetime
from itertools import cycle
from typing import Any, Final

from _alerts.judges import effects, html_effects
from tocsin_alerts.briefing import Case, brief
from tocsin_alerts.fixtures import case_of
from tocsin_alerts.incidents import Incident, Member
from tocsin_alerts.message import Message
from tocsin_alerts.outbox import Notification, notification_id
from tocsin_alerts.plan import Plan
from tocsin_alerts.render import Templates
from tocsin_alerts.rendition import KINDS, rendition
from tocsin_alerts.rules import RuleBook
from tocsin_alerts.standing import standing
from tocsin_alerts.web_links import is_web_link
from tocsin_console.web.templates import render

PAGE: Final = "https://tocsin.example.net"
RULE: Final = "null-rate"  # its first line names a field
_AT: Final = datetime(2026, 4, 14, tzinfo=UTC)
_FRAME: Final[Mapping[str, Any]] = {
    "version": "0",
    "evaluated_through": None,
    "person": "",
    "section": "alerts",
    "sections": (),
    "twins": {"json": "/x.json", "csv": "/x.csv"},
}
_FIXED: Final = frozenset({"course_of", "currency", "state", "unit"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """Something that acted."""

    channel: str
    what: str
    payloads: tuple[str, ...]  # of which at least one did


def judged(batch: Sequence[str], rules: RuleBook, templates: Templates) -> Iterator[Effect]:
    """Put a batch of payloads into one message, each wherever others' words stand in turn, and judge it on every channel."""
    honest_case = case_of(rules.rules[RULE], "firing", rules)
    plan = Plan(use_case=honest_case.plan.use_case)  # nobody wrote one: the name of the use case is a caller's
    honest_case = replace(honest_case, plan=plan)
    case = _poisoned_case(honest_case, batch)
    said = {chat: templates.compose(brief(case), chat=chat) for chat in (False, True)}
    meant = {chat: templates.compose(brief(honest_case), chat=chat) for chat in (False, True)}
    figures = str(meant[False].data["dashboard"])
    incident, runbook = f"{PAGE}/alerts/{case.incident.id}", f"{PAGE}/runbooks/{RULE}"
    ours = frozenset({f"{incident}#silence", incident, runbook, figures})
    for chat, message in said.items():
        linked = str(message.data["dashboard"])  # the name stands in it, quoted
        if not (linked.startswith(f"{PAGE}/use-cases/default/") and is_web_link(linked) and "\u200b" not in linked):
            yield Effect(channel="dashboard", what=f"the address {linked!r}", payloads=tuple(batch))
        said[chat] = _linking(message, linked, str(meant[chat].data["dashboard"]))
    for kind in KINDS:
        chat = kind not in ("log", "smtp")
        bad, good = (
            rendition(kind, _notification(each, kind, message[chat], rules))
            for each, message in ((case, said), (honest_case, meant))
        )
        for what in effects(kind, bad, good, ours=ours):
            yield Effect(channel=kind, what=what, payloads=tuple(batch))
    words = cycle(batch)
    shown = {
        name: render(
            "incident.html.j2", {"doc": _incident_page(case.incident.id, message[False], word), "frame": _FRAME}
        )
        for name, message, word in (("bad", said, lambda: next(words)), ("good", meant, lambda: "x"))
    }
    for what in html_effects(shown["bad"], shown["good"], ours=ours, links=False, local=True):
        yield Effect(channel="page", what=what, payloads=tuple(batch))


def _linking(message: Message, linked: str, instead: str) -> Message:
    """Put one address in the place of another, so that only what else differs is judged."""
    text, html = (said.replace(linked, instead) for said in (message.text, message.html))
    return replace(message, text=text, html=html, data={**message.data, "dashboard": instead})


def _incident_page(incident: str, message: Message, word: Callable[[], str]) -> dict[str, Any]:
    """Make the document of an incident's page, with a payload wherever others' words stand."""
    figures = {"value": 0.5, "lower": 0.4, "upper": 0.6, "baseline": 0.9, "n": 100, "threshold": 0.8, "unit": "share"}
    alert = {
        **figures,
        "rule": RULE,
        "summary": "A field is empty",
        "severity": "page",
        "state": "firing",
        "reason": word(),
        "labels": {"field": word(), word(): word()},
        "began": _AT,
        "until": None,
        "slot": _AT,
        "fingerprint": "f",
        "rule_hash": "h",
        "is_changed": False,
        "parameters": {"since": _AT, "min_n": 1},
        "ask": word(),
        "value_now": 0.5,
        "slot_now": _AT,
        "silenced_until": None,
        "held": "inhibited",
        "held_because": word(),
        "held_until": None,
    }
    told = {"at": _AT, "slot": _AT, "channel": "mail", "transition": "firing", "state": "dead", "attempts": 3}
    segment = {"name": word(), "value": word(), "measure": figures, "is_estimate": True}
    call = {
        "call_id": word(),
        "at": "2026-04-14T00:00:00+00:00",
        "inputs": word(),
        "answer": word(),
        "confidence": 0.5,
        "truth": word(),
    }
    evidence = {
        "explanation": [word()],
        "changed": word(),
        "drifted": [{"field": word(), "psi": 0.3, "detail": word()}],
        "worst_segment": segment,
        "examples": [call],
        "impact": {"calls": 5},
        "wrong_per_day": 4.0,
    }
    return {
        "incident": incident,
        "project": word(),
        "use_case": word(),
        "severity": "page",
        "is_open": True,
        "since": _AT,
        "until": None,
        "summary": "A field is empty",
        "do_now": word(),
        "command": word(),
        "alerts": [alert],
        "taken": [{"by": word(), "at": _AT, "note": word()}],
        "verdicts": (),
        "done": "",
        "verdict": {"verdict": "noise", "by": word(), "at": _AT},
        "evidence": evidence,
        "queries": [{"rule": RULE, "evaluator": "null_rate", "when": "value > 1", "clear": None, "sql": "SELECT 1"}],
        "runbook": {
            "link": "https://runbooks.example",
            "steps": [word()],
            "owner": word(),
            "contact": word(),
            "guide": RULE,
        },
        "guard": {"state": "normal", "mode": "shadow", "fallback": word()},
        "timeline": [{"at": _AT, "slot": _AT, "what": word(), "of": word(), "why": word()}],
        "deliveries": [{**told, "error": word(), "subject": word(), "text": message.text}],
        "quality_chart": word(),
        "value_chart": word(),
    }


def _notification(case: Case, kind: str, message: Any, rules: RuleBook) -> Notification:
    return Notification(
        id=notification_id(case.incident.id, "firing", kind),
        incident=case.incident.id,
        project=case.incident.project,
        use_case=case.incident.use_case,
        transition="firing",
        channel=kind,
        severity="page",
        slot=case.slot,
        message=message,
        created_at=case.slot,
        alerts=standing(case.members, rules),
    )


def _poisoned_case(case: Case, batch: Sequence[str]) -> Case:
    """Say with the payloads what callers, models and uploads say: the use case, labels, evidence, causes."""
    words = cycle(batch)
    incident = Incident(case.incident.id, "default", next(words))
    for name, member in case.incident.members.items():
        labels = {
            "field": next(words),
            next(words): next(words),
            "segment_name": next(words),
            "segment_value": next(words),
        }
        event = replace(member.last, labels=labels, reason=f"{next(words)} 0.9 < 1", use_case=incident.use_case)
        incident.members[name] = Member(fired=event, last=event, onset=member.onset)
    guard = replace(case.guard, row=case.guard.row and replace(case.guard.row, cause=next(words)))
    return replace(
        case,
        incident=incident,
        members=list(incident.members.values()),
        guard=guard,
        findings=_poisoned(case.findings, words),
    )


def _poisoned(value: Any, words: Iterator[str]) -> Any:
    match value:
        case str():
            return next(words)
        case Mapping():
            return {next(words): next(words) for _ in value}
        case list() | tuple():
            return tuple(_poisoned(each, words) for each in value)
        case _ if is_dataclass(value) and not isinstance(value, type):
            return replace(
                value,
                **{
                    f.name: _poisoned(getattr(value, f.name), words)
                    for f in fields(value)
                    if f.init and f.name not in _FIXED
                },
            )
    return value
