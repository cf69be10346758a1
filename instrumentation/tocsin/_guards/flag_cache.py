"""The last known flags on disk, so that a service that restarts while tocsin is down knows that its model was tripped."""

import contextlib
import json
import os
from pathlib import Path
from typing import Final

from tocsin._guards.flags import Flags, read_flags
from tocsin._process.boundary import MISHAPS

_MOST_BYTES: Final = 4 * 1024 * 1024  # what gRPC takes in one message


class FlagCache:
    """One file, replaced whole; workers of one service may share it, since all are told the same."""

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)
        self._written: object = None

    def read(self) -> Flags | None:
        """Read what was last heard; None when there is nothing that can be read."""
        try:
            with self._path.open("rb") as file:
                return read_flags(file.read(_MOST_BYTES).decode())
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            MISHAPS.note("guard.cache", error)
            return None

    def write(self, configuration: str) -> None:
        """Keep what was just heard, where it says something else than before.

        Raises:
            OSError: the folder cannot be written.
        """
        said = json.loads(configuration).get("flags")
        for flag in (said or {}).values():
            flag.get("metadata", {}).pop("evaluated_through", None)  # moves on with every evaluation
        if said == self._written:
            return
        beside = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            beside.write_text(configuration, encoding="utf-8")
            beside.replace(self._path)
        except OSError:
            with contextlib.suppress(OSError):
                beside.unlink()
            raise
        self._written = said
