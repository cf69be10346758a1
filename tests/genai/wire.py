"""What a server of ours answers, and the words in a prompt that ask for trouble."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

BUSY_ONCE = "busy once"  # 429, then an answer
BUSY = "always busy"  # 429 whenever it is asked
TORN = "torn"  # the connection ends in the middle of the stream
CUT = "cut short"  # the stream ends as if it were whole, without its last events
STALLED = "stalled"  # the stream says nothing more, until the client has gone
WITHOUT_DELAY = (("retry-after-ms", "1"),)


@dataclass(frozen=True, kw_only=True)
class Reply:
    """One HTTP answer: a JSON body, or events."""

    status: int = 200
    body: Any = None
    events: Iterable[bytes] | None = None
    headers: tuple[tuple[str, str], ...] = ()
    is_torn: bool = False
    is_stalled: bool = False


def last_text(messages: list[dict[str, Any]]) -> str:
    """Read what was said last."""
    return json.dumps(messages[-1], ensure_ascii=False)


def data(value: Any) -> bytes:
    """Write one event of OpenAI's."""
    return b"data: " + json.dumps(value).encode() + b"\n\n"


def event(value: dict[str, Any]) -> bytes:
    """Write one event of Anthropic's."""
    return f"event: {value['type']}\n".encode() + data(value)
