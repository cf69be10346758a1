"""Lines of the Prometheus text format, version 0.0.4."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Series = Iterable[tuple[Mapping[str, str], Any]]


@dataclass(slots=True)
class Text:
    """Collects metrics; what is unknown is left out, never 0."""

    lines: list[str] = field(default_factory=list)

    def add(self, name: str, kind: Literal["counter", "gauge"], help_text: str, series: Series) -> None:
        """Add one metric with all its series."""
        known = [(labels, value) for labels, value in series if value is not None]
        if not known:
            return
        self.lines += [f"# HELP {name} {_line(help_text)}", f"# TYPE {name} {kind}"]
        self.lines += [f"{name}{_labels(labels)} {float(value):.17g}" for labels, value in known]


def _labels(labels: Mapping[str, str]) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{_escape(value)}"' for name, value in labels.items()) + "}"


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _line(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n")
