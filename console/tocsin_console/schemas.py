"""JSON Schemas of the files that people write, for completion in their editors."""

from collections.abc import Mapping
from typing import Any, Final

from pydantic import BaseModel

from tocsin_alerts.plan import Plan
from tocsin_alerts.rule import RuleText
from tocsin_alerts.rule_tests import TestFile
from tocsin_console.config_file import TocsinYaml

_MODELS: Final[Mapping[str, tuple[type[BaseModel], str]]] = {
    "rule": (RuleText, "A rule of tocsin: rules/NAME.yaml"),
    "rule-test": (TestFile, "Stories of a rule: rules/NAME.test.yaml"),
    "plan": (Plan, "The plan of a use case: use_cases/NAME.yaml"),
    "tocsin": (TocsinYaml, "tocsin.yaml"),
}
NAMES: Final = tuple(_MODELS)


def schema(name: str) -> dict[str, Any]:
    """Give the schema of one kind of file.

    Raises:
        KeyError: there is no such kind.
    """
    model, title = _MODELS[name]
    said = model.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **said, "title": title}
