"""Frames of one file of the spool in another: a disk that writes a block to the wrong place, or a swap of names."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.collector.spooled import spool_file
from tests.collector.test_recovery import BODIES, SEALED, mended, spoil

from tocsin_collector.spool.segments import read
from tocsin_collector.spool.walk import walk


@pytest.mark.parametrize("kept", [0, 20], ids=["whole frames", "a broken one before a whole one"])
def test_frames_of_a_file_that_stands_elsewhere_are_not_this_ones(tmp_path: Path, kept: int) -> None:
    """A disk writes another segment's block over the whole of a small one: its own are lost, the other's load once."""
    first, second = tmp_path / SEALED, tmp_path / "00000002.seg"
    spool_file(first, BODIES[:3])
    spool_file(second, BODIES[3:6])
    end = walk(second.read_bytes()).found[1].end
    spoil(first, lambda data: data[:kept] + second.read_bytes()[kept:end])

    found, other = (mended(path) for path in (first, second))

    assert found[0].requests == []
    assert (found[0].damage.requests, found[0].damage.items, found[0].damage.uncounted) == (3, 9, 0)
    assert not first.exists()
    assert (other[0].damage.requests, len(other[0].requests)) == (0, 3)


def test_new_frames_under_an_old_index_are_taken(tmp_path: Path) -> None:
    """Killed between replacing a file and its index: the new frames stand nowhere else, so they are this file's."""
    spool_file(tmp_path / SEALED, BODIES[:3])
    old = (tmp_path / "00000001.idx").read_bytes()
    spool_file(tmp_path / SEALED, BODIES[1:3])
    (tmp_path / "00000001.idx").write_bytes(old)

    examined, segment = mended(tmp_path / SEALED)

    assert not examined.damage
    assert segment is not None
    assert [one.body for one in read(segment.path)] == BODIES[1:3]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150)
@given(data=st.data())
def test_block_of_one_file_over_another_is_lost_exactly(tmp_path: Path, data: st.DataObject) -> None:
    """Wherever it comes from and goes to: what it covers is lost and counted, and nothing of its own file loads twice."""
    paths = [tmp_path / SEALED, tmp_path / "00000002.seg"]
    held = (BODIES[: data.draw(st.integers(1, 3))], BODIES[3 : data.draw(st.integers(4, 6))])
    for path, bodies in zip(paths, held, strict=True):
        spool_file(path, bodies)
    source, target = data.draw(st.permutations(paths))
    whole, other = target.read_bytes(), source.read_bytes()
    start, at = data.draw(st.integers(0, len(other) - 1)), data.draw(st.integers(0, len(whole) - 1))
    block = other[start : data.draw(st.integers(start + 1, len(other)))][: len(whole) - at]
    target.write_bytes(whole[:at] + block + whole[at + len(block) :])

    found = [mended(path)[0] for path in paths]

    loaded = [one.frame.body for examined in found for one in examined.requests]
    lost = sum(map(len, held)) - len(loaded)
    assert len(set(loaded)) == len(loaded)
    assert set(loaded) <= {*held[0], *held[1]}
    assert sum(examined.damage.requests for examined in found) == lost
    assert sum(examined.damage.items for examined in found) == 3 * lost
    assert not any(mended(path)[0].damage for path in paths if path.exists())  # a second start counts nothing again
