"""JSON Schemas of the files that people write, for completion in their editors."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

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
    """Gives defaults as a file would say them: a day is ``1d``, which ISO 8601's ``P1D`` would not be read as."""

    def encode_default(self, dft: Any) -> Any:
        """Write one default."""
        return format_duration(dft) if isinstance(dft, timedelta) else super().encode_default(dft)
