"""What lies in the spool's folder, read without touching it: while a collector runs, and when none does."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeAlias, get_args

from tocsin_collector.errors import RequestRejected
from tocsin_collector.load.decoder import Kind
from tocsin_collector.spool.contents import contents_of
from tocsin_collector.spool.recovery import examine
from tocsin_collector.spool.segments import OPEN, SEALED, Request, read_index

State: TypeAlias = Literal["open", "waiting", "copy", "damaged", "strange"]
_STATES: Final[dict[str, State]] = {OPEN: "open", SEALED: "waiting", ".copy": "copy"}
_BESIDE: Final = frozenset({".idx", ".new", ".newidx", ".try", ".part"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """One file of the spool."""

    kind: str
    file: str  # below the spool's folder
    state: State
    requests: int | None  # None: nothing says so
    items: int | None
    size_bytes: int
    age_s: float | None  # since the first of its requests was received


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What every frame of a file was found to be."""

    file: str
    requests: int  # whole
    items: int
    lost_requests: int
    lost_items: int
    uncounted: int  # lost requests of which nothing says how many items they held
    damaged_bytes: int
    torn_bytes: int  # of a write under way or cut short: never acknowledged
    problem: str  # why it could not be read

    @property
    def is_whole(self) -> bool:
        """Whether nothing that was acknowledged is missing."""
        return not (self.lost_requests or self.damaged_bytes or self.problem)


def look(spool: Path, *, now_ns: int) -> list[Waiting]:
    """List the files of a spool by their indexes, in order."""
    return [one for kind, path in _files(spool) if (one := _waiting(spool, kind, path, now_ns)) is not None]


def verify(spool: Path) -> list[Verified]:
    """Walk all frames of all segments; one that is loaded meanwhile is left out."""
    found = []
    for kind, path in _files(spool):
        if path.suffix in (OPEN, SEALED) and kind in get_args(Kind):
            with suppress(FileNotFoundError):
                found.append(_verified(spool, kind, path))
    return found


def whole_requests(kind: Kind, path: Path) -> list[Request]:
    """Take what is whole out of any file of frames: a segment, an archived one, damaged bytes.

    Raises:
        OSError: it cannot be read.
        RequestRejected: nothing in it is a frame of this kind.
    """
    requests = list(examine(kind, path, contents_of(kind)).requests)
    if not requests:
        raise RequestRejected(f"expected frames of {kind} in {path}, found none that is whole")
    return requests


def _files(spool: Path) -> Iterator[tuple[str, Path]]:
    if not spool.is_dir():
        return
    for folder in sorted(path for path in spool.iterdir() if path.is_dir()):
        for path in sorted(folder.iterdir()):
            if path.suffix not in _BESIDE:
                yield folder.name, path


def _waiting(spool: Path, kind: str, path: Path, now_ns: int) -> Waiting | None:
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        return None
    known = read_index(path) if path.suffix != ".copy" else None
    state = "damaged" if kind == "damaged" else _STATES.get(path.suffix, "strange")
    first_ns = min((record.received_ns for record in known.records), default=None) if known else None
    return Waiting(
        kind=kind,
        file=str(path.relative_to(spool)),
        state=state if path.is_file() else "strange",
        requests=known.slots if known else None,
        items=sum(record.items for record in known.records) if known else None,
        size_bytes=size,
        age_s=None if first_ns is None else max(0.0, (now_ns - first_ns) / 1e9),
    )


def _verified(spool: Path, kind: str, path: Path) -> Verified:
    name = str(path.relative_to(spool))
    chosen: Kind = next(each for each in get_args(Kind) if each == kind)
    try:
        examined = examine(chosen, path, contents_of(chosen))
    except FileNotFoundError:
        raise
    except OSError as error:
        return Verified(
            file=name,
            requests=0,
            items=0,
            lost_requests=0,
            lost_items=0,
            uncounted=0,
            damaged_bytes=0,
            torn_bytes=0,
            problem=error.strerror or str(error),
        )
    return Verified(
        file=name,
        requests=len(examined.requests),
        items=sum(one.contents.items for one in examined.requests),
        lost_requests=examined.damage.requests,
        lost_items=examined.damage.items,
        uncounted=examined.damage.uncounted,
        damaged_bytes=examined.damage.size_bytes,
        torn_bytes=examined.torn_bytes,
        problem="",
    )
