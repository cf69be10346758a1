"""A prompt in whatever form it is passed to a model, read as texts. Pure; reads objects by their attributes, calls nothing."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

_MESSAGES: Final = 2_000  # of one prompt
_PARTS: Final = 200  # of one message
_DEPTH: Final = 4
SYSTEM_ROLES: Final = frozenset({"system", "developer"})
_ANSWERED: Final = frozenset({"assistant", "ai", "model", "aimessage"})
_ASKED: Final = frozenset({"user", "human", "humanmessage"})
_CLASSES: Final = {"SystemMessage": "system", "HumanMessage": "user", "AIMessage": "assistant", "ToolMessage": "tool"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A prompt's texts."""

    system: str  # what the developer wrote: system and developer messages
    new: str  # what came since the model last answered: the user's message, results of tools
    chars: int  # of everything, earlier turns included
    turn: int  # messages of the user so far; 1 in a fresh conversation


def read(messages: Any) -> Reading:
    """Read a text, one message or a list of messages: mappings, (role, text) pairs or clients' own objects."""
    system: list[str] = []
    new: list[str] = []
    chars = turn = 0
    for role, text in each(messages):
        chars += len(text)
        if role in SYSTEM_ROLES:
            system.append(text)
        elif role in _ANSWERED:
            new.clear()
        else:
            turn += role in _ASKED
            new.append(text)
    return Reading(system="\n".join(system), new="\n".join(new), chars=chars, turn=max(turn, 1))


def each(messages: Any) -> Iterator[tuple[str, str]]:
    """Give each message's role, in small letters, and its text."""
    return map(_message, _listed(messages))


def text_of(content: Any, depth: int = 0) -> str:  # noqa: PLR0911 - one line per form
    """Read the text of a message's content: a text, parts with texts, or nothing that is one (images, sound)."""
    if isinstance(content, str):
        return content
    if content is None or depth > _DEPTH:
        return ""
    if isinstance(content, Mapping):
        for name in ("text", "content", "parts", "output", "result", "response", "input_text"):
            found = content.get(name)
            if found:
                return text_of(found, depth + 1)
        return ""
    if isinstance(content, Sequence) and not isinstance(content, (bytes, bytearray)):
        return "\n".join(text for one in islice(content, _PARTS) if (text := text_of(one, depth + 1)))
    for name in ("text", "content", "parts"):
        found = getattr(content, name, None)
        if isinstance(found, (str, list, tuple, Mapping)):
            return text_of(found, depth + 1)
    return ""


def _listed(messages: Any) -> Iterable[Any]:
    if messages is None:
        return ()
    if isinstance(messages, (str, Mapping)) or not isinstance(messages, Iterable) or _is_pair(messages):
        return (messages,)
    return islice(messages, _MESSAGES)


def _message(one: Any) -> tuple[str, str]:
    if isinstance(one, str):
        return "user", one
    if _is_pair(one):
        return str(one[0]).lower(), text_of(one[1])
    if isinstance(one, Mapping):
        role = one.get("role") or one.get("type") or "user"
        return str(role).lower(), text_of(one)
    role = getattr(one, "role", None) or _CLASSES.get(type(one).__name__) or getattr(one, "type", None) or "user"
    return str(getattr(role, "value", role)).lower(), text_of(one)


def _is_pair(one: Any) -> bool:
    """Tell ("system", "You sort tickets.") from a list of two texts."""
    return isinstance(one, tuple) and len(one) == 2 and isinstance(one[0], str) and one[0].lower() in _ROLES


_ROLES: Final = SYSTEM_ROLES | _ANSWERED | _ASKED | {"tool", "function", "placeholder"}
