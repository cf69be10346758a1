"""One request until it is settled: sent again while that may help, cut in halves where something in it cannot be taken."""

import logging
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from tocsin._process.boundary import MISHAPS
from tocsin._sending.answers import Answer, Client
from tocsin._sending.parcels import Parcel

_LOGGER: Final = logging.getLogger("tocsin")
_BACKOFF_S: Final = (0.2, 0.5, 1.0, 2.0)
_LONGEST_DELAY_S: Final = 300.0  # that a receiver may ask for
_DOUBTS: Final = 5  # attempts of a request that the receiver fails over
_FORK_WAIT_S: Final = 0.5
_CUTS: Final = 64  # of one request: enough to find a few bad pieces among thousands, too few to storm a receiver


@dataclass(slots=True)
class Fate:
    """What became of the pieces of a request."""

    taken: int = 0
    lost: Counter[str] = field(default_factory=Counter)  # by reason


class Patience:
    """How long to wait in all, and while the receiver takes nothing."""

    def __init__(self, timeout_s: float, stalled_s: float) -> None:
        self._end = time.monotonic() + timeout_s
        self._stalled_s = stalled_s
        self.renew()

    def renew(self) -> None:
        """Note that something happened."""
        self._until = min(self._end, time.monotonic() + self._stalled_s)

    def left_s(self, *, is_out: bool) -> float:
        """Say how much of it is left, with a receiver that is away or with one that has only not answered yet."""
        return (self._until if is_out else self._end) - time.monotonic()


class Courier:
    """Has one request under way at a time. Tells the beginning and the end of an outage, once each."""

    def __init__(self, make_client: Callable[[], Client], *, name: str, receiver: str, patient: bool) -> None:
        """Make a courier.

        Args:
            make_client: Called when the first request leaves.
            name: What is sent, for the log: spans or outcomes.
            receiver: Whom to, for the log.
            patient: Whether a sender who is refused waits until he is not: what waits is safe.
        """
        self._make_client = make_client
        self._name = name
        self.receiver = receiver
        self._patient = patient
        self._client: Client | None = None
        self._making = threading.Lock()
        self.at_work = threading.Lock()  # held while a thread of ours loads modules, encodes, or waits for an answer
        self._forking: set[int] = set()  # threads that hold it for a fork
        self.closed = threading.Event()
        self.is_out = False  # the receiver does not answer, or not yet
        self.patience: Patience | None = None  # where there is no thread that could wait

    def settle(self, parcel: Parcel) -> Fate | None:
        """Send a request until it is settled; None when we were closed first."""
        fate = Fate()
        parts = [parcel]
        cuts = 0
        while parts:
            part = parts.pop()
            answer = self._persist(part)
            if answer is None:
                return None
            if answer.kind == "taken":
                fate.taken += len(part) - answer.rejected
                if answer.rejected:
                    fate.lost[answer.reason] += answer.rejected
                    self._note(answer, answer.rejected)
            elif answer.kind != "refused" and len(part) > 1 and cuts < _CUTS:
                cuts += 1
                parts += reversed(part.halves())
            else:
                fate.lost[answer.reason] += len(part)
                self._note(answer, len(part))
        return fate

    def prepare(self) -> Client:
        """Return the client; the first time, load and make it."""
        with self._making:
            if self._client is None:
                self._client = self._make_client()
            return self._client

    def renew(self) -> None:
        """Send what is next with a client that is made anew."""
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def close(self) -> None:
        """Stop trying, and interrupt what is under way."""
        self.closed.set()
        self._forget_outage()
        if self._client is not None:
            self._client.close()

    def is_told_out(self) -> bool:
        """Tell whether the log already says that the receiver is away, for these or for others."""
        return bool(_OUT.get(self.receiver))

    def tell_loss(self, count: int, *, may_be_kept: bool) -> None:
        """Say what goes down with this process, who alone knows it."""
        _LOGGER.warning(
            "tocsin: %d %s are lost with this process: the collector at %s did not take them in time%s",
            count,
            self._name,
            self.receiver,
            "; TOCSIN_BUFFER_DIR names a folder that would keep them for the next one" if may_be_kept else "",
        )

    def before_fork(self) -> None:
        """Be outside of gRPC, and of any import, when the process is copied: a child could never finish what it finds begun."""
        held = self.at_work.acquire(timeout=_FORK_WAIT_S)
        if not held and self._client is not None:
            self._client.interrupt()
            held = self.at_work.acquire(timeout=_FORK_WAIT_S)
        if held:
            self._forking.add(threading.get_ident())

    def after_fork_in_parent(self) -> None:
        """Go on."""
        if threading.get_ident() in self._forking:
            self._forking.discard(threading.get_ident())
            self.at_work.release()

    def after_fork(self) -> None:
        """Forget the parent's connection without touching it: its sockets are shared, and so it is kept from being freed."""
        _PARENTS.append(self._client)
        self._client = None
        self._making = threading.Lock()
        self.at_work = threading.Lock()
        self._forking = set()
        self.closed = threading.Event()
        self._forget_outage()

    def _persist(self, parcel: Parcel) -> Answer | None:
        attempt = 0
        while not self.closed.is_set():
            left_s = None if self.patience is None else self.patience.left_s(is_out=self.is_out)
            if left_s is not None and left_s <= 0:
                return None
            answer = self._send(parcel, left_s)
            if self.closed.is_set() and answer.kind != "taken":
                return None
            refused = answer.kind == "refused" and self._patient
            if answer.kind == "later" or refused or (answer.kind == "doubtful" and attempt + 1 < _DOUBTS):
                self._tell_outage(answer)
                self.closed.wait(
                    _pause_s(answer, attempt) if left_s is None else min(_pause_s(answer, attempt), left_s)
                )
                attempt += 1
                continue
            self._tell_return()
            if self.patience is not None:
                self.patience.renew()
            return answer
        return None

    def _send(self, parcel: Parcel, timeout_s: float | None) -> Answer:
        try:
            with self.at_work:
                return self.prepare().send(parcel, timeout_s)
        except Exception as error:
            if not self.closed.is_set():
                MISHAPS.note(f"{self._name}.send", error)
            return Answer(kind="doubtful", reason="unsendable", message=str(error))

    def _note(self, answer: Answer, count: int) -> None:
        if answer.message or answer.kind == "taken":  # another's exporter says nothing, and has been noted
            said = f"{self.receiver} refused {count} {self._name}: {answer.message or 'it does not say why'}"
            MISHAPS.note(f"{self._name}.{answer.reason}", ValueError(said))

    def _tell_outage(self, answer: Answer) -> None:
        if self.is_out or answer.reason == "cancelled":  # by us, for a fork
            return
        self.is_out = True
        out = _OUT.setdefault(self.receiver, set())
        out.add(self._name)
        if len(out) == 1:
            _LOGGER.warning(
                "tocsin: the collector at %s does not take %s (%s); they wait and are sent when it does",
                self.receiver,
                self._name,
                answer.message,
            )

    def _tell_return(self) -> None:
        if self.is_out:
            self._forget_outage()
            if not _OUT.get(self.receiver):
                _LOGGER.warning("tocsin: the collector at %s answers again; what waited is being sent", self.receiver)

    def _forget_outage(self) -> None:
        self.is_out = False
        _OUT.get(self.receiver, set()).discard(self._name)


_OUT: Final[dict[str, set[str]]] = {}  # who does not answer, for what: spans and outcomes share their two lines
_PARENTS: Final[list[Client | None]] = []


def _pause_s(answer: Answer, attempt: int) -> float:
    if answer.delay_s is not None:
        return min(answer.delay_s, _LONGEST_DELAY_S)
    # Spread, so that a fleet that lost its collector at one moment does not come back at one.
    return _BACKOFF_S[min(attempt, len(_BACKOFF_S) - 1)] * random.uniform(0.8, 1.2)  # noqa: S311
