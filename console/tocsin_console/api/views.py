"""The endpoints: each reads from the parts and answers one document."""

from dataclasses import asdict
from datetime import timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from tocsin_collector.correct.prices import age_days
from tocsin_collector.privacy.forget import Request as ForgetRequest
from tocsin_collector.receive.ingest_keys import INGEST
from tocsin_console.access.roles import ROLES, role_of
from tocsin_console.api.answering import duration_of, text_of, time_of
from tocsin_console.api.health import readiness
from tocsin_console.api.metrics import exposition
from tocsin_console.api.wire import Json
from tocsin_console.errors import UsageProblem
from tocsin_console.parts import Parts
from tocsin_console.snapshot import snapshot

_MOST_CALLS = 1_000


class Views:
    """Answers requests from one set of parts. Everything here runs in a worker thread, so it may block."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def healthz(self, _request: Request) -> Response:
        """Say that the process lives."""
        return Json({"status": "ok", "version": self._parts.version})

    def readyz(self, _request: Request) -> Response:
        """Say whether store, spool, loader and loops do their work; 503 with the reasons when one does not."""
        found = readiness(self._parts)
        return Json(found, status_code=200 if found["ready"] else 503)

    def metrics(self, _request: Request) -> Response:
        """Give Prometheus what it scrapes."""
        return PlainTextResponse(
            exposition(snapshot(self._parts)), media_type="text/plain; version=0.0.4; charset=utf-8"
        )

    def status(self, _request: Request) -> Response:
        """Give the whole state."""
        return Json({**snapshot(self._parts), "releases": self._parts.references.listed()})

    def use_cases(self, _request: Request) -> Response:
        """List what is known of each use case."""
        return Json({"use_cases": self._parts.book.use_cases()})

    def map_use_cases(self, _request: Request, body: dict[str, Any]) -> Response:
        """Read the mapping of tocsin.yaml again, then move stored calls where that is asked for."""
        entries = self._parts.use_cases_mapped()
        if not body.get("stored"):
            return Json({"entries": entries, "moved": None})
        old, new = text_of(body, "stored"), text_of(body, "to")
        if old == new:
            raise UsageProblem(f"expected two different use cases, got {old!r} twice")
        return Json({"entries": entries, "moved": self._parts.relabel(str(body.get("project") or "default"), old, new)})

    def prices(self, _request: Request) -> Response:
        """List the prices of the models that were seen, and those that have none."""
        asked, now = self._parts.book.ask, self._parts.now()
        public = [row["dated"] for row in asked("prices") if row["source"] == "genai-prices"]
        age = age_days(max(public), now=now) if public else None
        return Json({"prices": asked("prices"), "unpriced": asked("unpriced_models"), "age_days": age})

    def sync_prices(self, _request: Request, _body: dict[str, Any]) -> Response:
        """Look for prices now, and price the calls whose cost is unknown."""
        return Json(asdict(self._parts.sync_prices()))

    def explain(self, request: Request) -> Response:
        """Say why a use case's quality fell."""
        asked = request.query_params
        use_case, slot = asked.get("use_case", ""), asked.get("at")
        if not use_case:
            raise UsageProblem("expected use_case=NAME, as in 'tocsin use-cases ls'")
        return Json(
            self._parts.explain(asked.get("project") or "default", use_case, slot=time_of(slot) if slot else None)
        )

    def rules(self, _request: Request) -> Response:
        """List the rules in force."""
        return Json({"rules": self._parts.rules})

    def guards(self, _request: Request) -> Response:
        """Say of each use case in which state its guard is."""
        return Json({"guards": self._parts.book.ask("guard_latest")})

    def change_guard(self, request: Request, body: dict[str, Any]) -> Response:
        """Set or release a guard by hand."""
        use_case, actor = request.path_params["use_case"], text_of(body, "actor")
        project = str(body.get("project") or "default")
        match text_of(body, "action"):
            case "set":
                cause = text_of(body, "cause")
                state = text_of(body, "state")
                lasts = duration_of(body, "for") if body.get("for") else None  # until it is released
                row = self._parts.guard.set(use_case, state, actor=actor, cause=cause, project=project, lasts=lasts)
            case "release":
                row = self._parts.guard.release(use_case, actor=actor, project=project)
            case other:
                raise UsageProblem(f"expected action set or release, got {other!r}")
        self._parts.guard_changed()
        return Json({"guard": row})

    def forget(self, _request: Request, body: dict[str, Any]) -> Response:
        """Erase a person or a call from everything that is kept."""
        wanted = ForgetRequest(
            project=text_of(body, "project"),
            user=text_of(body, "user") if body.get("user") is not None else None,
            call_id=text_of(body, "call_id") if body.get("call_id") is not None else None,
            whole_traces=bool(body.get("whole_traces")),
        )
        report = self._parts.forget(wanted, by=text_of(body, "actor"), dry_run=bool(body.get("dry_run")))
        return Json({"places": report.places, "elsewhere": report.elsewhere, "is_forgotten": report.is_forgotten})

    def disk(self, _request: Request) -> Response:
        """Say what the data takes, and what could go first."""
        use = self._parts.disk_look()
        return Json({**asdict(use), "warning": use.sentence()})

    def disk_drop(self, _request: Request, body: dict[str, Any]) -> Response:
        """Drop what could go first."""
        use = self._parts.disk_drop(text_of(body, "actor"))
        return Json({**asdict(use), "warning": use.sentence()})

    def backup(self, _request: Request, body: dict[str, Any]) -> Response:
        """Take a backup, and answer once it is taken."""
        return Json(self._parts.backup(text_of(body, "to"), str(body.get("base") or ""), hold=not body.get("no_hold")))

    def keys(self, request: Request) -> Response:
        """List the ingest keys; never a key itself."""
        return Json({"keys": self._parts.keys.listed(request.query_params.get("project", ""))})

    def create_key(self, _request: Request, body: dict[str, Any]) -> Response:
        """Make an ingest key; this answer is the one time that it is shown."""
        role = str(body.get("role") or INGEST)
        if role != INGEST and role_of(role) is None:
            raise UsageProblem(f"expected a role of {', '.join(ROLES)}, got {role!r}")
        made = self._parts.keys.create(
            text_of(body, "project") if role == INGEST else "",
            name=str(body.get("name") or ""),
            by=text_of(body, "actor"),
            now=self._parts.now(),
            role=role,
        )
        self._parts.keys_changed()
        return Json({"key": made.key, "facts": made.facts})

    def revoke_key(self, request: Request, body: dict[str, Any]) -> Response:
        """Revoke an ingest key for good."""
        facts = self._parts.keys.revoke(request.path_params["key_id"], by=text_of(body, "actor"), now=self._parts.now())
        self._parts.keys_changed()
        return Json({"facts": facts})

    def load_outcomes(self, _request: Request, body: dict[str, Any]) -> Response:
        """Look many outcomes of one project up, record those that are new, and say of each what is known."""
        outcomes = body.get("outcomes")
        if not isinstance(outcomes, list) or not all(isinstance(each, dict) for each in outcomes):
            raise UsageProblem('expected {"outcomes": [{"call": …, "label": …}, …], "project": …}')
        desk, project = self._parts.outcome_desk, str(body.get("project") or "default")
        return Json(desk.load(outcomes, project=project, dry_run=bool(body.get("dry_run"))))

    def contradictory_outcomes(self, request: Request) -> Response:
        """List calls of which outcomes of one kind say different things."""
        asked = request.query_params
        limit = min(_number(asked.get("limit", "100")), _MOST_CALLS)
        about = {"project": asked.get("project", ""), "use_case": asked.get("use_case", ""), "limit": limit}
        return Json({"calls": self._parts.book.ask("contradictory_outcomes", about)})

    def query(self, _request: Request, body: dict[str, Any]) -> Response:
        """Run a person's SQL."""
        answer = self._parts.reader.ask(text_of(body, "sql"))
        return Json({"columns": answer.columns, "types": answer.types, "rows": answer.rows})

    def recent_calls(self, request: Request) -> Response:
        """List the calls that arrived last."""
        after = request.query_params.get("after")
        since = time_of(after) if after else self._parts.now() - timedelta(minutes=10)
        limit = min(_MOST_CALLS, _number(request.query_params.get("limit", "100")))
        return Json({"now": self._parts.now(), "calls": self._parts.book.recent_calls(since, limit)})

    def call(self, request: Request) -> Response:
        """Find one call."""
        found = self._parts.book.call(request.query_params.get("use_case", ""), request.query_params.get("call_id", ""))
        return Json({"call": found})

    def notifications(self, request: Request) -> Response:
        """Give the notifications of an incident as they were rendered, or all."""
        return Json({"notifications": self._parts.book.notifications(request.path_params.get("incident", ""))})


def _number(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise UsageProblem(f"expected a number from 1, got {text!r}")
    return int(text)
