"""The page of the HTTP API: every operation of its OpenAPI document, with the role that it needs."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from starlette.routing import Route

from generating.markdown import code, page, prose, table
from tocsin_console.api.openapi import OPERATIONS, document

_TYPES: Final = {"string": "", "number": "number", "boolean": "true or false", "array": "list", "object": "mapping"}


def api_page() -> str:
    """Write it."""
    made = document([_route(operation) for operation in OPERATIONS], "")
    said = {
        f"{method.upper()} {path}": each for path, methods in made["paths"].items() for method, each in methods.items()
    }
    subjects: dict[str, list[str]] = {}
    for name in OPERATIONS:
        subjects.setdefault(name.split("/")[2].partition(".")[0], []).append(name)
    return page(
        "The HTTP API",
        "Every operation of the API that `tocsin up` serves at `127.0.0.1:8317`, with the role that it needs and what it takes; `/api/openapi.json` is the same for programs.",
        prose(made["info"]["description"])
        + " Times are UTC, in ISO 8601. A key of access goes into the header `authorization: Bearer tk_…` "
        "where `access.login` asks for one: [security](../security.md).",
        "What an operation takes stands in its path, in the query of a GET and in the JSON body of a POST; what it needs is bold, and what is not said to be something else is text.",
        "Beside it, without a key: `/healthz` answers while the process lives, `/readyz` while it can work, with reasons where it cannot. `/metrics` is for Prometheus: [metrics](metrics.md).",
        *(part for subject, names in subjects.items() for part in _subject(subject, names, said)),
    )


def _route(operation: str) -> Route:
    method, _, path = operation.partition(" ")
    return Route(path, _nothing, methods=[method])


def _nothing() -> None:
    """Stand for what answers: only what is said of it is asked for."""


def _subject(subject: str, names: list[str], said: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    yield f"## {subject}"
    yield table(
        ("Operation", "Role", "Takes", "Does"),
        (
            (code(name), said[name]["x-tocsin-role"], ", ".join(_fields(said[name])), prose(said[name]["summary"]))
            for name in names
        ),
    )


def _fields(said: Mapping[str, Any]) -> Iterator[str]:
    for each in said.get("parameters", ()):
        yield _field(each["name"], each["schema"], needed=each["required"])
    body = said.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    for name, schema in body.get("properties", {}).items():
        yield _field(name, schema, needed=name in body.get("required", ()))


def _field(name: str, schema: Mapping[str, Any], *, needed: bool) -> str:
    kind = _TYPES[schema["type"]]
    spelled = f"**{code(name)}**" if needed else code(name)
    return f"{spelled} ({kind})" if kind else spelled
