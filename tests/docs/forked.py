"""Our own commands, run by forks of a process that has loaded them: starting an interpreter for each costs a second."""

import json
import os
import socket
import sys
import tempfile
import traceback
from pathlib import Path


class Commands:
    """Runs `tocsin WORDS`."""

    def load(self) -> None:
        """Begin, before the page's program starts anything."""
        ours, theirs = socket.socketpair()
        if os.fork() == 0:
            ours.close()
            _serve(theirs)
            os._exit(0)
        theirs.close()
        self._stream = ours.makefile("rw", encoding="utf-8")

    def run(self, words: list[str]) -> tuple[int, str, str]:
        """Run one command; give its exit code, what it printed, and its standard error."""
        self._stream.write(json.dumps(words) + "\n")
        self._stream.flush()
        code, out, err = json.loads(self._stream.readline())
        return code, out, err


def _serve(theirs: socket.socket) -> None:
    import tocsin_console.cli.app  # noqa: F401 - loaded once, for every fork

    with theirs.makefile("rw", encoding="utf-8") as stream:
        for line in stream:
            with tempfile.TemporaryDirectory() as folder:
                out, err = Path(folder, "out"), Path(folder, "err")
                child = os.fork()
                if child == 0:
                    _become(json.loads(line), out, err)
                code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
                answer = code, out.read_text(encoding="utf-8"), err.read_text(encoding="utf-8")
            stream.write(json.dumps(answer) + "\n")
            stream.flush()


def _become(words: list[str], out: Path, err: Path) -> None:
    """Be the command, and end as it ends."""
    for number, file in ((1, out), (2, err)):
        os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT), number)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    from tocsin_console.__main__ import main

    try:
        code = main(words)
    except BaseException:  # noqa: BLE001 - told as an interpreter would tell it
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
