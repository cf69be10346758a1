"""The page of the Helm chart's values, of its schema and its defaults."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from generating.markdown import alternatives, code, page, prose, table

_CHART: Final = Path(__file__).resolve().parents[2] / "deploy" / "helm" / "tocsin"
_LONG: Final = 48


def chart_page() -> str:
    """Write the page."""
    return page(
        "Values of the Helm chart",
        "Every value of the chart in `deploy/helm/tocsin`, with its default; an unknown one is refused.",
        "How they go together is said in [Kubernetes](../deploy/kubernetes.md); `values.yaml` has the reasons of the numbers.",
        table(
            ("Value", "Default", "Says"),
            ((code(name), _shown(default), _said(said)) for name, default, said in values()),
        ),
    )


def values() -> Iterator[tuple[str, Any, Mapping[str, Any]]]:
    """Give each value: its path, its default and its schema."""
    schema = json.loads((_CHART / "values.schema.json").read_text(encoding="utf-8"))
    yield from _below("", schema, yaml.safe_load((_CHART / "values.yaml").read_text(encoding="utf-8")))


def _below(
    path: str, schema: Mapping[str, Any], given: Mapping[str, Any]
) -> Iterator[tuple[str, Any, Mapping[str, Any]]]:
    for name, said in schema["properties"].items():
        if name == "global":  # Helm's own
            continue
        where = f"{path}.{name}" if path else name
        if "properties" in said and "description" not in said:
            yield from _below(where, said, given[name])
        else:
            yield where, given[name], said


def _shown(default: Any) -> str:
    text = json.dumps(default)
    return code(text) if len(text) <= _LONG else "as in `values.yaml`"


def _said(said: Mapping[str, Any]) -> str:
    words = prose(said["description"])
    return f"{words}: {alternatives(said['enum'])}" if "enum" in said else words
