"""Requests: cut by bytes, the same bytes every time, sent until they are settled, and safe in a file."""

import threading
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tocsin._sending import parcels as cutting
from tocsin._sending.answers import TAKEN, Answer
from tocsin._sending.courier import Courier
from tocsin._sending.frames import FrameWriter, read_pieces
from tocsin._sending.parcels import Head, Parcel, Piece, join, parcels

HEADS = st.none() | st.builds(Head, st.binary(max_size=20), st.binary(max_size=20))
PIECES = st.lists(st.builds(Piece, HEADS, st.binary(max_size=50)), max_size=20)


@settings(deadline=None)
@given(PIECES)
def test_a_file_gives_back_what_was_written(pieces: list[Piece]) -> None:
    """In order, so that the request made of it is the same bytes again."""
    assert read_pieces(FrameWriter().frames(pieces)) == (pieces, 0, 0)


@settings(deadline=None)
@given(PIECES, st.data())
def test_a_file_cut_anywhere_gives_back_what_was_whole(pieces: list[Piece], data: st.DataObject) -> None:
    """A process dies in the middle of a write."""
    written = FrameWriter().frames(pieces)
    cut = data.draw(st.integers(0, len(written)))

    read, damaged, _ = read_pieces(written[:cut])

    assert read == pieces[: len(read)]
    assert damaged == 0


@settings(deadline=None)
@given(st.lists(st.builds(Piece, st.none(), st.binary(max_size=50)), min_size=1, max_size=20), st.data())
def test_a_flipped_bit_never_becomes_a_span(pieces: list[Piece], data: st.DataObject) -> None:
    """What the disk gives back damaged is left out and counted."""
    written = bytearray(FrameWriter().frames(pieces))
    at = data.draw(st.integers(0, len(written) - 1))
    written[at] ^= 1 << data.draw(st.integers(0, 7))

    read, damaged, torn = read_pieces(bytes(written))

    assert damaged or torn
    assert len(read) < len(pieces)
    assert [piece for piece in read if piece not in pieces] == []


@settings(deadline=None)
@given(PIECES)
def test_requests_hold_every_piece_once_and_in_order(pieces: list[Piece]) -> None:
    """However they are cut."""
    whole = list(parcels(pieces))

    assert [piece for parcel in whole for piece in parcel.pieces] == pieces


def test_a_request_is_cut_by_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """2,048 spans of 100 KB each would be 200 MB: more than any collector takes."""
    monkeypatch.setattr(cutting, "TARGET_BYTES", 1_000)
    head = Head(b"r" * 100, b"s" * 100)
    pieces = [Piece(head, b"x" * size) for size in (300, 300, 300, 5_000, 10, 10)]

    sizes = [[len(piece.body) for piece in parcel.pieces] for parcel in parcels(pieces)]

    assert sizes == [[300, 300], [300], [5_000], [10, 10]]
    assert all(len(parcel.body()) <= 1_000 for parcel in parcels(pieces) if len(parcel) > 1)


class Scripted:
    """A client that answers as it is told, and keeps what it was sent."""

    def __init__(self, answer: Callable[[Parcel], Answer]) -> None:
        self.sent: list[bytes] = []
        self._answer = answer

    def send(self, parcel: Parcel, timeout_s: float | None = None) -> Answer:  # noqa: ARG002
        """Answer."""
        self.sent.append(parcel.body())
        return self._answer(parcel)

    def interrupt(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


class Unhurried(threading.Event):
    """Remembers how long it was asked to wait, and does not."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[float | None] = []

    def wait(self, timeout: float | None = None) -> bool:
        """Return at once."""
        self.waits.append(timeout)
        return False


def courier_of(client: Scripted, *, patient: bool = False) -> tuple[Courier, Unhurried]:
    """Make a courier that waits without waiting."""
    made = Courier(lambda: client, name="spans", receiver="nowhere", patient=patient)
    made.closed = clock = Unhurried()
    return made, clock


def parcel_of(*bodies: bytes) -> Parcel:
    """Make a request of pieces without heads."""
    return Parcel([Piece(None, body) for body in bodies])


def in_turn(*answers: Answer) -> Callable[[Parcel], Answer]:
    """Give one answer after the other."""
    left = list(answers)
    return lambda _: left.pop(0)


def test_the_receivers_own_delay_is_kept() -> None:
    """It knows when it will be back; a fleet that comes sooner keeps it down."""
    client = Scripted(in_turn(*[Answer(kind="later", delay_s=7.5)] * 2, TAKEN))
    courier, clock = courier_of(client)

    fate = courier.settle(parcel_of(b"a", b"b"))

    assert fate is not None
    assert (fate.taken, dict(fate.lost)) == (2, {})
    assert clock.waits == [7.5, 7.5]
    assert set(client.sent) == {b"ab"}


def test_a_receiver_that_fails_over_a_request_is_not_asked_for_ever() -> None:
    """One span that crashes a handler would otherwise stop everything behind it."""
    crash = Answer(kind="doubtful", reason="unknown", message="UNKNOWN: exception")
    client = Scripted(lambda parcel: crash if b"bad" in parcel.body() else TAKEN)
    courier, _ = courier_of(client)

    fate = courier.settle(parcel_of(b"a", b"b", b"bad", b"c"))

    assert fate is not None
    assert (fate.taken, dict(fate.lost)) == (3, {"unknown": 1})


def test_cutting_in_halves_is_bounded() -> None:
    """A receiver that finds everything invalid is not stormed with a request for each span."""
    client = Scripted(lambda _: Answer(kind="split", reason="invalid_argument"))
    courier, _ = courier_of(client)

    fate = courier.settle(parcel_of(*[b"x"] * 2_048))

    assert fate is not None
    assert (fate.taken, dict(fate.lost)) == (0, {"invalid_argument": 2_048})
    assert len(client.sent) < 200


@pytest.mark.parametrize(("patient", "taken"), [(False, 0), (True, 1)])
def test_who_is_refused_waits_only_where_that_is_safe(*, patient: bool, taken: int) -> None:
    """On disk it can wait for a better key; in memory it would push out what comes after it."""
    client = Scripted(in_turn(Answer(kind="refused", reason="unauthenticated"), TAKEN))
    courier, _ = courier_of(client, patient=patient)

    fate = courier.settle(parcel_of(b"a"))

    assert fate is not None
    assert fate.taken == taken


def test_a_request_without_heads_is_its_pieces() -> None:
    """Outcomes are fields of their request; nothing stands around them."""
    pieces: Sequence[Piece] = [Piece(None, b"a"), Piece(Head(b"r", b"s"), b"x"), Piece(None, b"b")]

    assert join(pieces) == b"ab" + b"\x0a\x05r\x12\x02sx"
