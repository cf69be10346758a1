"""What became of everything that was put into a lane."""

from collections import Counter
from dataclasses import dataclass, field

from tocsin._sending.courier import Fate
from tocsin._sending.parcels import MOST_BYTES, Piece


@dataclass(slots=True)
class Books:
    """Counts of one process. What waits is in none of them."""

    taken: int = 0  # acknowledged
    recovered: int = 0  # acknowledged of what processes that had ended left
    settled: int = 0  # requests, whatever became of them
    lost: Counter[str] = field(default_factory=Counter)  # by reason, once they had left the queue; the thread's side
    dropped: Counter[str] = field(default_factory=Counter)  # by reason, before that; the side of those who put in

    def count(self, fate: Fate, *, is_own: bool = True) -> None:
        """Enter what became of a request."""
        self.settled += 1
        self.lost.update(fate.lost)
        if is_own:
            self.taken += fate.taken
        else:
            self.recovered += fate.taken


def sound(pieces: list[Piece], items: int, losses: Counter[str]) -> list[Piece]:
    """Leave out, and count, what could not be encoded or will never be taken."""
    if len(pieces) < items:
        losses["unencodable"] += items - len(pieces)
    kept = [piece for piece in pieces if piece.size <= MOST_BYTES]
    if len(kept) < len(pieces):
        losses["too_large"] += len(pieces) - len(kept)
    return kept
