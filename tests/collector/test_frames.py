"""The spool's bytes: whatever the disk hands back, exactly the whole requests are found in it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.collector.spooled import CONTENTS, FILE, encoded, frame

from tocsin_collector.spool.frames import (
    MARK_HEAD,
    Place,
    TornFrame,
    mark,
    read_mark,
    read_tail,
    read_varint,
    retry_key,
    segment_hash,
    varint,
)
from tocsin_collector.spool.walk import walk

BODIES = st.lists(st.binary(min_size=1, max_size=300), min_size=1, max_size=6)


@settings(deadline=None)
@given(st.integers(0, 2**64 - 1))
def test_varints_come_back(number: int) -> None:
    """Lengths and times are varints: one that changes on the way would tear every frame after it."""
    assert read_varint(varint(number), 0) == (number, len(varint(number)))


@settings(deadline=None)
@given(BODIES, st.text(max_size=20), st.integers(0, 2**63))
def test_frames_come_back_as_written(bodies: list[bytes], project: str, received_ns: int) -> None:
    """A replay must load what was acknowledged, under the project and time it came with."""
    frames = [frame(body, project, received_ns) for body in bodies]
    data = b"".join(encoded(frames))

    found = walk(data)

    assert [one.frame(data) for one in found.found] == frames
    assert [one.contents for one in found.found] == [CONTENTS] * len(frames)
    assert not found.gaps


@settings(deadline=None)
@given(BODIES, st.data())
def test_cut_file_keeps_every_whole_frame_before_the_cut(bodies: list[bytes], data: st.DataObject) -> None:
    """Kill -9 may stop a write at any byte: every whole request before it survives, and nothing else."""
    parts = encoded([frame(body) for body in bodies])
    whole = b"".join(parts)
    cut = data.draw(st.integers(0, len(whole)))
    ends = [sum(map(len, parts[: n + 1])) for n in range(len(parts))]

    found = walk(whole[:cut])

    assert [one.end for one in found.found] == [end for end in ends if end <= cut]
    assert sum(end - start for start, end in found.gaps) == cut - max((e for e in ends if e <= cut), default=0)


@settings(deadline=None)
@given(BODIES, st.data())
def test_flipped_bit_costs_at_most_its_own_frame(bodies: list[bytes], data: st.DataObject) -> None:
    """One bad bit of a disk must cost one request, not every one behind it."""
    parts = encoded([frame(body) for body in bodies])
    spoiled = bytearray(b"".join(parts))
    bit = data.draw(st.integers(0, len(spoiled) * 8 - 1))
    spoiled[bit // 8] ^= 1 << bit % 8
    ends = [sum(map(len, parts[: n + 1])) for n in range(len(parts))]
    hit = next(n for n, end in enumerate(ends) if bit // 8 < end)

    found = walk(bytes(spoiled), FILE)

    kept = [one.place.sequence for one in found.found if one.place]
    assert [n for n in range(len(bodies)) if n != hit] == [n for n in kept if n != hit]
    assert all(one.frame(spoiled).body == bodies[one.place.sequence] for one in found.found if one.place)


@settings(deadline=None)
@given(BODIES, st.binary(min_size=1, max_size=200))
def test_garbage_is_never_taken_for_a_frame(bodies: list[bytes], garbage: bytes) -> None:
    """A disk may hand back anything after a power loss: only bytes that match their digest are a request."""
    parts = encoded([frame(body) for body in bodies])

    found = walk(b"".join([*parts[:1], garbage, *parts[1:]]), FILE)

    assert [one.place.sequence for one in found.found if one.place] == list(range(len(bodies)))
    assert found.gaps


@settings(deadline=None)
@given(BODIES, st.data())
def test_frame_written_twice_is_found_once(bodies: list[bytes], data: st.DataObject) -> None:
    """A block that the disk duplicates must not double its spans."""
    parts = encoded([frame(body) for body in bodies])
    copied = data.draw(st.sampled_from(parts))
    at = data.draw(st.integers(0, len(parts)))

    found = walk(b"".join([*parts[:at], copied, *parts[at:]]), FILE)

    assert [one.place.sequence for one in found.found if one.place] == list(range(len(bodies)))


@settings(deadline=None, max_examples=200)
@given(st.binary(max_size=600))
def test_any_bytes_can_be_walked(data: bytes) -> None:
    """The collector starts whatever lies in its folder."""
    assert walk(data).found == []
    assert walk(MARK_HEAD + FILE + data, FILE).found == []


def test_frame_inside_a_request_is_not_a_request() -> None:
    """A sender who writes a whole frame of another project into its own must not have it found when the disk fails."""
    forged = b"".join(encoded([frame(b"forged", "victim")], file=b"guessed!"))
    parts = encoded([frame(b"first"), frame(forged + b"\x00" * 50), frame(b"last")])
    spoiled = bytearray(b"".join(parts))
    spoiled[len(parts[0]) + len(parts[1]) - 70] ^= 1

    found = walk(bytes(spoiled))

    assert [one.envelope.project for one in found.found] == ["p", "p"]


def test_changed_project_breaks_the_frame() -> None:
    """The digest proves the request's bytes alone: its project and time are proved by the mark."""
    part = b"".join(encoded([frame(b"body", "mine")]))

    found = walk(part.replace(b"mine", b"mind"))

    assert found.found == []
    assert found.gaps == [(0, len(part))]


def test_frame_of_a_version_without_marks_is_read() -> None:
    """A full spool must survive an upgrade from a version that wrote no marks."""
    one, other = frame(b"\x0a\x03abc", "p"), frame(b"", "")
    data = b"".join(varint(len(each.body + each.tail())) + each.body + each.tail() for each in (one, other))

    found = walk(data)

    assert [each.frame(data) for each in found.found] == [one, other]
    assert [each.place for each in found.found] == [None, None]


@settings(deadline=None)
@given(st.binary(max_size=40))
def test_mark_is_read_only_where_all_it_proves_is_unchanged(tail: bytes) -> None:
    """The mark carries the checksum of our fields before it."""
    whole = b"body" + tail + mark(Place(file=FILE, sequence=7), CONTENTS, 4, tail)

    read = read_mark(memoryview(whole), len(whole))

    assert read is not None
    assert (read.place.sequence, read.body_size, read.size) == (7, 4, len(whole))


@pytest.mark.parametrize("spoiled", [b"", b"\xca\xa9\x07\x01p", frame(b"").tail() + b"\x00\x00", b"\xff" * 20])
def test_fields_that_are_not_ours_as_we_write_them_are_refused(spoiled: bytes) -> None:
    """What cannot be written by us was changed on the way."""
    with pytest.raises(TornFrame):
        read_tail(spoiled)


def test_segment_is_named_by_its_content() -> None:
    """The name is the deduplication token: the same content must give the same, any other another."""
    envelopes = [frame(b"a").envelope, frame(b"b").envelope]

    assert segment_hash(envelopes) == segment_hash(list(envelopes))
    assert segment_hash(envelopes) != segment_hash(envelopes[::-1])
    assert segment_hash(envelopes) != segment_hash([frame(b"a", received_ns=2).envelope, envelopes[1]])


def test_retry_is_known_by_kind_bytes_and_project() -> None:
    """The same bytes for another project, or as another kind of message, are another request."""
    keys = {retry_key(kind, body, project) for kind in ("a", "b") for body in (b"x", b"y") for project in ("p", "q")}

    assert len(keys) == 8
