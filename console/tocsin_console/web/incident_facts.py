"""What an incident's page says, from rows of the journal, the outbox and the logs. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from tocsin_alerts.overlays import overlay_of
from tocsin_alerts.plan import Plan
from tocsin_alerts.records import Sample
from tocsin_alerts.rule import Rule
from tocsin_console.web.exact_sql import runnable

ACTIVE: Final = ("firing", "recovering")
_RANKS: Final = {"page": 0, "ticket": 1, "log": 2}
_FIGURES: Final = ("value", "lower", "upper", "baseline", "n")

Row = Mapping[str, Any]


def by_alert(events: Iterable[Row], incident: str) -> list[dict[str, Any]]:
    """Gather the transitions of each alert of an incident, the one to read first first.

    Returns:
        Of each alert what names it, ``began`` (the slot at which it began to fire), ``until`` (None: it goes on), ``state``,
        ``fired`` (the transition that says why), ``last`` and ``events``.
    """
    alerts: dict[str, list[Row]] = {}
    before: dict[str, Row] = {}
    for event in events:
        if event["incident"] == incident:
            led = before.get(event["fingerprint"]) if event["fingerprint"] not in alerts else None
            alerts.setdefault(event["fingerprint"], [led] if led else []).append(event)
        elif event["fingerprint"] not in alerts:
            before[event["fingerprint"]] = event
            if event["to_state"] != "pending":
                del before[event["fingerprint"]]
    found = [_alert(own, incident) for own in alerts.values()]
    return sorted(found, key=lambda each: (_RANKS.get(each["severity"], 9), each["began"], each["rule"]))


def explained(alert: Row, rule: Rule | None, plan: Plan, params: Mapping[str, Any]) -> dict[str, Any]:
    """Say how an alert's value came about: what it was held against, and the statement that gave it.

    Args:
        alert: As :func:`by_alert` has it.
        rule: As it is in force; None: it is no longer there.
        plan: Of the use case.
        params: The rule's, beyond the range.
    """
    fired = alert["fired"]
    figures = {name: fired[name] for name in _FIGURES}
    if rule is None:
        return figures | {"threshold": None, "unit": "", "is_changed": True, "parameters": {}, "ask": ""}
    sample = Sample(
        project=fired["project"],
        use_case=fired["use_case"],
        labels=dict(fired["labels"]),
        slot=fired["slot"],
        **figures,
    )
    parameters = {
        "since": fired["slot"] - rule.text.every,
        "until": fired["slot"],
        "step_s": int(rule.text.every.total_seconds()),
        **params,
    }
    own = {name: value for name, value in fired["labels"].items() if name in rule.source.columns}
    where = {"project": fired["project"], "use_case": fired["use_case"], "slot": fired["slot"], **own}
    sql = str(getattr(rule.source, "sql", ""))
    return figures | {
        "threshold": None if overlay_of(fired["labels"]) else rule.threshold(sample, plan),
        "unit": _unit(rule, fired["labels"]),
        "is_changed": rule.hash != fired["rule_hash"],
        "parameters": parameters,
        "ask": runnable(sql, parameters, where) if sql else "",
    }


def timeline(
    alerts: Iterable[Row],
    told: Iterable[Row],
    acts: Iterable[Row],
    guard: Iterable[Row],
    *,
    later: Iterable[str] = (),
    by_slot: bool = False,
) -> list[dict[str, Any]]:
    """Put everything that happened in order: when, as of which slot, what, of which alert or by whom, and why.

    Args:
        alerts: As :func:`by_alert` has them.
        told: Notifications.
        acts: Of the audit log.
        guard: Events of the guard.
        later: Channels that hear it only when nobody takes it.
        by_slot: On the data's clock, where what happened together was long before it was told.
    """
    happened = [_moved(event) for alert in alerts for event in alert["events"]]
    happened += [_told(each, set(later)) for each in told]
    happened += [
        {
            "at": each["at"],
            "slot": None,
            "what": _ACTS.get(each["action"], each["action"]),
            "of": each["actor"],
            "why": each["detail"],
        }
        for each in acts
    ]
    happened += [_guarded(each) for each in guard]
    return sorted(
        happened,
        key=lambda each: ((each["slot"] if by_slot else None) or each["at"], _ORDER.get(each["what"], 5), each["at"]),
    )


_ACTS: Final = {"acknowledge": "acknowledged", "verdict": "judged"}
_ORDER: Final = {
    "pending": 0,
    "firing": 1,
    "recovering": 2,
    "resolved": 3,
    "guard to verify": 4,
    "guard to fallback": 4,
}


def _unit(rule: Rule, labels: Mapping[str, str]) -> str:
    unit = str(getattr(rule.source, "unit", ""))
    return labels.get("currency", "")[:3] if unit == "currency" else unit


def _alert(events: Sequence[Row], incident: str) -> dict[str, Any]:
    fired = [event for event in events if event["to_state"] == "firing"] or list(events)
    last = events[-1]
    first: datetime = next(event["slot"] for event in events if event["incident"] == incident)
    return {
        **{name: last[name] for name in ("project", "use_case", "rule", "labels", "fingerprint", "severity")},
        "state": last["to_state"],
        "began": first,
        "until": None if last["to_state"] in ACTIVE else last["slot"],
        "fired": fired[-1],
        "last": last,
        "events": list(events),
    }


def _moved(event: Row) -> dict[str, Any]:
    labels = ", ".join(f"{name}={value}" for name, value in event["labels"].items() if value)
    of = f"{event['rule']} ({labels})" if labels else event["rule"]
    return {"at": event["at"], "slot": event["slot"], "what": event["to_state"], "of": of, "why": event["reason"]}


def _told(row: Row, later: set[str]) -> dict[str, Any]:
    done = {"sent": "delivered", "dead": "not delivered", "pending": "being sent"}.get(row["state"], row["state"])
    what = "escalated" if row["channel"] in later and row["transition"] == "firing" and row["state"] == "sent" else done
    tries = f" at attempt {row['attempts']}" if row["attempts"] > 1 else ""
    why = f"{row['transition']}: {row['subject']}{tries}" + (f"; {row['error']}" if row["error"] else "")
    return {"at": row["at"], "slot": row["slot"], "what": what, "of": row["channel"], "why": why}


def _guarded(row: Row) -> dict[str, Any]:
    if not row["applied"]:
        what = f"guard would be {row['state']}"
    else:
        what = "guard released" if row["state"] == "normal" else f"guard to {row['state']}"
    return {"at": row["at"], "slot": row["since"], "what": what, "of": row["actor"], "why": row["cause"]}
