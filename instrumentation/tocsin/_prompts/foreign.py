"""Prompts on spans that others made: OpenTelemetry's, OpenInference's and Traceloop's words for them. Pure."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from tocsin_wire import attributes as keys

_MOST_CHARS: Final = 1_000_000  # of JSON that is read here; beyond, its text as it stands is measured
_NUMBERED: Final = re.compile(
    r"(?:llm\.input_messages\.(?P<oi>\d{1,4})\.message\.|gen_ai\.prompt\.(?P<tl>\d{1,4})\.)(?P<rest>.+)"
)
_ROLE_OF_EVENT: Final = {
    "gen_ai.system.message": "system",
    "gen_ai.user.message": "user",
    "gen_ai.assistant.message": "assistant",
    "gen_ai.tool.message": "tool",
}


def messages_of(
    attributes: Mapping[str, Any], events: Sequence[tuple[str, Mapping[str, Any]]] = ()
) -> list[dict[str, Any]] | None:
    """Find the prompt of a span in its attributes, else in its events; None when it holds none."""
    found = _official(attributes) or _numbered(attributes) or _whole(attributes)
    if found:
        return found
    for name, said in events:
        if name == "gen_ai.content.prompt":
            return _request(said.get("gen_ai.prompt"))
        if said.get(keys.INPUT_MESSAGES):
            return _official(said)
    told = [
        {"role": _ROLE_OF_EVENT[name], "content": _event_text(said)} for name, said in events if name in _ROLE_OF_EVENT
    ]
    return told or None


def _official(said: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = []
    instructions = said.get(keys.SYSTEM_INSTRUCTIONS)
    if instructions:
        found.append({"role": "system", "content": _read(instructions)})
    messages = _read(said.get(keys.INPUT_MESSAGES))
    if isinstance(messages, str):
        messages = [{"role": "user", "content": messages}]
    if isinstance(messages, (list, tuple)):
        found += [one for one in map(_read, messages) if isinstance(one, dict)]
    return found


def _numbered(said: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Collect ``gen_ai.prompt.0.content`` and ``llm.input_messages.0.message.content``, in order."""
    by_number: dict[int, dict[str, Any]] = {}
    for key, value in said.items():
        if key.startswith(("llm.input_messages.", "gen_ai.prompt.")) and (match := _NUMBERED.match(key)):
            message = by_number.setdefault(int(match["oi"] or match["tl"]), {"role": "user", "content": []})
            rest = match["rest"]
            if rest == "role":
                message["role"] = value
            elif rest == "content" or rest.endswith("message_content.text"):
                message["content"].append(_read(value) if match["tl"] else value)
    return [by_number[number] for number in sorted(by_number)]


def _whole(said: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Read a request that stands in one attribute as the client was given it."""
    for key in ("input.value", "traceloop.entity.input", "gen_ai.prompt", "llm.prompts"):
        if said.get(key):
            return _request(said[key])
    return []


def _request(said: Any) -> list[dict[str, Any]]:
    read = _read(said)
    for _ in range(3):  # {"inputs": {"messages": …}}, {"kwargs": {"messages": …}}
        if not isinstance(read, dict):
            break
        system = read.get("system") or read.get("instructions")
        inner = next(
            (read[name] for name in ("messages", "input", "contents", "prompt", "inputs", "kwargs") if read.get(name)),
            None,
        )
        if inner is None:
            break
        if isinstance(inner, list):
            rest = [one if isinstance(one, dict) else {"role": "user", "content": one} for one in inner]
            # LangChain passes lists of lists.
            if len(inner) == 1 and isinstance(inner[0], list):
                rest = [one for one in inner[0] if isinstance(one, dict)]
            return [{"role": "system", "content": system}, *rest] if system else rest
        read = inner
    if isinstance(read, list):
        return [one if isinstance(one, dict) else {"role": "user", "content": one} for one in read]
    return [{"role": "user", "content": read if isinstance(read, str) else str(said)}]


def _event_text(said: Mapping[str, Any]) -> Any:
    return _read(said.get("content") or said.get("gen_ai.event.content") or "")


def _read(value: Any) -> Any:
    """Read JSON where there is some."""
    if isinstance(value, str) and value[:1] in '[{"' and value[:1] and len(value) <= _MOST_CHARS:
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value
