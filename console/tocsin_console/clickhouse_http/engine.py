"""The embedded engine behind the endpoint: one handle a query, judged, limited, streamed, and stopped when asked."""

import os
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

# chdb.connect's StreamingResult throws the last block away when it has no rows: it holds headers and totals.
from chdb import _chdb

from tocsin_console import sql_gate
from tocsin_console.clickhouse_http.exceptions import READONLY, TOO_MANY_ROWS_OR_BYTES, QueryFailed, from_engine
from tocsin_console.errors import SqlRefused

_connect: Final[Any] = _chdb.connect  # type: ignore[attr-defined]
_KILL_FOR_S: Final = 60.0  # on busy cores a question may be that long about to start
_KILL_PAUSES_S: Final = (0.05, 0.5)  # the first, and the longest
_KILL: Final = "KILL QUERY WHERE Settings['log_comment'] = {tag:String} ASYNC"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One statement that is to be run as it stands."""

    text: str  # without FORMAT
    format: str
    parameters: Mapping[str, str]
    settings: Mapping[str, str]
    is_streamed: bool
    max_bytes: int  # the engine counts a constant once, however often it is sent
    tag: str  # by which a running one is found again


@dataclass(slots=True)
class Progress:
    """What a query has read and given so far."""

    read_rows: int = 0
    read_bytes: int = 0
    result_rows: int = 0
    result_bytes: int = 0
    started_s: float = 0.0

    def elapsed_ns(self) -> int:
        """Say how long it has taken."""
        return int((time.monotonic() - self.started_s) * 1e9)


class Engine:
    """Answers questions from the store that this process holds open."""

    def __init__(self, path: Path, *, database: str) -> None:
        self._location = os.path.realpath(path)  # the engine compares locations as text
        self._database = database
        self._lock = threading.Lock()
        self._running: set[str] = set()

    def ask(self, question: Question) -> "Stream":
        """Judge a statement and start it; close what this returns.

        Raises:
            QueryFailed: it does more than read, or the engine refuses it.
        """
        with self._lock:
            self._running.add(question.tag)
        handle = None
        try:
            handle = self._open(question.settings, tag=question.tag)
            root = self._judge(handle, question)
        except BaseException:
            if handle is not None:
                handle.close()
            self._ended(question.tag)
            raise
        # The engine streams nothing else: SHOW, DESCRIBE and EXISTS answer with little anyway.
        streamed = question.is_streamed and root == "SelectWithUnionQuery"
        return Stream(handle, question, streamed=streamed, ended=self._ended)

    def cancel(self, tag: str) -> None:
        """End a running question, whatever it is doing; unknown ones are none of ours."""
        handle, until, pause_s = None, time.monotonic() + _KILL_FOR_S, _KILL_PAUSES_S[0]
        try:
            while time.monotonic() < until:  # it may be about to start
                with self._lock:
                    if tag not in self._running:
                        return
                handle = handle or _connect(self._location)
                if handle.query(_KILL, "TabSeparated", params={"tag": tag}).bytes():
                    return
                time.sleep(pause_s)
                pause_s = min(2 * pause_s, _KILL_PAUSES_S[1])
        except RuntimeError:  # it ended by itself
            return
        finally:
            if handle is not None:
                handle.close()

    def cancel_all(self) -> None:
        """End whatever runs."""
        with self._lock:
            tags = tuple(self._running)
        for tag in tags:
            self.cancel(tag)

    @property
    def running(self) -> int:
        """How many questions are being answered."""
        with self._lock:
            return len(self._running)

    def _ended(self, tag: str) -> None:
        with self._lock:
            self._running.discard(tag)

    def _open(self, settings: Mapping[str, str], *, tag: str) -> Any:
        handle = _connect(self._location)
        try:
            handle.query(f"USE `{self._database}`", "TabSeparated")
            chosen = {**settings, "log_comment": tag, "readonly": "1"}  # readonly last: nothing can be set after it
            handle.query(f"SET {', '.join(f'{name} = {_quoted(value)}' for name, value in chosen.items())}", "Null")
        except RuntimeError as error:
            handle.close()
            raise from_engine(str(error)) from error
        return handle

    def _judge(self, handle: Any, question: Question) -> str:
        """Judge a statement by the engine's own tree of it, and return the kind of its root."""
        try:
            text = sql_gate.first_check(question.text)
            try:
                tree = handle.query(f"EXPLAIN AST {text}", "TabSeparated", params=dict(question.parameters)).bytes()
            except RuntimeError as error:
                raise from_engine(str(error)) from error
            lines = tree.decode(errors="replace").rstrip("\n").split("\n")
            sql_gate.second_check(lines, database=self._database)
            sql_gate.refuse_format(lines)
        except SqlRefused as refusal:
            raise QueryFailed(READONLY, str(refusal)) from refusal
        return str(lines[0].partition(" ")[0])


class Stream:
    """A question's answer, block by block. One thread at a time."""

    def __init__(self, handle: Any, question: Question, *, streamed: bool, ended: Any) -> None:
        self._handle = handle
        self._question = question
        self._streamed = streamed
        self._ended = ended
        self._result: Any = None
        self.progress = Progress(started_s=time.monotonic())

    def blocks(self) -> Iterator[bytes]:
        """Give each block as the engine has it ready.

        Raises:
            QueryFailed: it failed, was cancelled, or went over a limit.
        """
        asked = self._question
        try:
            if not self._streamed:
                block = self._handle.query(asked.text, asked.format, params=dict(asked.parameters))
                yield self._counted(block)
                return
            self._result = self._handle.send_query(asked.text, asked.format, params=dict(asked.parameters))
            while True:
                block = self._handle.streaming_fetch_result(self._result)
                yield self._counted(block)
                if not block.rows_read():
                    self._result = None
                    return
        except RuntimeError as error:
            self._result = None
            raise from_engine(str(error)) from error

    def close(self) -> None:
        """Give the handle back; a stream that is not at its end is cancelled."""
        if self._handle is None:
            return
        with suppress(RuntimeError):
            if self._result is not None:
                self._handle.streaming_cancel_query(self._result)
        self._result = None
        self._handle.close()
        self._handle = None
        self._ended(self._question.tag)

    def _counted(self, block: Any) -> bytes:
        data: bytes = block.bytes()
        progress = self.progress
        progress.result_bytes += len(data)
        if progress.result_bytes > self._question.max_bytes:
            raise QueryFailed(
                TOO_MANY_ROWS_OR_BYTES,
                f"Limit for result exceeded, max bytes: {self._question.max_bytes}, current bytes: {progress.result_bytes}",
            )
        progress.result_rows += block.rows_read()
        progress.read_rows = max(progress.read_rows, block.storage_rows_read())
        progress.read_bytes = max(progress.read_bytes, block.storage_bytes_read())
        return data


def _quoted(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
