"""The folder of one kind's segments: what an earlier run left in it, and how a loaded segment leaves it."""

import logging
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from tocsin_collector.load.decoder import Kind
from tocsin_collector.receive.retry_log import RetryLog
from tocsin_collector.spool import index
from tocsin_collector.spool.mending import Mender
from tocsin_collector.spool.recovery import trusted
from tocsin_collector.spool.segments import (
    OPEN,
    SEALED,
    Request,
    Segment,
    of_seal,
    read_index,
    rewrite,
    sum_up,
    sync_folder,
    write_requests,
)

_log = logging.getLogger(__name__)
_OURS: Final = re.compile(r"(\d{8,})\.(seg|open|idx)")
_PART: Final = ".part"
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

    def recover(self, remember: Callable[[Iterable[bytes]], None], *, most_keys: int) -> Iterator[Segment]:
        """Give the segments that wait, in order, each made whole.

        Args:
            remember: Is told the retry keys of their requests.
            most_keys: So many are enough; the latest are told.

        Raises:
            StoreUnavailable: the store must be asked about a damaged one and does not answer.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        hashes: set[str] = set()
        unread: list[Path] = []  # trusted by their indexes' ends alone
        waiting = self._waiting()
        for part in sorted(self._folder.glob(f"*{_PART}")):
            if self._is_undivided(waiting, part.suffixes[0][1:]):
                part.unlink()
            else:
                waiting.append(part.rename(self._second(part)))
                self.next_number = max(self.next_number, int(part.name.split(".")[0]) + 1)
        for path in waiting:
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
            unread += [] if segment.is_proven else [segment.path]
            yield segment
        self._tell(unread, remember, most_keys)

    @staticmethod
    def _tell(paths: Sequence[Path], remember: Callable[[Iterable[bytes]], None], most: int) -> None:
        told: list[list[bytes]] = []
        while paths and sum(map(len, told)) < most:
            known = read_index(paths[-1])
            told.append([record.key for record in known.records] if known else [])
            paths = paths[:-1]
        for keys in reversed(told):
            remember(keys)

    def add(self, number: int, requests: Sequence[Request]) -> Segment:
        """Write a segment of its own, whole or not at all.

        Raises:
            OSError: nothing was added.
        """
        return rewrite(self._kind, self._folder / f"{number:08d}{SEALED}", requests)

    def split(self, segment: Segment, requests: Sequence[Request], number: int) -> tuple[Segment, Segment]:
        """Make two segments of one; killed anywhere on the way, it is still the one, or the two.

        Raises:
            OSError: it is still the one.
        """
        middle = len(requests) // 2
        waiting = self._folder / f"{number:08d}.{segment.hash}{_PART}"
        write_requests(waiting, requests[middle:])
        first = rewrite(self._kind, segment.path, requests[:middle])  # from here on it is two
        second = of_seal(
            self._kind, self._second(waiting), sum_up(requests[middle:], waiting.stat().st_size), is_proven=True
        )
        waiting.rename(second.path)
        sync_folder(self._folder)
        return first, second

    @staticmethod
    def _second(waiting: Path) -> Path:
        return waiting.with_name(waiting.name.split(".")[0] + SEALED)

    def leave(self, segment: Segment) -> None:
        """Remove a segment that is stored or set aside; its requests' retries stay known."""
        known = read_index(segment.path)
        if known is not None:
            self._retries.append(record.key for record in known.records)
        segment.path.unlink(missing_ok=True)
        segment.index_path.unlink(missing_ok=True)

    def _is_undivided(self, waiting: Iterable[Path], whole: str) -> bool:
        """Whether the segment that was to be split is still there, whole."""
        known = (read_index(path) for path in waiting)
        return any(one is not None and one.seal is not None and one.seal.hash == whole for one in known)

    def _open(self, path: Path, remember: Callable[[Iterable[bytes]], None]) -> Segment | None:
        segment = trusted(self._kind, path)
        if segment is not None:
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
                if path.suffix not in (".copy", _PART):
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


class Shelves:
    """The folders of all kinds, as the loader leaves them behind."""

    def __init__(self, reserve: Callable[[Kind], int], added: Callable[[Segment], None]) -> None:
        self._folders: dict[Kind, SpoolFolder] = {}
        self._reserve = reserve  # a number that nothing else takes
        self._added = added  # told of a segment that is new to the folder

    def put_up(self, kind: Kind, folder: SpoolFolder) -> SpoolFolder:
        """Add a folder."""
        self._folders[kind] = folder
        return folder

    def leave(self, segment: Segment) -> None:
        """As :meth:`SpoolFolder.leave`."""
        self._folders[segment.kind].leave(segment)

    def split(self, segment: Segment, requests: Sequence[Request]) -> Sequence[Segment]:
        """As :meth:`SpoolFolder.split`."""
        halves = self._folders[segment.kind].split(segment, requests, self._reserve(segment.kind))
        self._added(halves[1])
        return halves

    def add(self, kind: Kind, requests: Sequence[Request]) -> Segment:
        """As :meth:`SpoolFolder.add`."""
        segment = self._folders[kind].add(self._reserve(kind), requests)
        self._added(segment)
        return segment
