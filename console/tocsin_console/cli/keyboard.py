"""Single keys of a terminal, of which none is lost: what is typed ahead waits."""

import os
import select
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_ESCAPE: Final = b"\x1b"


class Keyboard:
    """Reads keys one by one, and lines where they are asked for.

    Reading a key by switching the terminal there and back would throw away what was typed in between.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @classmethod
    @contextmanager
    def opened(cls) -> "Iterator[Keyboard]":
        """Take keys from stdin until the end of the block; the terminal is then as it was."""
        import termios
        import tty

        descriptor = sys.stdin.fileno()
        before = termios.tcgetattr(descriptor)
        try:
            tty.setcbreak(descriptor, termios.TCSADRAIN)
            yield cls(descriptor)
        finally:
            termios.tcsetattr(descriptor, termios.TCSADRAIN, before)

    def key(self) -> str:
        """Wait for one key; empty at the end of the input."""
        while True:
            typed = os.read(self._descriptor, 1)
            if typed != _ESCAPE:
                return typed.decode(errors="replace")
            if select.select([self._descriptor], [], [], 0.01)[0]:
                os.read(self._descriptor, 16)  # the rest of an arrow or a function key, which says nothing here

    def line(self, prompt: str) -> str:
        """Ask for one line."""
        import termios
        import tty

        mode = termios.tcgetattr(self._descriptor)
        mode[3] |= termios.ICANON | termios.ECHO
        termios.tcsetattr(self._descriptor, termios.TCSADRAIN, mode)
        try:
            sys.stdout.write(f"{prompt}: ")
            sys.stdout.flush()
            return sys.stdin.readline().strip()
        finally:
            tty.setcbreak(self._descriptor, termios.TCSADRAIN)
