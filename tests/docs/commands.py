"""Commands as documents write them, read by the command line itself and not run."""

import re
import shlex
from functools import cache
from typing import Any, Final

import typer

_CODE: Final = re.compile(r"`(tocsin [^`\n]+)`")
_ELSEWHERE: Final = ("run", "version")  # verbs that argparse reads


def inline(markdown: str) -> list[str]:
    """List the commands that stand in code font in a text."""
    return _CODE.findall(markdown)


def problem(command: str) -> str:
    """Say why the command line would refuse a command; empty where it would not."""
    words = shlex.split(command, comments=True)[1:]
    if words[:1] and words[0] in _ELSEWHERE:
        return ""
    verb, path = _root(), ["tocsin"]
    while words and words[0] in getattr(verb, "commands", {}):
        path.append(words.pop(0))
        verb = verb.commands[path[-1]]
    if hasattr(verb, "commands") and not verb.invoke_without_command and path != ["tocsin", "cost"]:
        return f"expected a verb, got {' '.join([*path, *words])!r}"
    try:
        verb.make_context(" ".join(path), words)
    except Exception as error:  # noqa: BLE001 - whatever it raises is why it was refused
        return f"{command}: {error}"
    return ""


@cache
def _root() -> Any:
    from tocsin_console.cli.app import build

    return typer.main.get_command(build())
