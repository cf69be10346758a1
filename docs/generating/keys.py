"""The keys of a file, from its JSON Schema: one table for each mapping, in the order in which a file has them."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from generating.markdown import alternatives, code, prose, table

_BOUNDS: Final = (
    ("exclusiveMinimum", "above"),
    ("minimum", "at least"),
    ("exclusiveMaximum", "below"),
    ("maximum", "at most"),
)
_PLAIN: Final = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "object": "mapping",
}
_DURATION: Final = "[smhdw]"
_FORMATS: Final = {"path": "path", "date": "day", "time": "time", "date-time": "time", "ipvanynetwork": "network"}

Extra = Callable[[str], str]


def key_tables(schema: Mapping[str, Any], *, heading: str, extra: tuple[str, Extra] | None = None) -> Iterator[str]:
    """Write the tables of a schema, each under its heading.

    Args:
        schema: What ``tocsin rules schema`` prints.
        heading: Of the mapping at the top.
        extra: A further column: its heading, and what it says of a key such as ``store.url``.
    """
    yield f"## {heading}"
    yield from _mapping(schema, schema["$defs"], path="", extra=extra, told=set())


def top_table(schema: Mapping[str, Any]) -> str:
    """Write the table of the mapping at the top alone."""
    return next(_mapping(schema, schema["$defs"], path="", extra=None, told=set()))


def _mapping(
    kind: Mapping[str, Any], kinds: Mapping[str, Any], *, path: str, extra: tuple[str, Extra] | None, told: set[str]
) -> Iterator[str]:
    more, says_more = extra or ("", lambda _: "")
    required = kind.get("required", ())
    below: list[tuple[str, str, bool]] = []
    rows = []
    for key, text in kind["properties"].items():
        full = f"{path}{key}"
        name, is_list = _reference(text)
        if name:
            below.append((full, name, is_list))
        default = "needed" if key in required else _default(text, is_part=bool(name))
        rows.append((code(key), _type(text), default, says_more(full), prose(text["description"])))
    yield table(("Key", "Type", "Default", more, "Means"), rows)
    for full, name, is_list in below:
        shared = name in told
        told.add(name)
        yield f"## {code(full)}"
        described = kinds[name].get("description", "").splitlines()[0]
        yield f"{'Each of its entries: ' if is_list else ''}{prose(described)}"
        if shared:
            yield f"Its keys are those of every other {name.lower()} above."
        else:
            yield from _mapping(kinds[name], kinds, path=f"{full}.", extra=extra, told=told)


def _reference(text: Mapping[str, Any]) -> tuple[str, bool]:
    """Find the mapping that a key holds, and whether it holds a list of them."""
    arms = [text, *text.get("anyOf", ())]
    for arm in arms:
        if "$ref" in arm:
            return arm["$ref"].rpartition("/")[2], False
        if "$ref" in arm.get("items", {}):
            return arm["items"]["$ref"].rpartition("/")[2], True
    return "", False


def _type(text: Mapping[str, Any]) -> str:
    arms = [arm for arm in text.get("anyOf", [text]) if arm.get("type") != "null"]
    said = dict.fromkeys(_arm(arm) for arm in arms)
    if any(arm.startswith("number") for arm in said):
        said.pop("text", None)  # a decimal may be written either way
    return " or ".join(said)


def _arm(arm: Mapping[str, Any]) -> str:
    if "const" in arm:
        return code(arm["const"])
    if "enum" in arm:
        return alternatives(arm["enum"])
    if "$ref" in arm:
        return "mapping"
    if arm.get("type") == "array":
        return f"list of {_arm(arm['items'])}{'s' if '$ref' in arm['items'] else ''}"
    if "examples" in arm:
        return f"{'duration' if _DURATION in arm.get('pattern', '') else 'text'} such as {code(arm['examples'][0])}"
    base = _FORMATS.get(arm.get("format", "")) or _PLAIN.get(str(arm.get("type")), "any")
    bounds = [f"{words} {arm[bound]:g}" for bound, words in _BOUNDS if bound in arm]
    return f"{base} {' and '.join(bounds)}" if bounds else base


def _default(text: Mapping[str, Any], *, is_part: bool) -> str:
    given = text.get("default")
    if is_part or given in (None, "", [], {}):
        return ""
    if isinstance(given, float):
        return code(f"{given:g}")
    return code(given if isinstance(given, str) else json.dumps(given))
