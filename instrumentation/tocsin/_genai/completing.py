"""What is added to a span that tells of a request, given what it says itself and what was heard. Pure."""

from collections.abc import Mapping
from typing import Any, Final

from tocsin_wire import attributes as keys

# As the collector reads them: what encloses requests is no request.
_NO_REQUEST: Final = frozenset(
    {
        "create_agent",
        "invoke_agent",
        "invoke_workflow",
        "execute_tool",
        "plan",
        "retrieval",
        "search_memory",
        "update_memory",
        "create_memory_store",
        "delete_memory",
        "delete_memory_store",
        "upsert_memory",
    }
)
_REQUEST_KINDS: Final = frozenset({"LLM", "EMBEDDING"})
# One thing by several names: the collector reads one of them, so ours is left out where a span has another.
_SAME: Final[Mapping[str, tuple[str, ...]]] = {
    keys.RESPONSE_MODEL: ("llm.response.model",),
    keys.INPUT_TOKENS: ("gen_ai.usage.prompt_tokens", "llm.token_count.prompt", "llm.usage.prompt_tokens"),
    keys.OUTPUT_TOKENS: ("gen_ai.usage.completion_tokens", "llm.token_count.completion", "llm.usage.completion_tokens"),
    "gen_ai.usage.cache_read.input_tokens": (
        "gen_ai.usage.cache_read_input_tokens",
        "llm.token_count.prompt_details.cache_read",
    ),
    "gen_ai.usage.cache_creation.input_tokens": (
        "gen_ai.usage.cache_write.input_tokens",
        "gen_ai.usage.cache_creation_input_tokens",
        "llm.token_count.prompt_details.cache_write",
    ),
}


def is_request(said: Mapping[str, Any]) -> bool:
    """Tell whether a span is one request to a generative or embedding model, in whichever vocabulary."""
    if said.get("traceloop.span.kind") or said.get("openinference.span.kind", "LLM") not in _REQUEST_KINDS:
        return False
    operation = said.get(keys.OPERATION) or said.get("llm.request.type")
    if operation:
        return operation not in _NO_REQUEST
    return any(
        said.get(key)
        for key in (
            keys.REQUEST_MODEL,
            keys.RESPONSE_MODEL,
            "llm.model_name",
            "embedding.model_name",
            "openinference.span.kind",
        )
    )


def completed(said: Mapping[str, Any], *, facts: Mapping[str, Any], use_case: str | None, owner: str) -> dict[str, Any]:
    """Return what to add.

    What the provider was heard to say holds against what an instrumentor made of it; where nothing was heard, what the span
    says stays.

    Args:
        said: The span's own attributes.
        facts: What was heard of its request.
        use_case: Of the context in which it started.
        owner: Call id of the span further out that tells of the same request, else empty.
    """
    added: dict[str, Any] = {}
    for key, value in facts.items():
        names = [name for name in (key, *_SAME.get(key, ())) if name in said] or [key]
        for name in names:
            if said.get(name) != value:
                added[name] = value
    if use_case and not said.get(keys.USE_CASE):
        added[keys.USE_CASE] = use_case
    if owner and not said.get(keys.CALL_ID):
        added[keys.CALL_ID] = owner
    if keys.FLAGS in added and said.get(keys.FLAGS):
        added[keys.FLAGS] = f"{said[keys.FLAGS]},{added[keys.FLAGS]}"
    return added
