"""A page run as a reader does it: files are written, commands run in order in one folder, and `tocsin up` goes on beside them.

    <!-- tested by: tests/docs/test_x.py -->    the next block is run by that test, which reads it from the page

A block whose first line is ``# name.ext`` is that file. Of a ``bash`` block every line runs; ``# exits 1`` at its end says that it does.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final, Self

from tests.docs.pages import Left
from tests.end_to_end.conftest import Up, running

_FILE: Final = re.compile(r"# ([\w/.-]+\.\w+)\n")
_EXITS: Final = re.compile(r"#.*\bexits (\d)\b")


class Story:
    """A folder in which blocks are run.

    Args:
        folder: Empty.
        environment: Variables beside the usual ones.
    """

    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder = folder
        own = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "TOCSIN_"))}
        self.environment = (
            own
            | {"TOCSIN_DATA_DIR": str(folder / "data"), "PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "150"}
            | environment
        )
        self.up: Up | None = None
        self._started = ExitStack()
        _put_commands(folder / ".bin")
        self.environment["PATH"] = f"{folder / '.bin'}{os.pathsep}{own.get('PATH', '')}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_how: object) -> None:
        self._started.close()

    def run(self, block: Left) -> str:
        """Write the file that a block is, or run its commands; give what they printed.

        Raises:
            AssertionError: a command did not end as the page says.
        """
        named = _FILE.match(block.text)
        if named is not None:
            file = self.folder / named[1]
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(block.text, encoding="utf-8")
            return ""
        assert block.language == "bash", f"line {block.line}: expected a file or bash, got {block.language!r}"
        return "".join(self.command(line) for line in _commands(block.text))

    def command(self, line: str) -> str:
        """Run one line; ``tocsin up`` is started and left running."""
        if line.split()[:2] == ["tocsin", "up"]:
            self._start(line.partition("#")[0].split()[2:])
            return ""
        exits = _EXITS.search(line)
        done = subprocess.run(
            ["/bin/sh", "-c", line],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        assert done.returncode == (int(exits[1]) if exits else 0), (
            f"{line}\nended with {done.returncode}\n{done.stdout}{done.stderr}"
        )
        assert "Traceback" not in done.stderr, f"{line}\n{done.stderr}"
        return done.stdout

    def _start(self, options: list[str]) -> None:
        before = dict(os.environ)
        os.environ.update(self.environment)
        try:
            self.up = self._started.enter_context(running(self.folder, *options))
        finally:
            os.environ.clear()
            os.environ.update(before)
        self.environment |= {
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{self.up.facts['grpc']}",
            "TOCSIN_GUARD_ENDPOINT": self.up.facts["guard"],
            "TOCSIN_API_ADDRESS": self.up.facts["api"],
        }


def _commands(text: str) -> Iterator[str]:
    for line in text.replace("\\\n", " ").splitlines():
        if line.strip() and not line.startswith("#") and not line.startswith("pip install"):
            yield line


def _put_commands(folder: Path) -> None:
    folder.mkdir(parents=True)
    code = "import sys\nfrom tocsin_console.__main__ import main\nsys.argv[0] = 'tocsin'\nsys.exit(main())\n"
    for name, text in {
        "tocsin": f"#!{sys.executable}\n{code}",
        "python": f'#!/bin/sh\nexec {sys.executable} "$@"\n',
    }.items():
        (folder / name).write_text(text, encoding="utf-8")
        (folder / name).chmod(0o755)
