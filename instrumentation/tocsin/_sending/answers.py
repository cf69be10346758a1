"""What a receiver said to one request, split by what the sender does next."""

from dataclasses import dataclass
from typing import Literal, Protocol

from tocsin._sending.parcels import Parcel


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer."""

    kind: Literal[
        "taken",  # settled, but for `rejected` pieces
        "later",  # the same again, after a while
        "doubtful",  # the same again a few times: it may be the receiver's mishap or the request's fault
        "split",  # something in it will never be taken: its halves may be
        "refused",  # none of it will be taken, whatever it is
    ]
    rejected: int = 0
    reason: str = ""  # a word for the books: invalid_argument
    message: str = ""  # the receiver's own, for the log
    delay_s: float | None = None  # how long the receiver asks us to wait


TAKEN = Answer(kind="taken")


class Client(Protocol):
    """Sends one request at a time."""

    def send(self, parcel: Parcel, /, timeout_s: float | None = None) -> Answer:
        """Send it and wait for what is said to it; never raises an answer."""
        ...

    def interrupt(self) -> None:
        """Have what is under way answered "later", from another thread."""
        ...

    def close(self) -> None:
        """Give up what is under way, at once."""
        ...
