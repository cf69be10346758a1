"""The latest end of a process: parts end in order, each in its time, and what hangs in spite of it is named and left behind."""

import contextlib
import faulthandler
import logging
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable
from queue import SimpleQueue
from typing import Final

from tocsin_console.errors import UNREACHABLE

_SAY_S: Final = 2.0  # for the log, which may be what hangs
_log = logging.getLogger(__name__)


def latest_end(time_s: float, *, leave: Callable[[int], object] = os._exit) -> Callable[[], None]:
    """End this process some seconds after it is told at the latest, and say in the log what each thread waits for by then.

    As safe as a power cut: what was acknowledged is in the spool, and what is to be sent in the outbox.

    Args:
        time_s: So long it may take to end by itself.
        leave: Ends the process.

    Returns:
        Call it when the process begins to end, from a signal's handler too; again, it changes nothing.
    """
    begun: SimpleQueue[None] = SimpleQueue()
    threading.Thread(target=_end, args=(begun, time_s, leave), name="tocsin-end", daemon=True).start()
    return lambda: begun.put(None)


def waiting() -> str:
    """Say where each other thread is at present: its name, and the way to where it waits."""
    frames = sys._current_frames()  # noqa: SLF001 - as documented, for this
    here = threading.get_ident()
    return "\n".join(
        f"{each.name}{'' if each.daemon else ' (is waited for)'}:\n{''.join(traceback.format_stack(frame)).rstrip()}"
        for each in threading.enumerate()
        if each.ident != here and (frame := frames.get(each.ident or 0)) is not None
    )


def _end(begun: "SimpleQueue[None]", time_s: float, leave: Callable[[int], object]) -> None:
    begun.get()
    if leave is os._exit:
        with contextlib.suppress(OSError, ValueError, RuntimeError):  # where there is no stderr
            faulthandler.dump_traceback_later(
                time_s + 2 * _SAY_S, exit=True
            )  # needs no interpreter, which may hang too
    time.sleep(time_s)
    said = f"expected to have ended within {time_s:g} s: ending at once. Its threads were at\n{waiting()}"
    saying = threading.Thread(target=_log.error, args=("%s", said), daemon=True)
    saying.start()
    saying.join(_SAY_S)
    leave(UNREACHABLE)
