"""A spool whose disk flips bits, cuts, zeroes, copies and swaps: it always starts, and what is lost is what is damaged."""

import random
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Literal

from _faults.contract import Fault, FaultResult, Scale
from tocsin_collector.load.tally import Tally
from tocsin_collector.receive.retry_log import RetryLog
from tocsin_collector.spool import index
from tocsin_collector.spool.damaged import DamagedFolder
from tocsin_collector.spool.frames import FILE_BYTES, Contents, Envelope, Frame, digest, retry_key
from tocsin_collector.spool.mending import Mender
from tocsin_collector.spool.segments import SEALED, Request, read, write_requests
from tocsin_collector.spool.spool_folder import SpoolFolder

_FILES: Final = (1, 4)  # of a spool
_REQUESTS: Final = (1, 7)  # of a file
_BYTES: Final = (1, 1500)  # of a request


@dataclass(slots=True)
class _Untouched:
    """Books of a store that was never asked to load any of this."""

    def stored_before(self, *_said: object) -> Literal["none", "some", "all"]:
        return "none"

    def set_aside(self, *said: object) -> None:
        raise AssertionError(f"nothing of this was stored, and yet it was set aside: {said}")

    def write_damage(self, *_said: object) -> None:
        return None


@dataclass(frozen=True, slots=True)
class _Spool:
    """A spool as it was written: where each request stands."""

    folder: Path
    at: Mapping[bytes, tuple[Path, int, int]]  # body -> file, first byte, byte after the last

    def touched(self, path: Path, start: int, end: int) -> set[bytes]:
        return {body for body, (file, a, b) in self.at.items() if file == path and a < end and b > start}


Damage = Callable[[_Spool, random.Random], set[bytes]]  # says which requests it touched


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One damaged spool, started over: what came of it."""

    lost: int
    untouched_lost: int
    requests_wrong: int  # more of them are lost than were counted as damaged; below 0: fewer
    items_wrong: int
    duplicates: int
    seconds: float

    @property
    def missing(self) -> int:
        """How far what is lost is from what was damaged and counted."""
        return self.untouched_lost + abs(self.requests_wrong) + abs(self.items_wrong)


def spool_damage(scale: Scale, seed: int) -> FaultResult:
    """Damage small spools one way each, start over them, and compare what is loaded with what was written."""
    rounds = scale.pick(full=10_000, short=60)
    missing = duplicates = crashes = lost = undercounted = 0
    slowest = 0.0
    names = list(_DAMAGES)
    with tempfile.TemporaryDirectory(prefix="tocsin-spool-") as place:
        for number in range(rounds):
            name, own_seed = names[number % len(names)], seed * 1_000_000 + number
            folder = Path(place) / str(number)
            try:
                one = round_of(folder, name, own_seed)
            except Exception as error:  # noqa: BLE001 - the fault is that it does not start
                print(f"round {number}, {name}, seed {own_seed}: {error!r}", flush=True)
                crashes += 1
                continue
            finally:
                shutil.rmtree(folder, ignore_errors=True)
            slowest = max(slowest, one.seconds)
            duplicates += one.duplicates
            lost += one.lost
            missed = one.missing
            if name == "both":
                undercounted += one.requests_wrong
                missed = one.untouched_lost
            missing += missed
            if missed or one.duplicates:
                print(f"round {number}, {name}, seed {own_seed}: {one}", flush=True)
    return FaultResult(
        missing=missing,
        duplicates=duplicates,
        crashes=crashes,
        counters={
            "rounds": rounds,
            "requests_damaged": lost,
            # Without a whole index, frames that left no mark at the end of a file cannot be counted.
            "undercounted_without_index": undercounted,
            "slowest_start_s": slowest,
        },
    )


def round_of(place: Path, name: str, seed: int) -> Round:
    """Run one round; the same name and seed are the same bytes, so that what a run prints can be looked at alone."""
    chosen = random.Random(seed)
    folder = place / "traces"
    spool = _written(folder, chosen)
    touched = _DAMAGES[name](spool, chosen)
    began = time.perf_counter()
    loaded, counted, items = _started(folder)
    gone = set(spool.at) - set(loaded)
    return Round(
        lost=len(gone),
        untouched_lost=len(gone - touched),
        requests_wrong=len(gone) - counted,
        items_wrong=3 * len(gone) - items,
        duplicates=len(loaded) - len(set(loaded)) + len(set(loaded) - set(spool.at)),
        seconds=time.perf_counter() - began,
    )


def _written(folder: Path, chosen: random.Random) -> _Spool:
    folder.mkdir(parents=True)
    at: dict[bytes, tuple[Path, int, int]] = {}
    for number in range(1, chosen.randint(*_FILES) + 1):
        requests = [_request(chosen, number * 100 + n) for n in range(chosen.randint(*_REQUESTS))]
        path = folder / f"{number:08d}{SEALED}"
        listed = write_requests(path, requests, file=chosen.randbytes(FILE_BYTES))
        path.with_suffix(index.SUFFIX).write_bytes(listed)
        known = index.read(listed)
        if known is None:
            raise AssertionError(f"expected an index beside {path}")
        for one, record in zip(requests, known.records, strict=True):
            at[one.frame.body] = (path, record.offset, record.offset + record.size)
    return _Spool(folder, at)


def _request(chosen: random.Random, received_ns: int) -> Request:
    body = received_ns.to_bytes(8) + chosen.randbytes(chosen.randint(*_BYTES))
    frame = Frame(body=body, envelope=Envelope(project="p", received_ns=received_ns, digest=digest(body)))
    return Request(
        frame=frame, contents=Contents(items=3, last_end_ns=0), key=retry_key("traces", frame.envelope.digest, "p")
    )


def _started(folder: Path) -> tuple[Sequence[bytes], int, int]:
    """Start over a spool and take what would be loaded; say how many requests and items were counted as damaged."""
    tally = Tally()
    books: Any = _Untouched()
    damaged = DamagedFolder(folder.parent / "damaged", max_bytes=1 << 20)
    mender = Mender(books, tally, damaged, prove_after_s=0)
    shelf = SpoolFolder("traces", folder, mender, RetryLog(folder.parent / "recent.log", kept=1000))
    loaded: list[bytes] = []
    for segment in list(shelf.recover(list, most_keys=1000)):
        tally.count("traces", "received", requests=segment.requests, items=segment.items)
        proved = mender.prove(segment)
        if proved is not None:
            loaded += [frame.body for frame in read(proved.path)]
            tally.count("traces", "stored", requests=proved.requests, items=proved.items)
            shelf.leave(proved)
    stats = tally.snapshot()
    if stats.waiting_requests or stats.waiting_spans or stats.damaged_spans > 3 * stats.damaged_requests:
        raise AssertionError(f"the books do not balance: {stats}")
    return loaded, stats.damaged_requests, stats.damaged_spans


def _one(spool: _Spool, chosen: random.Random, suffix: str = SEALED) -> tuple[Path, bytearray]:
    path = chosen.choice(sorted(spool.folder.glob(f"*{suffix}")))
    return path, bytearray(path.read_bytes())


def _block(data: bytes | bytearray, chosen: random.Random) -> tuple[int, int]:
    start = chosen.randrange(len(data))
    return start, min(len(data), start + chosen.choice((1, 64, 512, 4096)))


def _flip(spool: _Spool, chosen: random.Random) -> set[bytes]:
    path, data = _one(spool, chosen)
    touched: set[bytes] = set()
    for _ in range(chosen.randint(1, 3)):
        at = chosen.randrange(len(data))
        data[at] ^= 1 << chosen.randrange(8)
        touched |= spool.touched(path, at, at + 1)
    path.write_bytes(data)
    return touched


def _cut(spool: _Spool, chosen: random.Random) -> set[bytes]:
    path, data = _one(spool, chosen)
    at = chosen.randrange(len(data) + 1)
    path.write_bytes(data[:at])
    return spool.touched(path, at, len(data))


def _zero(spool: _Spool, chosen: random.Random) -> set[bytes]:
    path, data = _one(spool, chosen)
    start, end = _block(data, chosen)
    data[start:end] = bytes(end - start)
    path.write_bytes(data)
    return spool.touched(path, start, end)


def _copy(spool: _Spool, chosen: random.Random) -> set[bytes]:
    """Write a block a second time, between the others."""
    path, data = _one(spool, chosen)
    start, end = _block(data, chosen)
    at = chosen.randrange(len(data) + 1)
    path.write_bytes(data[:at] + data[start:end] + data[at:])
    return spool.touched(path, at, at + 1)


def _overwrite(spool: _Spool, chosen: random.Random) -> set[bytes]:
    """Write a block over another, of whichever file."""
    path, data = _one(spool, chosen)
    _, other = _one(spool, chosen)
    start, end = _block(other, chosen)
    at = chosen.randrange(len(data))
    block = other[start:end][: len(data) - at]
    data[at : at + len(block)] = block
    path.write_bytes(data)
    return spool.touched(path, at, at + len(block))


def _index(spool: _Spool, chosen: random.Random) -> set[bytes]:
    """Damage an index alone: nothing may be lost."""
    path, data = _one(spool, chosen, index.SUFFIX)
    match chosen.randrange(4):
        case 0:
            path.unlink()
        case 1:
            path.write_bytes(data[: chosen.randrange(len(data))])
        case 2:
            data[chosen.randrange(len(data))] ^= 1 << chosen.randrange(8)
            path.write_bytes(data)
        case _:
            start, end = _block(data, chosen)
            path.write_bytes(data[:start] + bytes(end - start) + data[end:])
    return set()


def _swap(spool: _Spool, chosen: random.Random) -> set[bytes]:
    """Give two files each other's name, with or without their indexes: nothing may be lost."""
    one, other = (chosen.choice(sorted(spool.folder.glob(f"*{SEALED}"))) for _ in range(2))
    for suffix in chosen.choice(((SEALED,), (SEALED, index.SUFFIX), (index.SUFFIX,))):
        a, b = one.with_suffix(suffix), other.with_suffix(suffix)
        first, second = a.read_bytes(), b.read_bytes()
        a.write_bytes(second)
        b.write_bytes(first)
    return set()


def _both(spool: _Spool, chosen: random.Random) -> set[bytes]:
    """Damage a file and every index: nothing else may be lost, though not all of it can be counted."""
    for path in spool.folder.glob(f"*{index.SUFFIX}"):
        path.unlink()
    return chosen.choice((_flip, _cut, _zero))(spool, chosen)


def _strange(spool: _Spool, chosen: random.Random) -> set[bytes]:
    """Leave things in the folder that are not the spool's."""
    (spool.folder / "00000050.seg").mkdir()
    (spool.folder / "00000051.open").touch()
    (spool.folder / "notes.txt").write_text("mine")
    (spool.folder / "00000052.idx").write_bytes(chosen.randbytes(300))
    (spool.folder / "00000053.seg").write_bytes(b"")
    return set()


_DAMAGES: Final[Mapping[str, Damage]] = MappingProxyType(
    {
        "flip": _flip,
        "cut": _cut,
        "zero": _zero,
        "copy": _copy,
        "overwrite": _overwrite,
        "index": _index,
        "swap": _swap,
        "both": _both,
        "strange": _strange,
    }
)
FAULTS: Mapping[str, Fault] = MappingProxyType({"spool_damage": spool_damage})
