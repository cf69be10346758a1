"""A prompt that a call was given: kept by reference on the host's thread, measured where the call is exported."""

import json
from collections.abc import Mapping
from typing import Any, Final

from tocsin._calls.values import Scalar
from tocsin_wire import attributes as keys

_MOST_CHARS: Final = 131_072  # of one text that is kept for review: the policy cuts it further


class Given:
    """One prompt. Called with the attributes of the ended call, it adds what is measured, and the words where they may leave."""

    __slots__ = ("_call_id", "_messages", "_template", "_turn")

    def __init__(self, messages: Any, *, template: str | None, turn: int | None, call_id: str) -> None:
        # A conversation goes on in the host's own list; what is said in it stays.
        self._messages = list(messages) if isinstance(messages, list) else messages
        self._template = template
        self._turn = turn
        self._call_id = call_id

    def __call__(self, attributes: dict[str, Scalar]) -> None:
        """Add what is known of the prompt, and keep what the host said of it itself."""
        from tocsin._privacy import policy

        use_case = attributes.get(keys.USE_CASE)
        chosen = policy(use_case if isinstance(use_case, str) else None)
        if chosen.wants_features:
            add_features(attributes, self._messages, template=self._template, turn=self._turn)
        if chosen.may_keep_content(self._call_id):
            add_content(attributes, self._messages)


def add_features(
    attributes: dict[str, Scalar], messages: Any, *, template: str | None = None, turn: int | None = None
) -> None:
    """Add a prompt's features, and its template's hash as the prompt's version where nobody names one."""
    from tocsin._prompts.features import features

    measured = features(messages, template=template, turn=turn)
    for key, value in measured.items():
        attributes.setdefault(key, value)
    version = measured.get(TEMPLATE_HASH)
    if version and not attributes.get(keys.PROMPT_VERSION):
        attributes.setdefault(keys.PROMPT_HASH, version)


def add_content(attributes: dict[str, Scalar], messages: Any) -> None:
    """Add a prompt's words in OpenTelemetry's form."""
    from tocsin._prompts.messages import SYSTEM_ROLES, each

    system: list[Mapping[str, Any]] = []
    said: list[Mapping[str, Any]] = []
    for role, text in each(messages):
        part = {"type": "text", "content": text[:_MOST_CHARS]}
        if role in SYSTEM_ROLES:
            system.append(part)
        else:
            said.append({"role": role, "parts": [part]})
    if said:
        attributes.setdefault(keys.INPUT_MESSAGES, json.dumps(said, ensure_ascii=False))
    if system:
        attributes.setdefault(keys.SYSTEM_INSTRUCTIONS, json.dumps(system, ensure_ascii=False))


TEMPLATE_HASH: Final = f"{keys.PROMPT_PREFIX}template_hash"
