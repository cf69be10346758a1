"""Documentation pages as something to run: their blocks, and what their comments say about running them.

A page is Markdown; what concerns the test stands in HTML comments, which readers do not see:

    <!-- needs: openai, opentelemetry.instrumentation.genai.openai -->   skipped where one of these modules is missing
    <!-- servers: openai, anthropic -->     local servers that speak these providers' HTTP APIs; their variables are set
    <!-- collector: up -->                  a real `tocsin up` receives and answers verbs; else an OTLP server that keeps what comes
    <!-- calls: ticket-triage 3, support 1 -->   what must have arrived in the end, by use case
    <!-- not run: needs a cluster -->       the next block is only shown
    <!-- tested by: tests/docs/test_x.py -->   the next block is run by that test, which reads it from the page
    <!-- before: handle = "t1.x" -->        Python that runs before the next block, and is not shown

A Python block whose first line is ``# name.py`` is that file, written into the folder in which the page runs; the other
Python blocks run in order in one program. Of the bash and console blocks the lines run that are commands of ours (`tocsin`,
`opentelemetry-instrument`), in order with the Python blocks around them.
"""

import importlib.util
import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

OURS: Final = ("tocsin", "opentelemetry-instrument")
_FENCE: Final = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_COMMENT: Final = re.compile(r"<!--\s*(needs|servers|collector|calls|not run|tested by|before):(.*?)-->", re.DOTALL)
_FILE: Final = re.compile(r"# ([\w/.-]+\.\w+)\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One thing to do: run Python, run a command, or write a file."""

    kind: Literal["python", "command", "file"]
    text: str
    line: int  # of the page, of the block's first line
    file: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page, read."""

    path: Path
    blocks: tuple[Block, ...]
    needs: tuple[str, ...]
    servers: tuple[str, ...]
    collector: str
    calls: dict[str, int]

    @property
    def missing(self) -> tuple[str, ...]:
        """Modules the page needs that are not installed here."""
        return tuple(name for name in self.needs if not _is_installed(name))


def read(path: Path, *, before: str = "") -> Page:
    """Read one page; `before` is Python that runs ahead of its first block."""
    text = path.read_text(encoding="utf-8")
    said: dict[str, list[str]] = {}
    marks: list[tuple[int, str, str]] = []
    for found in _COMMENT.finditer(text):
        said.setdefault(found[1], []).append(found[2].strip())
        marks.append((found.start(), found[1], found[2].strip("\n")))
    blocks: list[Block] = []
    end_before = 0
    for found in _FENCE.finditer(text):
        between = [(kind, body) for at, kind, body in marks if end_before <= at < found.start()]
        line = text.count("\n", 0, found.start()) + 2
        blocks += [Block(kind="python", text=body.strip(), line=line) for kind, body in between if kind == "before"]
        if not any(kind in {"not run", "tested by"} for kind, _ in between):
            blocks += _blocks(found[1], found[2], line)
        end_before = found.end()
    if blocks and before:
        blocks.insert(0, Block(kind="python", text=before, line=1))
    return Page(
        path=path,
        blocks=tuple(blocks),
        needs=_words(said.get("needs")),
        servers=_words(said.get("servers")),
        collector=(said.get("collector") or ["otlp"])[-1],
        calls={name: int(count) for name, count in (words.split() for words in _words(said.get("calls")))},
    )


def _blocks(language: str, text: str, line: int) -> list[Block]:
    if language == "python":
        named = _FILE.match(text)
        if named is not None:
            return [Block(kind="file", text=text, line=line, file=named[1])]
        return [Block(kind="python", text=text, line=line)]
    if language in {"bash", "console", "sh", "shell"}:
        return [Block(kind="command", text=one, line=line) for one in _commands(text)]
    return []


def _commands(text: str) -> list[str]:
    joined = text.replace("\\\n", " ")
    lines = (line.removeprefix("$ ").strip() for line in joined.splitlines())
    return [line for line in lines if line and not line.startswith("#") and _is_ours(line)]


def _is_ours(line: str) -> bool:
    words = shlex.split(line, comments=True)
    while words and re.fullmatch(r"\w+=.*", words[0]):
        words.pop(0)
    return bool(words) and words[0] in OURS


def _words(lines: list[str] | None) -> tuple[str, ...]:
    return tuple(word.strip() for line in lines or () for word in line.split(",") if word.strip())


def _is_installed(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ImportError:
        return False
