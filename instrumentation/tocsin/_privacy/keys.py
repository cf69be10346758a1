"""What an attribute's key says of its value: an id that joins, somebody's words, or a text like others. Pure."""

import re
from typing import Final

from tocsin_wire import attributes as keys
from tocsin_wire.redaction import KEPT_KEYS

# Somebody's words, or a model's, in the vocabularies of OpenTelemetry, OpenInference, Traceloop and the tools beside them.
_CONTENT: Final = frozenset(
    {
        keys.OUTPUT_TEXT,
        keys.INPUT_MESSAGES,
        keys.OUTPUT_MESSAGES,
        keys.SYSTEM_INSTRUCTIONS,
        "gen_ai.prompt",
        "gen_ai.completion",
        "gen_ai.tool.definitions",
        "gen_ai.tool.call.arguments",
        "gen_ai.tool.call.result",
        "gen_ai.tool.description",
        "gen_ai.retrieval.query.text",
        "gen_ai.retrieval.documents",
        "gen_ai.evaluation.explanation",
        "gen_ai.event.content",
        "input.value",
        "output.value",
        "input",
        "output",
        "content",
        "message",
        "tool_calls",
        "llm.prompts",
        "llm.completions",
        "llm.function_call",
        "llm.tools",
        "llm.prompt_template.template",
        "llm.prompt_template.variables",
        "tool.parameters",
        "tool.description",
        "tool.json_schema",
        "embedding.text",
        "embedding.vector",
        "metadata",
        "traceloop.entity.input",
        "traceloop.entity.output",
        "mlflow.spanInputs",
        "mlflow.spanOutputs",
        "all_messages_events",
        "pydantic_ai.all_messages",
        "final_result",
        "request_data",
        "response_data",
        "events",
        "body",
    }
)
_CONTENT_BEGINS: Final = re.compile(
    r"gen_ai\.(?:prompt|completion)\.(?:\d|variable)"
    r"|gen_ai\.(?:user|system|assistant|tool)\.message"
    r"|llm\.(?:input_messages|output_messages|prompts|completions|tools|request\.functions)\."
    r"|(?:retrieval|reranker)\.|embedding\.embeddings\.|message\.|message_content"
    r"|prompt\.|completion\.|langfuse\.(?:observation|trace)\.(?:input|output)|ai\.(?:prompt|response)"
    r"|langsmith\.(?:inputs|outputs)|inputs\.|outputs\."
)
_AI: Final = ("gen_ai.", "llm.", "tocsin.", "traceloop.", "openinference.", "langfuse.", "mlflow.span", "embedding.")

# What names a call and its place, written by instrumentation and not by people: kept as it is, even when a rule has failed.
_STRUCTURE: Final = frozenset(
    {
        *KEPT_KEYS,
        keys.TASK,
        keys.CONFIDENCE_SOURCE,
        keys.COST_CURRENCY,
        keys.COST_SOURCE,
        keys.SERVED_BY,
        keys.GUARD_STATE,
        keys.FLAGS,
        keys.CAPTURE,
        keys.REVIEW_PICK,
        keys.ERROR_TYPE,
        keys.OPERATION,
        "gen_ai.provider.name",
        "gen_ai.system",
        "gen_ai.output.type",
        "gen_ai.token.type",
        "openinference.span.kind",
        "traceloop.span.kind",
        "llm.request.type",
        "llm.system",
        "llm.provider",
        "input.mime_type",
        "output.mime_type",
        keys.FLAG_VARIANT,
        "feature_flag.provider.name",
        "feature_flag.result.reason",
        "telemetry.sdk.language",
    }
)


# What names a service and its place, on a resource: the same in every process, written by whoever deploys.
_IDENTITY: Final = ("service.", "deployment.", "telemetry.", "os.", "process.runtime.")
_ERROR_TEXTS: Final = frozenset({"exception.message", "exception.stacktrace", "error.message"})


def is_content(key: str) -> bool:
    """Tell whether a value under this key is what somebody wrote or a model answered."""
    return key in _CONTENT or _CONTENT_BEGINS.match(key) is not None


def is_structure(key: str) -> bool:
    """Tell whether a value under this key joins or orders, and is no text."""
    return key in _STRUCTURE


def is_ai(key: str) -> bool:
    """Tell whether a span with this key is about a model's call."""
    return key.startswith(_AI) or key in {"input.value", "output.value"}


def is_identity(key: str) -> bool:
    """Tell whether a value under this key names a service, its version or its platform, and nobody's person."""
    return key.startswith(_IDENTITY)


def is_error_text(key: str) -> bool:
    """Tell whether a value under this key is an error's message or stack trace, which may quote what was asked."""
    return key in _ERROR_TEXTS
