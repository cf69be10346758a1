"""The page of commands: every verb, its options and what it exits with."""

import argparse
import inspect
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import UnionType
from typing import Any, Final, Literal, Union, get_args, get_origin, get_type_hints

import typer

from generating.markdown import code, page, prose, table
from tocsin_console import errors, run_verb, version_verb
from tocsin_console.cli.app import build

_SHARED: Final = ("--config", "--data-dir", "--api", "--json", "--by")  # said once, where they mean the same
_VALUES: Final[Mapping[Any, str]] = {str: "TEXT", Path: "PATH", int: "NUMBER", float: "NUMBER", bool: ""}
_BEFORE: Final = {"run": run_verb.parser, "version": version_verb.parser}  # they start without what other verbs need
_CODES: Final = (
    (errors.OK, "all is well"),
    (errors.FINDING, "a finding, as the verb says below: something fires, differs or is missing"),
    (errors.USAGE, "the command, the configuration or a file needs mending; the message says what was expected"),
    (errors.UNREACHABLE, "nothing answers, or another process holds what is needed"),
)


def commands_page() -> str:
    """Write it."""
    root: Any = typer.main.get_command(build())
    verbs = list(_verbs(root, ("tocsin",)))
    shared = _shared(verbs)
    return page(
        "Commands",
        "Every verb of the command `tocsin`, with its options and when it exits with what.",
        "Commands talk to the running `tocsin up` over its API; `tocsin VERB --help` says the same as here.",
        "## Exit codes",
        table(("Code", "Means"), ((code(number), prose(meaning)) for number, meaning in _CODES)),
        "With `--json` an error is one document too: `error` and `exit_code`.",
        "## Options of many verbs",
        table(
            ("Option", "Default", "Says"),
            ((_spelled(each), _default(each), prose(each.help)) for each in shared.values()),
        ),
        *(part for path, verb in verbs for part in _one(path, verb, shared)),
    )


def _shared(verbs: Iterable[tuple[Sequence[str], Any]]) -> dict[str, Any]:
    """Give the options that mean the same in most verbs, each as most of them say it."""
    found: dict[str, list[Any]] = {name: [] for name in _SHARED}
    for _, verb in verbs:
        for each in verb.params:
            for option in found.keys() & set(each.opts):
                found[option].append(each)
    common = {name: Counter(each.help for each in all_of).most_common(1)[0][0] for name, all_of in found.items()}
    return {name: next(each for each in all_of if each.help == common[name]) for name, all_of in found.items()}


def _verbs(command: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Give every verb with its words; a group that does something by itself comes before its verbs."""
    below = getattr(command, "commands", None)
    if below is None:
        # A verb that is hidden is what its group does when no verb is named.
        yield (path[:-1] if command.hidden else path), command
        return
    if command.params and command.callback:
        yield path, command
    for name, each in below.items():
        yield from _verbs(each, (*path, name))


def _one(path: Sequence[str], verb: Any, shared: Mapping[str, Any]) -> Iterator[str]:
    yield f"## {' '.join(path)}"
    if before := _BEFORE.get(path[-1]):
        yield from _parsed(path, before())
        return
    yield from (prose(part) for part in inspect.cleandoc(_help(verb)).split("\n\n"))
    words = [_synopsis(each, verb) for each in verb.params]
    yield "\n".join(("```text", *_wrapped(" ".join(path), words), "```"))
    said = {each.help for each in shared.values()}
    rows = [each for each in verb.params if each.help not in said]
    if rows:
        yield table(
            ("Option", "Default", "Says"),
            ((_spelled(each, verb), _default(each), prose(each.help or "")) for each in rows),
        )


def _help(verb: Any) -> str:
    """Give what the verb says of itself: of a group that does something, what that is."""
    return str(inspect.getdoc(inspect.unwrap(verb.callback)) if getattr(verb, "commands", None) else verb.help)


def _wrapped(words: str, rest: Sequence[str], width: int = 92) -> Iterator[str]:
    line = words
    for word in rest:
        if len(line) + len(word) >= width:
            yield line
            line = " " * 4
        line += f" {word}" if line.strip() else word
    yield line


def _synopsis(each: Any, verb: Any) -> str:
    if each.param_type_name == "argument":
        word = _argument(each)
    else:
        value = _value(each, verb)
        word = "/".join((*each.opts, *each.secondary_opts)) + (f" {value}" if value else "")
    word = f"{word} …" if each.nargs == -1 or getattr(each, "multiple", False) else word
    return word if each.required else f"[{word}]"


def _argument(each: Any) -> str:
    return str(each.name).upper().rstrip("S") if each.nargs == -1 else str(each.name).upper()


def _spelled(each: Any, verb: Any = None) -> str:
    if each.param_type_name == "argument":
        return code(_argument(each))
    value = _value(each, verb) if verb else ""
    return ", ".join(code(f"{name} {value}".strip()) for name in (*each.opts, *each.secondary_opts))


def _value(each: Any, verb: Any) -> str:
    said: Any = get_type_hints(inspect.unwrap(verb.callback))[each.name]
    [kind] = [
        arm for arm in (get_args(said) if get_origin(said) in (Union, UnionType) else (said,)) if arm is not type(None)
    ]
    if get_origin(kind) is Literal:
        return "|".join(get_args(kind))
    return _VALUES[get_args(kind)[0] if get_args(kind) else kind]


def _default(each: Any) -> str:
    if each.required:
        return "needed"
    if isinstance(each.show_default, str):
        return prose(each.show_default)
    if each.default in (None, "", False) or each.secondary_opts:
        return code(each.opts[0]) if each.default is True else ""
    return code(each.default)


def _parsed(path: Sequence[str], parser: argparse.ArgumentParser) -> Iterator[str]:
    """Write a verb that argparse reads."""
    actions = [action for action in parser._actions if action.dest != "help"]  # noqa: SLF001 - argparse tells nobody else
    yield prose(parser.description or "")
    words = [
        f"[{action.option_strings[0]} {_metavar(action)}".strip() + "]"
        if action.option_strings
        else str(action.metavar)
        for action in actions
    ]
    yield "\n".join(("```text", *_wrapped(" ".join(path), words), "```"))
    yield table(
        ("Option", "Says"),
        (
            (code(f"{' '.join(action.option_strings)} {_metavar(action)}"), prose(action.help or ""))
            for action in actions
        ),
    )


def _metavar(action: argparse.Action) -> str:
    return "" if action.nargs == 0 else str(action.metavar or "TEXT")
