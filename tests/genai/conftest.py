"""A fresh SDK whose spans stay in the process, and local servers in place of the providers."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from tests.genai import servers
from tests.instrumentation.conftest import _fresh_sdk, collector, eventually

import tocsin

__all__ = ["_fresh_sdk", "collector", "eventually"]


class Kept(SpanExporter):
    """Keeps what would have been sent."""

    def __init__(self) -> None:
        self.spans: list[ReadableSpan] = []

    def export(self, spans: Any) -> SpanExportResult:
        """Keep them."""
        self.spans.extend(spans)
        return SpanExportResult.SUCCESS

    def said(self) -> list[dict[str, Any]]:
        """The attributes of each span, once all have come."""
        assert tocsin.flush()
        return [dict(span.attributes or {}) for span in self.spans]


@pytest.fixture
def started() -> Iterator[Callable[..., Kept]]:
    """Start tocsin with an exporter that keeps."""

    def start(**settings: Any) -> Kept:
        kept = Kept()
        tocsin.init(span_exporter=kept, service_name="tests", **settings)
        return kept

    yield start
    tocsin.shutdown(timeout_s=1.0)


@pytest.fixture
def openai_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Answer OpenAI's client."""
    yield from _answering("openai", monkeypatch)


@pytest.fixture
def anthropic_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Answer Anthropic's client."""
    yield from _answering("anthropic", monkeypatch)


def _answering(library: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with servers.running(library) as variables:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        yield
