"""The guards: what each use case serves, why, until when, what its probes show; and the form by which a person decides."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from starlette.requests import Request
from starlette.routing import Route

from tocsin_alerts.guard import TRIPS_PER_HOUR
from tocsin_alerts.guard_bar import wilson
from tocsin_console.alerting import back
from tocsin_console.api.answering import duration_of, text_of
from tocsin_console.parts import Parts
from tocsin_console.web.forms import Form, actor, form_route
from tocsin_console.web.links import incident_link, with_query
from tocsin_console.web.page import Document, Page

_MOST: Final = 200  # of the history
Z: Final = 1.96  # 95 %
_PROBED: Final = timedelta(days=28)  # of a state that lasts longer, the latest so many
_DONE: Final = {
    "set": "Done: services that read the guard follow within a second.",
    "released": "Released: it is at normal, and alerts that still fire do not trip it again.",
}
_IN_FORCE: Final = ("state", "mode", "cause", "actor", "since", "hold_until", "expires_at", "incident", "probe_share")

Row = Mapping[str, Any]


def guard_pages(parts: Parts) -> list[Page]:
    """List the one page."""

    def read(request: Request) -> Document:
        asked = request.query_params
        about = {"project": asked.get("project", "default"), "use_case": asked.get("use_case", "")}
        latest = {_key(row): row for row in parts.book.ask("guard_latest")}
        hour = {"since": back(parts, timedelta(hours=1)), "until": back(parts, timedelta())}
        trips = {_key(row): int(row["trips"]) for row in parts.book.ask("guard_trips", hour)}
        keys = {_key(row) for row in parts.book.ask("known_use_cases")} | latest.keys()
        keys |= {(plan.project, plan.use_case) for plan in parts.plans}
        history = parts.book.ask("guard_history", {**about, "most": _MOST})
        return {
            "guards": [
                _described(parts, key, latest.get(key), trips=trips.get(key, 0), history=history)
                for key in sorted(keys)
                if about["use_case"] in ("", key[1])
            ],
            "history": history,
            "is_cut": len(history) >= _MOST,
            "trips_per_hour": TRIPS_PER_HOUR,
            "asked": about,
            "done": _DONE.get(asked.get("done", ""), ""),
        }

    return [Page(path="/guard", section="guard", template="guard.html.j2", read=read, rows=_rows)]


def guard_routes(parts: Parts) -> list[Route]:
    """List the one form."""

    def decide(request: Request, form: Form) -> str:
        about = {"project": form.get("project") or "default", "use_case": text_of(form, "use_case")}
        state, by = text_of(form, "state"), actor(request, form)
        if state == "normal":
            parts.guard.release(about["use_case"], actor=by, project=about["project"])
        else:
            lasts = duration_of(form, "for") if form.get("for") else None  # until it is released
            parts.guard.set(
                about["use_case"], state, actor=by, cause=text_of(form, "cause"), project=about["project"], lasts=lasts
            )
        parts.guard_changed()
        if incident := form.get("incident", ""):
            return with_query(incident_link(incident), done="guarded")
        return with_query("/guard", done="released" if state == "normal" else "set")

    return [form_route("/guard", decide)]


def _described(
    parts: Parts, key: tuple[str, str], row: Row | None, *, trips: int, history: Sequence[Row]
) -> dict[str, Any]:
    project, use_case = key
    plan = parts.plans.get(project, use_case)
    found = {name: row[f"{name}_in_force"] if row and row["version_in_force"] else None for name in _IN_FORCE}
    would = row is not None and not row["last_applied"]
    return {
        "project": project,
        "use_case": use_case,
        **found,
        "state": found["state"] or "normal",
        "set_by": found["mode"],
        "mode": plan.guard.mode,
        "release": plan.guard.release,
        "fail_mode": plan.guard.fail_mode,
        "fallback": plan.fallback.description,
        "planned_probe_share": plan.guard.probe_share,
        "would_be": row["last_state"] if would and row else None,
        "would_be_cause": row["last_cause"] if would and row else None,
        "trips_this_hour": trips,
        "probes": _probes(parts, project, use_case, [each for each in history if _key(each) == (project, use_case)]),
    }


def _probes(parts: Parts, project: str, use_case: str, history: Iterable[Row]) -> dict[str, Any] | None:
    """Say what the probes of the latest time away from normal have shown; None: there was none."""
    until = back(parts, timedelta())
    for row in history:
        if not row["applied"]:
            continue
        if row["state"] != "normal":
            since = max(row["since"], until - _PROBED)
            break
        until = row["since"]
    else:
        return None
    span = {"project": project, "use_case": use_case, "since": since, "until": max(until, since)}
    found = parts.book.ask("guard_probes", span)[0]
    known, right = int(found["probes_known"]), int(found["probes_right"])
    lower, upper = (wilson(right, known, z) for z in (-Z, Z)) if known else (None, None)
    return {
        "since": since,
        "until": span["until"],
        "made": int(found["probes_made"] or 0),
        "value": right / known if known else None,
        "lower": lower,
        "upper": upper,
        "n": known,
    }


def _rows(document: Document) -> Sequence[Mapping[str, Any]]:
    return list(document["guards"])


def _key(row: Row) -> tuple[str, str]:
    return str(row["project"]), str(row["use_case"])
