"""A Dockerfile as data: its stages and their instructions, with arguments and flags told apart."""

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_KNOWN: Final = frozenset(
    "ARG CMD COPY ENTRYPOINT ENV EXPOSE FROM HEALTHCHECK LABEL RUN USER VOLUME WORKDIR".split()  # noqa: SIM905 - read
)
_NAME: Final = re.compile(r"\$\{(\w+)\}|\$(\w+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruction:
    """One instruction as it stands, its lines joined."""

    word: str
    text: str  # without word and flags
    flags: Mapping[str, str]
    line: int

    @property
    def is_exec(self) -> bool:
        """Whether it is in exec form, which starts no shell."""
        return self.text.startswith("[")

    def words(self, names: Mapping[str, str]) -> list[str]:
        """Split it, as JSON in exec form, with variables replaced."""
        if self.is_exec:
            return [str(each) for each in json.loads(self.text)]
        return [substituted(each, names) for each in shlex.split(self.text)]

    def pairs(self, names: Mapping[str, str]) -> dict[str, str]:
        """Read NAME=value as ENV, LABEL and ARG have it; an ARG without a value is left out."""
        split = (each.partition("=") for each in shlex.split(self.text))
        return {name: substituted(value, names) for name, sign, value in split if sign}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """What stands between two FROMs."""

    name: str
    parent: str  # an earlier stage, or an image
    instructions: tuple[Instruction, ...]

    def last(self, word: str) -> Instruction | None:
        """Find the instruction that holds: the last one."""
        return next((each for each in reversed(self.instructions) if each.word == word), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dockerfile:
    """Stages by name, in order."""

    stages: Mapping[str, Stage]

    def line(self, name: str) -> tuple[Stage, ...]:
        """Give a stage after those that it is built from; of an image, nothing."""
        if name not in self.stages:
            return ()
        stage = self.stages[name]
        return (*self.line(stage.parent), stage)

    def last(self, name: str, word: str) -> Instruction | None:
        """Find the instruction that holds for a stage, be it its own or an ancestor's."""
        return next((found for stage in reversed(self.line(name)) if (found := stage.last(word))), None)

    def environment(self, name: str, already: Mapping[str, str]) -> dict[str, str]:
        """Say what ENV has set at the end of a stage."""
        made = dict(already)
        for stage in self.line(name):
            for each in stage.instructions:
                if each.word == "ENV":
                    made |= each.pairs(made)
        return made


def read(path: Path) -> Dockerfile:
    """Read a file.

    Raises:
        ValueError: it says something that is not understood here.
    """
    names: dict[str, str] = {}
    stages: dict[str, Stage] = {}
    current: tuple[str, str] | None = None
    body: list[Instruction] = []

    def close() -> None:
        if current:
            stages[current[0]] = Stage(name=current[0], parent=current[1], instructions=tuple(body))
            body.clear()

    for each in _instructions(path.read_text(encoding="utf-8")):
        if each.word not in _KNOWN:
            raise ValueError(f"{path}:{each.line}: expected one of {', '.join(sorted(_KNOWN))}, got {each.word}")
        if each.word == "FROM":
            close()
            parent, *rest = each.words(names)
            current = (rest[1] if rest else parent, parent)
        elif current:
            body.append(each)
        else:
            names |= each.pairs(names)
    close()
    return Dockerfile(stages=stages)


def substituted(text: str, names: Mapping[str, str]) -> str:
    """Replace ``$NAME`` and ``${NAME}``; an unknown one is empty, as a builder has it."""
    return _NAME.sub(lambda found: names.get(found[1] or found[2], ""), text)


def _instructions(text: str) -> Iterator[Instruction]:
    held, began = "", 0
    for number, line in enumerate(text.splitlines(), start=1):
        if line.lstrip().startswith("#") or (not line.strip() and not held):
            continue
        began = began if held else number
        held += line
        if held.endswith("\\"):
            held = held[:-1]
            continue
        word, _, rest = held.strip().partition(" ")
        yield _instruction(word.upper(), rest.strip(), began)
        held = ""


def _instruction(word: str, rest: str, line: int) -> Instruction:
    flags: dict[str, str] = {}
    while found := re.match(r"--([\w-]+)=(\S+)\s+", rest):
        flags[found[1]] = found[2]
        rest = rest[found.end() :]
    return Instruction(word=word, text=rest, flags=flags, line=line)
