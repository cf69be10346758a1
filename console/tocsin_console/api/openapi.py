"""The API as an OpenAPI document: what each operation is for, what it takes, and which role it needs."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from tocsin_console.access.required import needed
from tocsin_console.api.wire import Json

_WHO: Final = "actor!"
_OF: Final = "project use_case"
# What an operation does, and the fields of its query or body: ! must be there; :number, :flag, :list and :object say what it is, else text.
OPERATIONS: Final[dict[str, tuple[str, str]]] = {
    "GET /api/status": ("How things stand: ledger, spool, lag, loops, channels, and each use case's verdict.", ""),
    "GET /api/use-cases": ("What is known of each use case, with its verdict and the evidence.", ""),
    "POST /api/use-cases/map": ("Reads the mapping of tocsin.yaml again; moves stored calls to another name.", "stored to project"),
    "GET /api/alerts": ("The alerts that are active or cannot be evaluated; with all, every one that ever was.", "all:flag use_case"),
    "GET /api/alerts/history": ("Incidents that began since a time, or are still open.", "since! use_case rule limit:number"),
    "POST /api/alerts/{incident}/acknowledge": ("Takes an incident, which ends its escalation, or says what it was worth.", f"{_WHO} note verdict"),
    "GET /api/silences": ("Silences in force.", ""),
    "POST /api/silences": ("Silences alerts for a time.", f"{_WHO} for! because! use_case rule project matchers:list"),
    "POST /api/silences/{silence}/expire": ("Ends a silence now.", _WHO),
    "POST /api/channels/test": ("Sends a marked test through one channel, or all.", "channel"),
    "GET /api/incidents/{incident}/recall": ("Calls since an incident's onset, by their probability of being wrong.", "top:number all:flag"),
    "GET /api/incidents/{incident}/recall.csv": ("The same as CSV.", "top:number"),
    "POST /api/incidents/{incident}/recall/send": ("Sends the same to a webhook.", "channel! top:number"),
    "GET /api/rules": ("The rules in force.", ""),
    "GET /api/rules/check": ("Tries evaluators and rules on the store, and their own tests.", ""),
    "POST /api/rules/dry-run": ("What rules would say now.", "rules:list"),
    "POST /api/rules/backtest": ("When a rule would have fired over stored history.", "rule! since! until shipped:flag"),
    "GET /api/guard": ("The guard of each use case.", ""),
    "POST /api/guard/{use_case}": ("Sets or releases a guard by hand.", f"action! {_WHO} state cause for project"),
    "GET /api/prices": ("Prices of models that were seen, and models without one.", ""),
    "POST /api/prices/sync": ("Looks for prices now, and prices calls whose cost is unknown.", ""),
    "GET /api/disk": ("What the data takes, and what could go first.", ""),
    "POST /api/disk/drop": ("Drops what could go first.", _WHO),
    "POST /api/backup": ("Backs the store up, and answers once that is done.", "to! base no_hold:flag"),
    "POST /api/forget": ("Erases a person or a call, and counts again.", f"project! {_WHO} user call_id whole_traces:flag dry_run:flag"),
    "GET /api/keys": ("The keys; never a key itself.", "project"),
    "POST /api/keys": ("Makes a key; this answer is the one time that it is shown.", f"{_WHO} project role name"),
    "POST /api/keys/{key_id}/revoke": ("Revokes a key for good.", _WHO),
    "GET /api/references": ("References and releases of each use case.", ""),
    "POST /api/references/accept": ("Accepts a version as it is.", f"use_case! {_WHO} project model_version prompt_version reason"),
    "POST /api/references/freeze": ("Freezes a reference now.", f"use_case! {_WHO} project model_version prompt_version since until"),
    "POST /api/references/load": ("Takes counted rows of a training or test set as the reference.", f"use_case! {_WHO} counts!:object project model_version prompt_version"),
    "GET /api/spool": ("Segments of the spool.", ""),
    "GET /api/spool/verify": ("Checks every frame of the spool.", ""),
    "POST /api/spool/replay": ("Loads requests of a file again.", "path! kind"),
    "GET /api/dead-letters": ("Requests that the store refused.", "digest reason"),
    "GET /api/dead-letters/{digest}": ("One of them, whole.", ""),
    "POST /api/dead-letters/retry": ("Loads them again.", "digest reason"),
    "POST /api/outcomes": ("Records what turned out to be true of calls.", "outcomes!:list"),
    "POST /api/outcomes/load": ("Records a part of a label file.", "outcomes!:list project dry_run:flag"),
    "GET /api/outcomes/contradictory": ("Calls of which two sources say different things.", f"{_OF} limit:number"),
    "GET /api/review": ("How far each sample has come.", _OF),
    "POST /api/review/draw": ("Draws this week's sample, or gives the one that was drawn.", f"{_WHO} {_OF} size:number daily:flag"),
    "POST /api/review/next": ("Locks and gives the next call.", f"use_case! {_WHO} project"),
    "POST /api/review/score": ("Records one score.", f"use_case! {_WHO} call_id! project score:number correct:flag label comment minutes:number recording"),
    "POST /api/review/skip": ("Leaves one call for later.", f"use_case! {_WHO} call_id! project"),
    "POST /api/review/undo": ("Opens one call again.", f"use_case! {_WHO} call_id! project recording"),
    "GET /api/judge": ("What the judge has said and spent.", "use_case"),
    "POST /api/judge/run": ("Asks the judge now.", ""),
    "GET /api/cost": ("The bill of a use case: calls, retries, judge, people.", f"{_OF} days:number calls_per_month:number"),
    "GET /api/retraining": ("What triggers a retraining, and what it has set off.", _OF),
    "POST /api/retraining/{use_case}/start": ("Starts a retraining by hand.", f"because! {_WHO} project"),
    "POST /api/retraining/{run}/close": ("Says what came of one.", f"result! {_WHO}"),
    "POST /api/drill": ("Injects a decay into a copy of a use case's calls, and says when it would have been noticed.", f"use_case! {_WHO} project kind drop:number over reviews:number deliver:flag"),
    "GET /api/report/readiness": ("The five questions, answered from data.", _OF),
    "GET /api/report/weekly": ("The week as document, text and HTML.", ""),
    "POST /api/report/weekly/send": ("Mails the week now.", ""),
    "GET /api/explain": ("Why a use case's quality fell.", "use_case! project at"),
    "POST /api/query": ("Runs one statement that reads.", "sql!"),
    "GET /api/recent-calls": ("The calls that arrived last, each with what it lacks.", "after limit:number"),
    "GET /api/call": ("One call.", "use_case! call_id!"),
    "GET /api/notifications": ("What was told, as it was rendered.", ""),
    "GET /api/notifications/{incident}": ("What was told of one incident.", ""),
    "GET /api/openapi.json": ("This document.", ""),
}  # fmt: skip
_KINDS: Final[dict[str, dict[str, Any]]] = {"": {"type": "string"}, "number": {"type": "number"}, "flag": {"type": "boolean"}, "list": {"type": "array", "items": {}}, "object": {"type": "object"}}  # fmt: skip
_PARAMETER: Final = re.compile(r"{(\w+)(?::\w+)?}")


def openapi_route(routes: Iterable[BaseRoute], version: str) -> Route:
    """Give the route of the document over the API's other routes."""
    known = [route for route in routes if isinstance(route, Route)]

    def give(_request: Request) -> Response:
        return Json(document([*known, route], version))

    route = Route("/api/openapi.json", give)
    return route


def document(routes: Iterable[Route], version: str) -> dict[str, Any]:
    """Write it.

    Source: OpenAPI Specification 3.1.
    """
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        if not route.path.startswith("/api/"):
            continue
        path = _PARAMETER.sub(r"{\1}", route.path)
        for method in sorted((route.methods or set()) - {"HEAD"}):
            paths.setdefault(path, {})[method.lower()] = _operation(method, path, route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "tocsin",
            "version": version,
            "description": 'Every answer is JSON. An error is {"error": "one sentence"}: 400 what was asked cannot be, 401 nobody is signed in, 403 the role is not enough, 503 the store does not answer.',
        },
        "security": [{"key": []}],
        "components": {"securitySchemes": {"key": {"type": "http", "scheme": "bearer", "description": "A key of access, where access.login says that one is needed."}}},
        "paths": paths,
    }  # fmt: skip


def _operation(method: str, path: str, route: Route) -> dict[str, Any]:
    summary, fields = OPERATIONS.get(f"{method} {path}", ("", ""))
    role = needed(route)
    said: dict[str, Any] = {
        "summary": summary,
        "operationId": _id(method, path),
        "description": f"Needs the role {role}.",
        "x-tocsin-role": role,
        "responses": {"200": {"description": "Done.", "content": {"application/json": {"schema": {"type": "object"}}}}},
    }
    parameters: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in _PARAMETER.findall(path)
    ]
    read = [_field(field) for field in fields.split()]
    if method == "GET":
        parameters += [{"name": name, "in": "query", "required": must, "schema": kind} for name, must, kind in read]
    else:
        schema: dict[str, Any] = {"type": "object", "properties": {name: kind for name, _, kind in read}}
        if must := [name for name, must, _ in read if must]:
            schema["required"] = must
        said["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    return {**said, **({"parameters": parameters} if parameters else {})}


def _field(said: str) -> tuple[str, bool, Mapping[str, Any]]:
    name, _, kind = said.partition(":")
    return name.rstrip("!"), name.endswith("!"), _KINDS[kind]


def _id(method: str, path: str) -> str:
    return "_".join([method.lower(), *re.findall(r"\w+", path.removeprefix("/api"))])
