"""The folder of one kind's segments: what an earlier run left in it, and how a loaded segment leaves it."""

import logging
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

from tocsin_collector import index
from tocsin_collector.decoder import Kind
from tocsin_collector.mending import Mender
from tocsin_collector.recovery import trusted
from tocsin_collector.retry_log import RetryLog
from tocsin_collector.segments import OPEN, SEALED, Segment, read_index, sync_folder

_log = logging.getLogger(__name__)
_OURS: Final = re.compile(r"(\d{8,})\.(seg|open|idx)")
_DRAFTS: Final = (".new", ".newidx", ".try")


class SpoolFolder:
    """Opens whatever is in the folder; what is not the spool's is said and left alone."""

    def __init__(self, kind: Kind, folder: Path, mender: Mender, retries: RetryLog) -> None:
        self._kind = kind
        self._folder = folder
        self._mender = mender
        self._retries = retries
        self.strange: list[str] = []  # names that are not to be taken for a segment, or not to be read
        self.next_number = 1

    def recover(self, remember: Callable[[Iterable[bytes]], None]) -> Iterator[Segment]:
        """Give the segments that wait, in order, each made whole; `remember` is told the retry keys of each.

        Raises:
            StoreUnavailable: the store must be asked about a damaged one and does not answer.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        hashes: set[str] = set()
        for path in self._waiting():
            try:
                segment = self._open(path, remember)
            except OSError as error:
                self._say(path, f"cannot be read ({error.strerror or error}): it is left as it is")
                continue
            if segment is None:
                continue
            if segment.hash in hashes:
                self._say(segment.path, "is a copy of another segment: it is left out, and stays as .copy")
                segment.path.replace(segment.path.with_suffix(".copy"))
                segment.index_path.unlink(missing_ok=True)
                continue
            hashes.add(segment.hash)
            yield segment

    def leave(self, segment: Segment) -> None:
        """Remove a segment that is stored or set aside; its requests' retries stay known."""
        known = read_index(segment.path)
        if known is not None:
            self._retries.append(record.key for record in known.records)
        segment.path.unlink(missing_ok=True)
        segment.index_path.unlink(missing_ok=True)

    def _open(self, path: Path, remember: Callable[[Iterable[bytes]], None]) -> Segment | None:
        known = trusted(self._kind, path)
        if known is not None:
            segment, listed = known
            remember(record.key for record in listed.records)
            return segment
        taken = self._mender.take(self._kind, path)
        remember(taken.keys)
        return taken.segment

    def _waiting(self) -> list[Path]:
        """Sort out what is in the folder: finish or drop what was being written, name what is not ours."""
        found: dict[int, dict[str, Path]] = {}
        for path in sorted(self._folder.iterdir()):
            ours = _OURS.fullmatch(path.name)
            if path.suffix in _DRAFTS:
                path.unlink()
            elif ours is None:
                if path.suffix != ".copy":
                    self._say(path, "is not a segment's name: it is left as it is")
            else:
                found.setdefault(int(ours[1]), {})[path.suffix] = path
        self.next_number = max(found, default=0) + 1
        waiting = []
        for _, paths in sorted(found.items()):
            if SEALED in paths and OPEN in paths:  # sealed anew without what was damaged, and then interrupted
                paths.pop(OPEN).unlink()
            if SEALED not in paths and OPEN not in paths:  # its segment was loaded
                paths[index.SUFFIX].unlink()
                continue
            waiting.append(paths.get(SEALED) or paths[OPEN])
        sync_folder(self._folder)
        return waiting

    def _say(self, path: Path, what: str) -> None:
        self.strange.append(path.name)
        _log.warning("%s %s", path, what)
