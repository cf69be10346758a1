"""OpenAI's HTTP API: chat completions, responses and embeddings."""

import math
import uuid
from collections.abc import Iterator
from typing import Any

from tests.genai.wire import BUSY, BUSY_ONCE, CUT, STALLED, TORN, WITHOUT_DELAY, Reply, data, last_text

MODEL = "gpt-4o-2024-08-06"
LOGPROBS = (math.log(0.9), math.log(0.6))
_CALL = {"id": "call_1", "type": "function", "function": {"name": "refund", "arguments": '{"order": 7}'}}
_BUSY = Reply(
    status=429, body={"error": {"message": "slow down", "type": "rate_limit", "code": "busy"}}, headers=WITHOUT_DELAY
)


def chat(asked: dict[str, Any], *, attempt: int) -> Reply:
    """Answer one chat completion."""
    text = last_text(asked["messages"])
    if BUSY in text or (BUSY_ONCE in text and attempt == 1):
        return _BUSY
    head = {"id": f"chatcmpl-{uuid.uuid4().hex}", "created": 1_772_452_800, "model": MODEL}
    if asked.get("stream"):
        return Reply(events=_chunks(head, asked, text), is_torn=TORN in text, is_stalled=STALLED in text)
    finish = "tool_calls" if asked.get("tools") else "stop"
    message = {"role": "assistant", "content": None if asked.get("tools") else "Billing.", "refusal": None}
    if asked.get("tools"):
        message["tool_calls"] = [_CALL]
    choice = {"index": 0, "message": message, "finish_reason": finish, "logprobs": None}
    if asked.get("logprobs"):
        choice["logprobs"] = _logprobs(LOGPROBS, ("Billing", "."))
    return Reply(body={**head, "object": "chat.completion", "choices": [choice], "usage": _usage()})


def _usage() -> dict[str, Any]:
    return {
        "prompt_tokens": 1200,
        "completion_tokens": 7,
        "total_tokens": 1207,
        "prompt_tokens_details": {"cached_tokens": 1024},
    }


def _logprobs(values: tuple[float, ...], tokens: tuple[str, ...]) -> dict[str, Any]:
    content = [
        {"token": token, "logprob": value, "bytes": None, "top_logprobs": []}
        for token, value in zip(tokens, values, strict=True)
    ]
    return {"content": content, "refusal": None}


def _chunks(head: dict[str, Any], asked: dict[str, Any], text: str) -> Iterator[bytes]:
    head = {**head, "object": "chat.completion.chunk"}

    def chunk(delta: dict[str, Any], finish: str | None = None, *, logprobs: Any = None) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": logprobs}
        return data({**head, "choices": [choice]})

    yield chunk({"role": "assistant", "content": ""})
    if asked.get("tools"):
        yield chunk({"tool_calls": [{"index": 0, **_CALL}]})
        yield chunk({}, "tool_calls")
    else:
        for token, value in zip(("Billing", "."), LOGPROBS, strict=True):
            said = _logprobs((value,), (token,)) if asked.get("logprobs") else None
            yield chunk({"content": token}, logprobs=said)
            if TORN in text or CUT in text or STALLED in text:
                return
        yield chunk({}, "stop")
    if (asked.get("stream_options") or {}).get("include_usage"):
        yield data({**head, "choices": [], "usage": _usage()})
    yield b"data: [DONE]\n\n"


def embeddings(asked: dict[str, Any], *, attempt: int) -> Reply:
    """Answer with one embedding per input; OpenAI gives these answers no id."""
    texts = asked["input"] if isinstance(asked["input"], list) else [asked["input"]]
    if BUSY in texts[0] or (BUSY_ONCE in texts[0] and attempt == 1):
        return _BUSY
    return Reply(
        body={
            "object": "list",
            "model": "text-embedding-3-small",
            "data": [{"object": "embedding", "index": at, "embedding": [0.1, 0.2]} for at in range(len(texts))],
            "usage": {"prompt_tokens": 5 * len(texts), "total_tokens": 5 * len(texts)},
        }
    )


def responses(asked: dict[str, Any], *, attempt: int) -> Reply:
    """Answer one response."""
    text = str(asked["input"])
    if BUSY in text or (BUSY_ONCE in text and attempt == 1):
        return _BUSY
    answered = {
        "id": f"resp_{uuid.uuid4().hex}",
        "object": "response",
        "created_at": 1_772_452_800,
        "status": "completed",
        "model": MODEL,
        "output": [
            {
                "id": "msg_1",
                "type": "message",
                "role": "assistant",
                "status": "completed",
                "content": [{"type": "output_text", "text": "Billing.", "annotations": [], "logprobs": []}],
            }
        ],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": {
            "input_tokens": 1200,
            "input_tokens_details": {"cached_tokens": 1024},
            "output_tokens": 7,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": 1207,
        },
    }
    if not asked.get("stream"):
        return Reply(body=answered)
    begun = {**answered, "status": "in_progress", "output": [], "usage": None}
    place = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    events = [
        {"type": "response.created", "sequence_number": 0, "response": begun},
        {"type": "response.output_text.delta", "sequence_number": 1, "delta": "Billing.", "logprobs": [], **place},
        {"type": "response.completed", "sequence_number": 2, "response": answered},
    ]
    return Reply(events=[f"event: {one['type']}\n".encode() + data(one) for one in events])
