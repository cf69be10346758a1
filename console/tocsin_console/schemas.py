"""JSON Schemas of the files that people write, for completion in their editors and for the reference pages."""

import ast
import inspect
import textwrap
from collections.abc import Mapping
from datetime import timedelta
from itertools import pairwise
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from tocsin_alerts.durations import format_duration
from tocsin_alerts.plan import Plan
from tocsin_alerts.rule_tests import TestFile
from tocsin_alerts.rule_text import RuleText
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
    said = model.model_json_schema(by_alias=True, schema_generator=_AsWritten)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **said, "title": title}


class _AsWritten(GenerateJsonSchema):
    """Describes keys by the sentences below them, and gives defaults as a file would say them.

    The sentences are read here and not when the models are made (pydantic's ``use_attribute_docstrings``), which would cost
    every command a tenth of a second. A day is ``1d``: ISO 8601's ``P1D`` would not be read.
    """

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        """Write one mapping."""
        said = super().model_schema(schema)
        keys = {field.alias or name: name for name, field in schema["cls"].model_fields.items()}
        sentences = _sentences(schema["cls"])
        for key, text in said.get("properties", {}).items():
            if keys[key] in sentences:
                text["description"] = sentences[keys[key]]
        return said

    def encode_default(self, dft: Any) -> Any:
        """Write one default."""
        return format_duration(dft) if isinstance(dft, timedelta) else super().encode_default(dft)


def _sentences(model: type[BaseModel]) -> dict[str, str]:
    """Read what stands below each key of a model, and of those that it inherits from."""
    found: dict[str, str] = {}
    for kind in reversed(model.__mro__[: model.__mro__.index(BaseModel)]):
        body = ast.parse(textwrap.dedent(inspect.getsource(kind))).body[0]
        for key, text in pairwise(body.body if isinstance(body, ast.ClassDef) else ()):
            if (
                isinstance(key, ast.AnnAssign)
                and isinstance(key.target, ast.Name)
                and isinstance(text, ast.Expr)
                and isinstance(text.value, ast.Constant)
                and isinstance(text.value.value, str)
            ):
                found[key.target.id] = inspect.cleandoc(text.value.value)
    return found
