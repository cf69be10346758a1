"""A file of the spool as a broken disk hands it back: what is lost is what is damaged, counted exactly."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.collector.spooled import CONTENTS, encoded, frame, requests, spool_file

from tocsin_collector.receive.retry_log import RetryLog
from tocsin_collector.spool import index
from tocsin_collector.spool.damaged import DamagedFolder
from tocsin_collector.spool.frames import Contents, Frame, varint
from tocsin_collector.spool.index import Index
from tocsin_collector.spool.recovery import Damage, Examined, examine, make_whole, trusted
from tocsin_collector.spool.segments import Segment, read, read_index
from tocsin_collector.spool.walk import Found, walk

BODIES = [bytes([65 + n]) * (40 + n) for n in range(8)]
SEALED, OPEN = "00000001.seg", "00000001.open"


def one_item(_: Frame) -> Contents:
    """Count a request as one item."""
    return Contents(items=1, last_end_ns=0)


def mended(path: Path) -> tuple[Examined, Segment | None]:
    """Examine a file and make it whole."""
    examined = examine("traces", path, one_item)
    folder = DamagedFolder(path.parent / "damaged", max_bytes=10_000)
    return examined, make_whole("traces", path, examined, folder)


def spoil(path: Path, change: Callable[[bytes], bytes]) -> None:
    """Change a file's bytes."""
    path.write_bytes(change(path.read_bytes()))


def test_untouched_file_is_trusted_by_its_index(tmp_path: Path) -> None:
    """A restart with gigabytes waiting reads the indexes, not the spans."""
    written = spool_file(tmp_path / SEALED, BODIES)

    segment = trusted("traces", tmp_path / SEALED)
    listed = read_index(tmp_path / SEALED)

    assert segment is not None
    assert listed is not None
    assert (segment.requests, segment.items, segment.is_proven) == (8, 24, False)
    assert [record.key for record in listed.records] == [one.key for one in written]
    assert examine("traces", tmp_path / SEALED, one_item).written_hash == segment.hash


def test_flipped_bit_in_the_middle_costs_one_request(tmp_path: Path) -> None:
    """Every later frame of the file used to be cut off with it."""
    spool_file(tmp_path / SEALED, BODIES)
    spoil(tmp_path / SEALED, lambda data: data.replace(b"DDDD", b"DDDd", 1))

    examined, segment = mended(tmp_path / SEALED)

    assert examined.damage == Damage(requests=1, items=3, uncounted=0, size_bytes=examined.damage.size_bytes)
    assert segment is not None
    assert [one.body for one in read(segment.path)] == [*BODIES[:3], *BODIES[4:]]
    assert b"DDDd" in b"".join(path.read_bytes() for path in (tmp_path / "damaged").iterdir())
    assert trusted("traces", segment.path) is not None


@pytest.mark.parametrize("name", [SEALED, OPEN])
def test_frames_wholly_overwritten_are_counted_by_the_index(tmp_path: Path, name: str) -> None:
    """A zeroed block leaves nothing to count: the index knows how many requests and spans there were."""
    spool_file(tmp_path / name, BODIES)
    spoil(tmp_path / name, lambda data: bytes(len(data)))

    examined, segment = mended(tmp_path / name)

    assert (examined.damage.requests, examined.damage.items, examined.damage.uncounted) == (8, 24, 0)
    assert segment is None
    assert not list(tmp_path.glob("0*"))


def test_missing_index_leaves_the_marks_to_count(tmp_path: Path) -> None:
    """After a power loss the index may be gone: the frames number themselves."""
    spool_file(tmp_path / SEALED, BODIES)
    (tmp_path / "00000001.idx").unlink()
    ends = [one.body_size + one.body for one in examine_walk(tmp_path / SEALED)]
    spoil(tmp_path / SEALED, lambda data: data[: ends[1]] + bytes(ends[3] - ends[1]) + data[ends[3] :])

    examined, segment = mended(tmp_path / SEALED)

    assert examined.damage.requests == 3
    assert (examined.damage.items, examined.damage.uncounted) == (3, 2)  # one is known by its mark
    assert segment is not None
    assert read(segment.path)[0].body == BODIES[0]


def test_sealed_file_cut_short_without_an_index_lost_at_least_one(tmp_path: Path) -> None:
    """A sealed file was acknowledged to its end: a torn tail of it is a loss, and is said to be one."""
    spool_file(tmp_path / SEALED, BODIES)
    (tmp_path / "00000001.idx").unlink()
    spoil(tmp_path / SEALED, lambda data: data[:-10])

    examined, _ = mended(tmp_path / SEALED)

    assert (examined.damage.requests, examined.damage.uncounted) == (1, 1)


@pytest.mark.parametrize("name", [SEALED, OPEN])
def test_loss_without_a_damaged_byte_is_counted_once(tmp_path: Path, name: str) -> None:
    """Cut exactly between two frames, nothing in the file is broken: its index must not say the loss at every start."""
    spool_file(tmp_path / name, BODIES)
    spoil(tmp_path / name, lambda data: data[: examine_walk(tmp_path / name)[2].end])

    examined, segment = mended(tmp_path / name)

    assert (examined.damage.requests, examined.damage.items, examined.gaps) == (5, 15, [])
    assert segment is not None
    assert trusted("traces", segment.path) is not None
    assert not examine("traces", segment.path, one_item).damage
    listed = read_index(segment.path)
    assert listed is not None
    assert len(listed.records) == 3  # a retry of what is lost is no duplicate


def test_torn_tail_of_an_open_file_is_no_damage(tmp_path: Path) -> None:
    """A write that a kill cut short was never acknowledged: nothing was lost."""
    spool_file(tmp_path / OPEN, BODIES)
    extra = encoded([frame(b"unacknowledged" * 9)])[0]
    spoil(tmp_path / OPEN, lambda data: data + extra[:50])

    examined, segment = mended(tmp_path / OPEN)

    assert not examined.damage
    assert examined.torn_bytes == 50
    assert segment is not None
    assert segment.requests == 8
    assert trusted("traces", segment.path) is not None


def test_swapped_files_lose_nothing(tmp_path: Path) -> None:
    """An operator's mv may give two segments each other's name: each file names itself."""
    first, second = tmp_path / SEALED, tmp_path / "00000002.seg"
    spool_file(first, BODIES[:3])
    spool_file(second, BODIES[3:6])
    one, other = first.read_bytes(), second.read_bytes()
    first.write_bytes(other)
    second.write_bytes(one)

    found = [mended(path) for path in (first, second)]

    assert [trusted("traces", path) for path in (first, second)] == [None, None]
    assert all(segment and not examined.damage for examined, segment in found)
    assert [one.body for path in (first, second) for one in read(path)] == [*BODIES[3:6], *BODIES[:3]]


def test_unmarked_file_of_an_older_version_is_taken(tmp_path: Path) -> None:
    """An upgrade with a full spool: what the version before wrote is loaded, its torn tail cut off."""
    frames = [frame(body) for body in BODIES]
    whole = b"".join(varint(len(one.body + one.tail())) + one.body + one.tail() for one in frames)
    (tmp_path / OPEN).write_bytes(whole + b"\x80\x01torn")

    examined, segment = mended(tmp_path / OPEN)

    assert [one.frame for one in examined.requests] == frames
    assert (examined.torn_bytes, bool(examined.damage)) == (6, False)
    assert segment is not None
    assert segment.items == 8


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150)
@given(data=st.data())
def test_lost_is_damaged_exactly(tmp_path: Path, data: st.DataObject) -> None:
    """Whatever is done to a file with a whole index: what is not found was touched, and every one of it is counted."""
    path = tmp_path / SEALED
    path.unlink(missing_ok=True)
    spool_file(path, BODIES)
    whole = path.read_bytes()
    spoiled, touched = damage(whole, [one.end for one in examine_walk(path)], data)
    path.write_bytes(spoiled)

    examined, segment = mended(path)

    kept = {one.frame.body for one in examined.requests}
    assert kept <= set(BODIES)
    assert len(kept) == len(examined.requests) == 8 - examined.damage.requests
    assert examined.damage.items == 3 * examined.damage.requests
    assert {BODIES.index(body) for body in set(BODIES) - kept} <= touched
    if segment is not None:
        again = examine("traces", segment.path, one_item)
        assert [one.frame for one in again.requests] == [one.frame for one in examined.requests]
        assert not again.damage


def damage(whole: bytes, ends: list[int], data: st.DataObject) -> tuple[bytes, set[int]]:
    """Damage a file one way or another; say which frames were touched."""
    start = data.draw(st.integers(0, len(whole) - 1))
    end = data.draw(st.integers(start + 1, min(len(whole), start + 200)))
    touched = {n for n, (a, b) in enumerate(zip([0, *ends], ends, strict=False)) if a < end and b > start}
    match data.draw(st.sampled_from(["flip", "zero", "cut", "copy", "overwrite", "remove"])):
        case "flip":
            spoiled = bytearray(whole)
            spoiled[start] ^= 1 << data.draw(st.integers(0, 7))
            return bytes(spoiled), touched
        case "zero":
            return whole[:start] + bytes(end - start) + whole[end:], touched
        case "cut":
            return whole[:start], {n for n, b in enumerate(ends) if b > start}
        case "copy":
            at = data.draw(st.integers(0, len(whole)))
            hit = {n for n, (a, b) in enumerate(zip([0, *ends], ends, strict=False)) if a < at < b}
            return whole[:at] + whole[start:end] + whole[at:], hit
        case "remove":
            return whole[:start] + whole[end:], touched
        case _:
            block = whole[start:end]
            at = data.draw(st.integers(0, len(whole) - len(block)))
            hit = {n for n, (a, b) in enumerate(zip([0, *ends], ends, strict=False)) if a < at + len(block) and b > at}
            return whole[:at] + block + whole[at + len(block) :], hit


@settings(deadline=None, max_examples=300)
@given(data=st.data())
def test_damaged_index_never_invents_a_loss(data: st.DataObject) -> None:
    """The index is believed only where its checksums hold."""
    listed = requests(BODIES)
    records = [
        index.Record(sequence=n, offset=n, size=1, items=3, received_ns=n, last_end_ns=0, key=one.key)
        for n, one in enumerate(listed)
    ]
    whole = index.head(b"12345678") + index.records(records)
    spoiled = bytearray(whole)
    spoiled[data.draw(st.integers(0, len(whole) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    cut = data.draw(st.integers(0, len(whole)))

    for damaged in (bytes(spoiled), whole[:cut]):
        known = index.read(damaged)
        assert known is None or known.slots <= 8
        assert known is None or all(record in records for record in known.records)


def test_index_says_what_was_written(tmp_path: Path) -> None:
    """Its records and its seal come back as written."""
    spool_file(tmp_path / SEALED, BODIES)

    known = read_index(tmp_path / SEALED)

    assert isinstance(known, Index)
    assert known.seal is not None
    assert known.items() == dict.fromkeys(range(8), CONTENTS.items)
    assert known.records[-1].offset + known.records[-1].size == known.seal.size_bytes


def test_damaged_folder_is_bounded(tmp_path: Path) -> None:
    """A disk that fails for weeks must not fill up with what it broke."""
    source = tmp_path / "00000001.seg"
    source.write_bytes(b"x" * 100)
    folder = DamagedFolder(tmp_path / "damaged", max_bytes=250)

    for start in range(5):
        folder.keep("traces", source, start, start + 90)

    assert sum(path.stat().st_size for path in folder.files()) <= 250
    assert len(folder.files()) == 2


def test_retry_log_remembers_and_forgets_the_oldest(tmp_path: Path) -> None:
    """It holds the last keys over a restart, also after a write that a kill cut short, and stays small."""
    log = RetryLog(tmp_path / "recent.log", kept=10)
    keys = [n.to_bytes(16) for n in range(35)]

    for key in keys[:34]:
        log.append([key])
    with (tmp_path / "recent.log").open("ab") as file:
        file.write(b"torn")
    log.append(keys[34:])

    assert log.read() == keys[20:]
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 20 * 20


def examine_walk(path: Path) -> list[Found]:
    """List the frames of a whole file."""
    return walk(path.read_bytes()).found
