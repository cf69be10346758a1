"""The spool's bytes: whatever a crash leaves, exactly the whole requests come back."""

from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.collector.sending import trace_request

from tocsin_collector.contents import contents_of
from tocsin_collector.frames import Envelope, Frame, digest, read_frames, read_varint, segment_hash, varint
from tocsin_collector.segments import Contents, recover

BODIES = st.lists(st.sampled_from([trace_request(n, number=n).SerializeToString() for n in range(1, 5)]), max_size=5)


def frame(body: bytes, project: str = "p", received_ns: int = 1) -> Frame:
    """Make a frame as the intake does."""
    return Frame(body=body, envelope=Envelope(project=project, received_ns=received_ns, digest=digest(body)))


def one_item(_: Frame) -> Contents:
    """Count a request as one item."""
    return Contents(items=1, last_end_ns=0)


@given(st.integers(0, 2**64 - 1))
def test_varints_come_back(number: int) -> None:
    """Lengths and times are varints: one that changes on the way would tear every frame after it."""
    assert read_varint(varint(number), 0) == (number, len(varint(number)))


@given(BODIES, st.text(max_size=20), st.integers(0, 2**63))
def test_frames_come_back_as_written(bodies: list[bytes], project: str, received_ns: int) -> None:
    """A replay must load what was acknowledged, under the project and time it came with."""
    frames = [frame(body, project, received_ns) for body in bodies]

    data = b"".join(part for one in frames for part in one.encode())

    assert [found for found, _ in read_frames(data)] == frames


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(bodies=BODIES, data=st.data())
def test_torn_tail_is_cut_at_the_last_whole_frame(tmp_path: Path, bodies: list[bytes], data: st.DataObject) -> None:
    """Kill -9 may stop a write at any byte: every whole request before it survives, and nothing else."""
    encoded = [b"".join(frame(body).encode()) for body in bodies]
    whole = b"".join(encoded)
    cut = data.draw(st.integers(0, len(whole)))
    path = tmp_path / "00000001.open"
    path.write_bytes(whole[:cut])
    ends = [sum(map(len, encoded[: n + 1])) for n in range(len(encoded))]
    expected = sum(end <= cut for end in ends)

    recovered = recover("traces", path, contents_of("traces"))

    kept = ends[expected - 1] if expected else 0
    assert [one.body for one in recovered.frames] == bodies[:expected]
    assert recovered.torn_bytes == cut - kept
    assert (recovered.segment is None) == (expected == 0)
    if recovered.segment:
        assert recovered.segment.path.read_bytes() == whole[:kept]
        recovered.segment.path.unlink()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(garbage=st.binary(min_size=1, max_size=200))
def test_garbage_after_a_frame_is_never_taken_for_one(tmp_path: Path, garbage: bytes) -> None:
    """A disk may hand back anything after a power loss: only bytes that match their digest are a request."""
    good = b"".join(frame(b"\x0a\x00").encode())
    path = tmp_path / "00000001.open"
    path.write_bytes(good + garbage)

    recovered = recover("traces", path, one_item)

    assert len(recovered.frames) == 1
    assert recovered.torn_bytes == len(garbage)
    (tmp_path / "00000001.seg").unlink()


def test_flipped_byte_ends_the_file_there(tmp_path: Path) -> None:
    """A frame that was changed on disk is no longer what the sender sent: it must not be loaded as if it were."""
    first, second = (b"".join(frame(trace_request(1, number=n).SerializeToString()).encode()) for n in (1, 2))
    spoiled = bytearray(first + second)
    spoiled[len(first) + 40] ^= 1
    path = tmp_path / "00000001.open"
    path.write_bytes(spoiled)

    recovered = recover("traces", path, contents_of("traces"))

    assert len(recovered.frames) == 1
    assert recovered.torn_bytes == len(second)


def test_segment_is_named_by_its_content() -> None:
    """The name is the deduplication token: the same content must give the same, any other another."""
    envelopes = [frame(b"a").envelope, frame(b"b").envelope]

    assert segment_hash(envelopes) == segment_hash(list(envelopes))
    assert segment_hash(envelopes) != segment_hash(envelopes[::-1])
    assert segment_hash(envelopes) != segment_hash([frame(b"a", received_ns=2).envelope, envelopes[1]])
