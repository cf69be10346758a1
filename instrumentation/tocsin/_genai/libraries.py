"""Libraries of generative models, and who instruments each of them. Data."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """One library that OpenTelemetry has an instrumentor for."""

    name: str  # as in TOCSIN_INSTRUMENT and in our extras
    module: str  # the host's import of it is what we wait for
    distribution: str  # of OpenTelemetry's own instrumentor
    official: str  # its module
    others: tuple[str, ...]  # modules of further instrumentors: a host that has loaded one has chosen it
    has_clients: bool = False  # instances of a client make the requests, and `clients` listens there


def _library(name: str, module: str, *others: str, distribution: str = "", has_clients: bool = False) -> Library:
    official = (
        f"opentelemetry.instrumentation.{name}" if distribution else f"opentelemetry.instrumentation.genai.{name}"
    )
    theirs = (f"openinference.instrumentation.{name}", f"opentelemetry.instrumentation.{name}", *others)
    return Library(
        name=name,
        module=module,
        distribution=distribution or f"opentelemetry-instrumentation-genai-{name.replace('_', '-')}",
        official=official,
        others=tuple(one for one in theirs if one != official),
        has_clients=has_clients,
    )


LIBRARIES: Final = {
    library.name: library
    for library in (
        _library("openai", "openai", "opentelemetry.instrumentation.openai_v2", has_clients=True),
        _library("anthropic", "anthropic", has_clients=True),
        _library("langchain", "langchain_core"),
        _library("bedrock", "botocore"),
        _library(
            "google_genai",
            "google.genai",
            "opentelemetry.instrumentation.google_generativeai",
            distribution="opentelemetry-instrumentation-google-genai",
        ),
        _library("llama_index", "llama_index.core", "opentelemetry.instrumentation.llamaindex"),
        _library("openai_agents", "agents"),
        _library("dspy", "dspy"),
        _library("smolagents", "smolagents"),
        _library("agno", "agno"),
        _library("portkey", "portkey_ai"),
    )
}
