"""The API's own description: complete, valid, and true."""

import json
import re
from typing import Any

from openapi_spec_validator import validate
from tests.console.test_api import ask
from tests.console.web.test_access import routes_of

from tocsin_console.api.openapi import OPERATIONS, document


def test_every_operation_is_described_and_nothing_else(running: Any) -> None:
    """A route that is added without a word is one that nobody finds."""
    made = document(routes_of(running.parts), "1")
    known = {f"{method.upper()} {path}" for path, methods in made["paths"].items() for method in methods}

    assert known == set(OPERATIONS)
    validate(made)


def test_it_is_given_with_the_roles(running: Any) -> None:
    """Who writes a client reads which key it needs."""
    made = json.loads(ask(running.address, "GET", "/api/openapi.json")[2])

    assert made["paths"]["/api/guard/{use_case}"]["post"]["x-tocsin-role"] == "operator"
    assert len({each["operationId"] for methods in made["paths"].values() for each in methods.values()}) == len(
        OPERATIONS
    )


def test_what_it_says_must_be_there_is_asked_for(running: Any) -> None:
    """A field that is called needed and is not would be sent for nothing, and the other way round fails in production."""
    for path, methods in document(routes_of(running.parts), "1")["paths"].items():
        needs = (
            methods.get("post", {})
            .get("requestBody", {})
            .get("content", {})
            .get("application/json", {})
            .get("schema", {})
        )
        if needs.get("required"):
            code, _, text = ask(running.address, "POST", re.sub(r"{\w+}", "x", path), body={})
            assert code == 400, path
            assert json.loads(text)["error"]
