"""Documentation pages as something to run: their blocks, and what their comments say about running them.

A page is Markdown; what concerns the test stands in HTML comments, which readers do not see:

    <!-- needs: openai, opentelemetry.instrumentation.genai.openai -->   skipped where one of these modules is missing
    <!-- servers: openai, anthropic -->     local servers that speak these providers' HTTP APIs; their variables are set
    <!-- collector: up -->                  a real `tocsin up` receives and answers verbs; `lived-in`: one with five weeks of calls,
                                            labels and an open incident; else an OTLP server that keeps what comes
    <!-- calls: ticket-triage 3, support 1 -->   what must have arrived in the end, by use case
    <!-- not run: needs a cluster -->       the next block is only shown
    <!-- tested by: tests/deploy/test_helm.py -->   the next block is read from the page, and run, by that file
    <!-- exits: 1 -->                       what the commands of the next block end with, where that is not 0
    <!-- before: handle = "t1.x" -->        Python that runs before the next block, and is not shown

A block whose first line is ``# name.py`` (or ``// name.js``) is that file, written into the folder in which the page runs, and read
by the product where it is a configuration, a plan or a rule; the other Python blocks run in order in one program, every line of
bash blocks (in console blocks, every line after ``$``) by a shell, in order with the Python around them. ``text`` is output.
"""

import importlib.util
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from markdown_it import MarkdownIt

Kind = Literal["python", "command", "file", "sql", "json"]
DOCS: Final = Path(__file__).resolve().parents[2] / "docs"
_SHOWN: Final = ("text",)
_SHELL: Final = ("bash", "sh", "shell", "console")
_COMMENT: Final = re.compile(
    r"<!--\s*(needs|servers|collector|calls|not run|tested by|exits|before):(.*?)-->", re.DOTALL
)
_FILE: Final = re.compile(r"(?:#|//|--) ([\w/.-]+\.\w+)\n")
_DATA: Final = re.compile(r"(json|toml|yaml|yml)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One thing to do: run Python, a command or SQL, write a file, or read JSON."""

    kind: Kind
    text: str
    line: int  # of the page, of the block's first line
    file: str = ""
    exits: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """A block that the page's own test does not run, and why."""

    line: int
    language: str
    text: str
    reason: str = ""
    tested_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page, read."""

    path: Path
    blocks: tuple[Block, ...]
    left: tuple[Left, ...]
    indented: tuple[int, ...]  # lines of code blocks without a language, which nothing can run
    needs: tuple[str, ...]
    servers: tuple[str, ...]
    collector: str
    calls: dict[str, int]

    @property
    def missing(self) -> tuple[str, ...]:
        """Modules the page needs that are not installed here."""
        return tuple(name for name in self.needs if not _is_installed(name))


def shown(page: str, *, tested_by: str) -> list[Left]:
    """List the blocks of a page that it says another test runs: what is tested is what is shown.

    Args:
        page: Below docs/, such as ``fits/grafana.md``.
        tested_by: That test's `__file__`.
    """
    name = str(Path(tested_by).resolve().relative_to(DOCS.parent))
    return [left for left in read(DOCS / page).left if name in re.findall(r"[\w/]+\.py", left.tested_by)]


def read(path: Path, *, before: str = "") -> Page:
    """Read one page; `before` is Python that runs ahead of its first block."""
    text = path.read_text(encoding="utf-8")
    said: dict[str, list[str]] = {}
    marks: list[tuple[int, str, str]] = []
    for found in _COMMENT.finditer(text):
        said.setdefault(found[1], []).append(found[2].strip())
        marks.append((text.count("\n", 0, found.start()), found[1], found[2].strip("\n")))
    blocks: list[Block] = []
    left: list[Left] = []
    indented: list[int] = []
    end_before = 0
    for token in MarkdownIt().enable("table").parse(text):
        if token.type not in {"fence", "code_block"} or token.map is None:
            continue
        first, end = token.map
        own = {kind: body for at, kind, body in marks if end_before <= at < first}
        end_before, line, language = end, first + 2, token.info.strip()
        if token.type == "code_block":
            indented.append(first + 1)
        elif language.startswith("{"):  # a directive of the site
            continue
        elif "not run" in own or "tested by" in own:
            reason, tested = own.get("not run", ""), own.get("tested by", "")
            told = {"reason": reason.strip(), "tested_by": tested.strip()}
            left.append(Left(line=line, language=language, text=token.content, **told))
        else:
            if "before" in own:
                blocks.append(Block(kind="python", text=own["before"].strip(), line=line))
            exits = int(own.get("exits", "0"))
            found_blocks = _blocks(language, token.content, line, exits)
            if found_blocks is None:
                left.append(Left(line=line, language=language, text=token.content))
            blocks += found_blocks or []
    if blocks and before:
        blocks.insert(0, Block(kind="python", text=before, line=1))
    return Page(
        path=path,
        blocks=tuple(blocks),
        left=tuple(left),
        indented=tuple(indented),
        needs=_words(said.get("needs")),
        servers=_words(said.get("servers")),
        collector=(said.get("collector") or ["otlp"])[-1],
        calls={name: int(count) for name, count in (words.split() for words in _words(said.get("calls")))},
    )


def _blocks(language: str, text: str, line: int, exits: int) -> list[Block] | None:
    """What is to be done with one block; None where nothing here can be."""
    if language in _SHOWN:
        return []
    if language in _SHELL:
        return [Block(kind="command", text=one, line=line, exits=exits) for one in _commands(language, text)]
    named = _FILE.match(text)
    if named is not None:
        return [Block(kind="file", text=text, line=line, file=named[1])]
    match language:
        case "python" | "sql" | "json":
            return [Block(kind=language, text=text, line=line)]
        case _:
            return None


def _commands(language: str, text: str) -> list[str]:
    joined = text.replace("\\\n", " ")
    lines = [line.strip() for line in joined.splitlines()]
    if language == "console":  # a session: what follows a command is its output
        lines = [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
    return [line for line in lines if line and not line.startswith("#")]


def _words(lines: list[str] | None) -> tuple[str, ...]:
    return tuple(word.strip() for line in lines or () for word in line.split(",") if word.strip())


def _is_installed(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ImportError:
        return False
