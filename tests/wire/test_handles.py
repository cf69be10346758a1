"""Call handles: printable, bounded, and whole."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin_wire import HandleError, pack_handle, unpack_handle
from tocsin_wire.handles import MAX_LENGTH, PREFIX
from tocsin_wire.v1.outcomes_pb2 import CallRef

WORDS = st.text(min_size=1, max_size=40)
REFS = st.builds(
    CallRef,
    use_case=WORDS,
    call_id=st.text("0123456789abcdef", min_size=48, max_size=48),
    started_unix_nano=st.integers(0, 2**64 - 1),
    model_version=WORDS,
    confidence=st.none() | st.floats(0, 1),
    label=WORDS,
    weight=st.none() | st.floats(1, 1e6),
    is_probe=st.booleans(),
)


@given(REFS)
def test_a_handle_is_read_back_as_it_was(ref: CallRef) -> None:
    """A late outcome knows of its call only what the handle says."""
    assert unpack_handle(pack_handle(ref)) == ref


@given(REFS, st.dictionaries(WORDS, st.text(max_size=400), max_size=20), st.text(max_size=5_000))
def test_a_handle_fits_and_never_loses_its_ids(ref: CallRef, segments: dict[str, str], label: str) -> None:
    """It travels in form fields and log lines; segments and label give way, the ids do not."""
    ref.segments.update(segments)
    ref.label = label

    handle = pack_handle(ref)

    assert len(handle) <= MAX_LENGTH
    assert handle.isascii()
    back = unpack_handle(handle)
    assert (back.use_case, back.call_id, back.started_unix_nano) == (ref.use_case, ref.call_id, ref.started_unix_nano)


def test_ids_too_long_for_a_handle_are_refused_with_what_to_do() -> None:
    """A host that makes call ids of whole URLs must be told, once, at the call."""
    with pytest.raises(HandleError, match=r"shorten tocsin\.call\.id"):
        pack_handle(CallRef(use_case="x", call_id="y" * 2_000))


@given(st.text(max_size=200) | st.text(max_size=200).map(lambda tail: PREFIX + tail))
def test_anything_else_is_refused_by_name(text: str) -> None:
    """Reviewers paste handles by hand; half of one must say so."""
    try:
        ref = unpack_handle(text)
    except HandleError as error:
        assert "expected" in str(error)  # noqa: PT017 - either way is right
    else:
        assert ref.use_case
        assert ref.call_id


@given(REFS, st.data())
def test_a_cut_handle_never_passes_for_another_call(ref: CallRef, data: st.DataObject) -> None:
    """Cut anywhere before the ids end, it is damaged; it must not name a wrong call."""
    handle = pack_handle(ref)
    cut = handle[: data.draw(st.integers(0, len(handle) - 1))]

    try:
        back = unpack_handle(cut)
    except HandleError:
        return
    assert ref.use_case == back.use_case
    assert ref.call_id == back.call_id
