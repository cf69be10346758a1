"""What a response says, whole or event by event. Pure: reads attributes, calls nothing.

OpenAI's chat completions, responses, completions and embeddings, Anthropic's messages, and those that speak like them.
"""

import math
from dataclasses import dataclass, field
from typing import Any, Final

from tocsin._genai.confidence import Certainty

_MOST_TEXT: Final = 131_072  # characters of an answer that are kept


@dataclass(slots=True, kw_only=True)
class Answer:
    """What is known of one answer so far; None and "" where nobody has said."""

    response_id: str = ""
    model: str = ""
    input_tokens: int | None = None  # tokens read from or written to a cache are among them
    output_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    cost_usd: float | None = None  # as a gateway bills it
    finish_reasons: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    certainty: Certainty = field(default_factory=Certainty)
    chars: int = 0
    is_complete: bool = False

    def say(self, text: Any) -> None:
        """Keep a piece of what the model wrote: words, or the arguments of a tool."""
        if isinstance(text, str) and text:
            self.chars += len(text)
            if self.chars <= _MOST_TEXT:
                self.texts.append(text)

    @property
    def text(self) -> str:
        """What the model wrote."""
        return "".join(self.texts)


def read(answer: Answer, said: Any) -> bool:
    """Take a whole response, or the next event of a stream; tell whether the model wrote something in it."""
    before = answer.chars
    named = _of(said, "type")
    kind = named if isinstance(named, str) else ""
    if kind.startswith("response."):
        _responses_event(answer, kind, said)
    elif kind in _ANTHROPIC_EVENTS:
        _anthropic_event(answer, kind, said)
    else:
        _names(answer, said)
        for choice in _list(said, "choices"):
            _choice(answer, choice)
        for item in _list(said, "output"):
            _output(answer, item)
        for block in _list(said, "content"):
            _block(answer, block)
        _usage(answer, _of(said, "usage"))
        _finish(answer, _of(said, "stop_reason"))
        if _of(said, "object") == "response":
            _finish(answer, _of(said, "status"))
    return answer.chars > before


_ANTHROPIC_EVENTS: Final = {
    "message_start",
    "message_delta",
    "message_stop",
    "content_block_start",
    "content_block_delta",
    "content_block_stop",
    "ping",
}


def _names(answer: Answer, said: Any) -> None:
    known = _of(said, "id")
    if isinstance(known, str) and known and not answer.response_id:
        answer.response_id = known
    model = _of(said, "model")
    if isinstance(model, str) and model:
        answer.model = model


def _choice(answer: Answer, choice: Any) -> None:
    for holder in (_of(choice, "message"), _of(choice, "delta")):
        if holder is None:
            continue
        answer.say(_of(holder, "content"))
        answer.say(_of(holder, "refusal"))
        for call in _list(holder, "tool_calls"):
            asked = _of(call, "function")
            answer.say(_of(asked, "name"))
            answer.say(_of(asked, "arguments"))
    answer.say(_of(choice, "text"))
    if not _of(choice, "index"):  # of several choices, the first is the answer
        logprobs = _of(choice, "logprobs")
        answer.certainty.add(_list(logprobs, "content"))
    _finish(answer, _of(choice, "finish_reason"))


def _output(answer: Answer, item: Any) -> None:
    """Read one item of a response's output."""
    for part in _list(item, "content"):
        answer.say(_of(part, "text"))
        answer.certainty.add(_list(part, "logprobs"))
    answer.say(_of(item, "arguments"))


def _block(answer: Answer, block: Any) -> None:
    answer.say(_of(block, "text"))
    asked = _of(block, "input")
    if asked is not None:
        answer.say(str(asked))


def _responses_event(answer: Answer, kind: str, said: Any) -> None:
    if kind.endswith(".delta"):
        answer.say(_of(said, "delta"))
        answer.certainty.add(_list(said, "logprobs"))
        return
    response = _of(said, "response")
    if response is None:
        return
    _names(answer, response)
    _usage(answer, _of(response, "usage"))
    if kind in {"response.completed", "response.incomplete", "response.failed"}:
        _finish(answer, _of(response, "status"))


def _anthropic_event(answer: Answer, kind: str, said: Any) -> None:
    if kind == "message_start":
        message = _of(said, "message")
        _names(answer, message)
        _usage(answer, _of(message, "usage"))
        answer.output_tokens = None  # what it says so far is a placeholder
    elif kind == "content_block_delta":
        delta = _of(said, "delta")
        for name in ("text", "partial_json", "thinking"):
            answer.say(_of(delta, name))
    elif kind == "message_delta":
        _usage(answer, _of(said, "usage"))
        _finish(answer, _of(_of(said, "delta"), "stop_reason"))
    elif kind == "message_stop":
        answer.is_complete = True


def _finish(answer: Answer, reason: Any) -> None:
    if isinstance(reason, str) and reason:
        answer.finish_reasons.append(reason)
        answer.is_complete = True


def _usage(answer: Answer, usage: Any) -> None:
    if usage is None:
        return
    details = _of(usage, "prompt_tokens_details") or _of(usage, "input_tokens_details")
    read_ = _first(_count(usage, "cache_read_input_tokens"), _count(details, "cached_tokens"))
    written = _first(_count(usage, "cache_creation_input_tokens"), _count(details, "cache_write_tokens"))
    given = _first(_count(usage, "prompt_tokens"), _count(usage, "input_tokens"))
    if given is not None and _of(usage, "cache_read_input_tokens") is not None:
        given += (read_ or 0) + (written or 0)  # Anthropic counts them apart
    answer.input_tokens = _first(given, answer.input_tokens)
    answer.output_tokens = _first(
        _count(usage, "completion_tokens"), _count(usage, "output_tokens"), answer.output_tokens
    )
    answer.cache_read_tokens = _first(read_, answer.cache_read_tokens)
    answer.cache_write_tokens = _first(written, answer.cache_write_tokens)
    cost = _of(usage, "cost")
    if isinstance(cost, (int, float)) and not isinstance(cost, bool) and 0 <= cost < math.inf:
        answer.cost_usd = float(cost)


def _of(holder: Any, name: str) -> Any:
    if isinstance(holder, dict):
        return holder.get(name)
    return getattr(holder, name, None)


def _list(holder: Any, name: str) -> list[Any] | tuple[Any, ...]:
    found = _of(holder, name)
    return found if isinstance(found, (list, tuple)) else ()


def _count(holder: Any, name: str) -> int | None:
    found = _of(holder, name)
    return found if isinstance(found, int) and not isinstance(found, bool) and found >= 0 else None


def _first(*known: int | None) -> int | None:
    return next((one for one in known if one is not None), None)
