"""Segments of a journal on their way: our own, and those of processes that have ended."""

import time
from typing import Final

from tocsin._sending.books import Books
from tocsin._sending.courier import Courier
from tocsin._sending.journal import Journal, Segment
from tocsin._sending.parcels import parcels

_LOOK_EVERY_S: Final = 5.0


class Resending:
    """Sends what is in a journal; each function is false when we were closed first."""

    def __init__(self, courier: Courier, books: Books) -> None:
        self._courier = courier
        self._books = books
        self._due = 0.0

    def send_own(self, journal: Journal) -> bool:
        """Seal and send what this process has written."""
        if not journal.waiting:
            return True
        journal.seal()
        while (segment := journal.sealed()) is not None:
            if not self._send(segment, is_own=True):
                return False
            journal.remove(segment)
        return True

    def send_leftovers(self, journal: Journal, *, at_once: bool) -> bool:
        """Send what processes that have ended left; now and then, or at once."""
        if not at_once and time.monotonic() < self._due:
            return True
        self._due = time.monotonic() + _LOOK_EVERY_S
        for left in journal.leftovers():
            for segment in left.segments():
                if not self._send(segment, is_own=False):
                    return False
                left.remove(segment)
            left.end()
        return True

    def _send(self, segment: Segment, *, is_own: bool) -> bool:
        pieces, damaged = segment.read()
        for parcel in parcels(pieces):
            fate = self._courier.settle(parcel)
            if fate is None:
                return False
            self._books.count(fate, is_own=is_own)
        if damaged:
            self._books.lost["damaged"] += damaged
        return True
