"""Requests that were heard, until the exporting thread has measured their prompts.

Prompts and answers are not put on spans: the host's own exporters would send them.
"""

import contextlib
import json
from typing import Any, Final, Protocol

from tocsin_wire import attributes as keys

_MOST: Final = 1_024  # spans that wait for their export; of older ones nothing is measured
_Key = tuple[int, int]  # trace and span id
_heard: Final[dict[_Key, "Heard"]] = {}


class Heard(Protocol):
    """What was asked and answered."""

    @property
    def messages(self) -> Any:
        """The prompt, as the client was given it."""
        ...

    @property
    def text(self) -> str:
        """What the model wrote."""
        ...

    @property
    def model(self) -> str:
        """The model that answered; empty when none did."""
        ...


def keep(of: _Key, heard: Heard) -> None:
    """Keep what was asked and answered in the call that a span tells of."""
    _heard[of] = heard
    while len(_heard) > _MOST:
        with contextlib.suppress(KeyError, RuntimeError, StopIteration):  # another thread was faster
            _heard.pop(next(iter(_heard)))


def take(of: _Key) -> Heard | None:
    """Give it back, once."""
    return _heard.pop(of, None)


def without_guesses(said: dict[str, Any], heard: Heard) -> None:
    """Take out what would be read as the model that answered, where none did: OpenInference has one name for both."""
    if not heard.model and said.get(keys.REQUEST_MODEL) == said.get(_MODEL_OF_OPENINFERENCE):
        said.pop(_MODEL_OF_OPENINFERENCE, None)


_MODEL_OF_OPENINFERENCE: Final = "llm.model_name"


def add_words(said: dict[str, Any], heard: Heard) -> None:
    """Add a prompt's and its answer's words in OpenTelemetry's form, where the span has none."""
    from tocsin._prompts.stage import add_content

    add_content(said, heard.messages)
    if heard.text and keys.OUTPUT_MESSAGES not in said:
        answer = {"role": "assistant", "parts": [{"type": "text", "content": heard.text}]}
        said[keys.OUTPUT_MESSAGES] = json.dumps([answer], ensure_ascii=False)
