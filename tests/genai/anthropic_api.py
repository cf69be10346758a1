"""Anthropic's HTTP API: messages."""

import uuid
from collections.abc import Iterator
from typing import Any

from tests.genai.wire import BUSY, BUSY_ONCE, CUT, TORN, WITHOUT_DELAY, Reply, event, last_text

MODEL = "claude-sonnet-4-5-20250929"
_TOOL = {"type": "tool_use", "id": "toolu_1", "name": "refund", "input": {"order": 7}}


def messages(asked: dict[str, Any], *, attempt: int) -> Reply:
    """Answer one message."""
    text = last_text(asked["messages"])
    if BUSY in text or (BUSY_ONCE in text and attempt == 1):
        error = {"type": "rate_limit_error", "message": "slow down"}
        return Reply(status=429, body={"type": "error", "error": error}, headers=WITHOUT_DELAY)
    head = {
        "id": f"msg_{uuid.uuid4().hex}",
        "type": "message",
        "role": "assistant",
        "model": MODEL,
        "stop_sequence": None,
    }
    if asked.get("stream"):
        return Reply(events=_events(head, asked, text), is_torn=TORN in text)
    content = [_TOOL] if asked.get("tools") else [{"type": "text", "text": "Billing."}]
    stop = "tool_use" if asked.get("tools") else "end_turn"
    return Reply(body={**head, "content": content, "stop_reason": stop, "usage": _usage(7)})


def _usage(output: int) -> dict[str, Any]:
    return {
        "input_tokens": 20,
        "cache_creation_input_tokens": 100,
        "cache_read_input_tokens": 2000,
        "output_tokens": output,
    }


def _events(head: dict[str, Any], asked: dict[str, Any], text: str) -> Iterator[bytes]:
    begun = {**head, "content": [], "stop_reason": None, "usage": _usage(1)}
    yield event({"type": "message_start", "message": begun})
    if asked.get("tools"):
        yield event({"type": "content_block_start", "index": 0, "content_block": {**_TOOL, "input": {}}})
        delta = {"type": "input_json_delta", "partial_json": '{"order": 7}'}
        yield event({"type": "content_block_delta", "index": 0, "delta": delta})
    else:
        yield event({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}})
        for token in ("Billing", "."):
            yield event({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": token}})
            if TORN in text or CUT in text:
                return
    yield event({"type": "content_block_stop", "index": 0})
    stop = "tool_use" if asked.get("tools") else "end_turn"
    yield event(
        {
            "type": "message_delta",
            "delta": {"stop_reason": stop, "stop_sequence": None},
            "usage": {"output_tokens": 7},
        }
    )
    yield event({"type": "message_stop"})
