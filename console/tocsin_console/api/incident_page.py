"""The page of one incident, which messages link: what was told, and forms to take it or to silence it. Pure.

Opening it changes nothing, since mail programs and chats open links by themselves; its buttons post.
"""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, Final

from tocsin_alerts.plain import one_line
from tocsin_console.web.static import static_link

_LASTS: Final = {"1h": "an hour", "2h": "two hours", "8h": "eight hours", "1d": "a day", "7d": "a week"}
_CHARS: Final = 200


def render_incident(
    incident: str,
    *,
    alerts: Sequence[Mapping[str, Any]],
    told: Mapping[str, Any] | None,
    chart: str = "",
    said: str = "",
) -> str:
    """Write the page.

    Args:
        incident: Its whole id.
        alerts: Of this incident, as ``/api/alerts`` lists them.
        told: The last of its notifications, as ``/api/notifications`` lists them.
        chart: What its chart shows; empty: there is none.
        said: What became of the button that was pressed.
    """
    first = alerts[0] if alerts else told or {}
    is_open = any(each["state"] in {"firing", "recovering"} for each in alerts)
    owner = next((str(each["acknowledged_by"]) for each in alerts if each.get("acknowledged_by")), "")
    parts = [
        f"<h1>{_text(first.get('use_case', ''))}</h1>",
        f'<p class="verdict">{_text(said)}</p>' if said else "",
        f"<p>{_standing(is_open, owner)} Incident {_text(incident)}.</p>",
        _list(alerts),
        f'<p><img src="/alerts/{escape(incident)}/chart.svg" alt="{_text(chart)}"></p>' if chart else "",
        _acknowledge(incident) if is_open and not owner else "",
        _silence(incident, alerts) if is_open else "",
        f"<h2>What was told</h2><pre>{escape(str(told['text']))}</pre>" if told else "",
    ]
    return _document(f"{first.get('use_case', 'incident')}", "\n".join(part for part in parts if part))


def render_missing(incident: str) -> str:
    """Write the page of an incident that there is not."""
    return _document("no such incident", f"<h1>No such incident</h1><p>Nothing is known of {_text(incident)}.</p>")


def _standing(is_open: bool, owner: str) -> str:
    if not is_open:
        return "It is over."
    return f"{_text(owner)} has it." if owner else "<strong>Nobody has it.</strong>"


def _list(alerts: Sequence[Mapping[str, Any]]) -> str:
    rows = "\n".join(
        f"<tr><td>{_text(each['rule'])}</td><td>{_text(each['severity'])}</td><td>{_text(each['state'])}</td>"
        f"<td>{_text(each['reason'] or '')}</td></tr>"
        for each in alerts
    )
    head = "".join(f'<th scope="col">{name}</th>' for name in ("Rule", "Severity", "State", "Why"))
    return f"<table><thead><tr>{head}</tr></thead><tbody>\n{rows}\n</tbody></table>" if rows else ""


def _acknowledge(incident: str) -> str:
    return f"""<form method="post" action="/alerts/{escape(incident)}/acknowledge"><h2>Acknowledge</h2>
{_field("actor", "Your name")}{_field("note", "What you are about to do", needed=False)}<button>Acknowledge</button></form>"""


def _silence(incident: str, alerts: Sequence[Mapping[str, Any]]) -> str:
    rules = "".join(f"<option>{_text(name)}</option>" for name in sorted({str(each["rule"]) for each in alerts}))
    lasts = "".join(f'<option value="{key}">{words}</option>' for key, words in _LASTS.items())
    return f"""<form method="post" action="/alerts/{escape(incident)}/silence" id="silence"><h2>Silence</h2>
<label>Rule <select name="rule">{rules}<option value="">every rule of this use case</option></select></label>
<label>For <select name="for">{lasts}</select></label>
{_field("because", "Why")}{_field("actor", "Your name")}<button>Silence</button></form>"""


def _field(name: str, label: str, *, needed: bool = True) -> str:
    required = " required" if needed else ""
    return f'<label>{label} <input name="{name}" maxlength="200" autocomplete="off"{required}></label>\n'


def _document(title: str, body: str) -> str:
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{_text(title)}</title>
<meta name="viewport" content="width=device-width"><link rel="stylesheet" href="{static_link("tocsin.css")}"></head>
<body>{body}
<p class="small"><a href="/">tocsin</a></p></body></html>
"""


def _text(said: object) -> str:
    return escape(one_line(str(said), limit=_CHARS))
