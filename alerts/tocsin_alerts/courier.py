"""Sends one channel's messages, in order, again and again until taken or dead, in a thread of its own."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Protocol

from tocsin_alerts.errors import DeliveryFailed
from tocsin_alerts.outbox import Notification, Outbox, State
from tocsin_alerts.resending import Resending, Resends

_FIRST_RETRY_S: Final = 5.0
_LONGEST_RETRY_S: Final = (
    60.0  # one attempt a minute costs nothing, and a page waits no longer after its receiver is back
)
_LONGEST_ASKED_S: Final = 3_600.0  # a Retry-After beyond it is not believed
_CHANNEL_PAUSE_S: Final = 30.0  # after a failure the channel's other messages wait no longer than this
_GIVE_UP: Final = timedelta(hours=24)


class Notifier(Protocol):
    """One way out."""

    def send(self, notification: Notification, /) -> None:
        """Send one message and return once the receiver has said that it took it.

        Raises:
            DeliveryFailed: it did not; try again.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelStats:
    """What became of one channel's messages since the start."""

    channel: str
    sent: int = 0
    dead: int = 0
    failed_attempts: int = 0
    waiting: int = 0
    last_error: str = ""


@dataclass(slots=True, kw_only=True)
class _Waiting:
    notification: Notification
    due: datetime
    outcome: tuple[State, int, str] | None = None  # known, but the store did not take it yet


class Courier:
    """One channel's queue and its thread.

    Args:
        channel: Its name.
        notifier: The way out.
        outbox: Where outcomes are kept.
        now: The wall clock.
        jitter: Uniform over 0 to 1.
        undelivered: Incidents whose firing message is dead: nobody needs to hear that they are over.
    """

    def __init__(
        self,
        channel: str,
        notifier: Notifier,
        outbox: Outbox,
        *,
        now: Callable[[], datetime],
        jitter: Callable[[], float],
        undelivered: set[str],
    ) -> None:
        self._notifier = notifier
        self._outbox = outbox
        self._now = now
        self._jitter = jitter
        self._undelivered = undelivered
        self._waiting: dict[str, _Waiting] = {}
        self._resume_at: datetime | None = None
        self._is_failing = False
        self._changed = threading.Condition()
        self._pumping = threading.Lock()
        self._is_closed = False
        self._thread: threading.Thread | None = None
        self._stats = ChannelStats(channel=channel)
        self._resends: Resends | None = None
        if isinstance(notifier, Resending):
            self._resends = Resends(notifier, outbox.standing(channel), now=now())

    def start(self) -> None:
        """Begin to send by itself."""
        self._thread = threading.Thread(target=self._run, name=f"tocsin-{self._stats.channel}", daemon=True)
        self._thread.start()

    def post(self, notification: Notification) -> None:
        """Queue one message; it is in the outbox already."""
        with self._changed:
            self._waiting.setdefault(notification.id, _Waiting(notification=notification, due=self._now()))
            self._changed.notify_all()

    def pump(self) -> int:
        """Try every message that is due, once, and return how many were tried."""
        tried = 0
        with self._pumping:
            for waiting in self._due():
                if self._is_held(waiting.notification):
                    continue
                tried += 1
                if not self._attempt(waiting):
                    break
            self._resend()
        with self._changed:
            self._changed.notify_all()
        return tried

    def wait_idle(self, timeout_s: float) -> bool:
        """Wait until every message has been tried at least once; False when that takes too long."""
        with self._changed:
            return self._changed.wait_for(
                lambda: all(w.notification.attempts for w in self._waiting.values()), timeout_s
            )

    def close(self, timeout_s: float = 5.0) -> None:
        """Stop sending; what waits is read again at the next start."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(timeout_s)

    def stats(self) -> ChannelStats:
        """Count what became of its messages."""
        with self._changed:
            return replace(self._stats, waiting=len(self._waiting))

    def _run(self) -> None:
        while not self._is_closed:
            self.pump()
            with self._changed:
                if not self._is_closed:
                    self._changed.wait(self._sleep_s())

    def _resend(self) -> None:
        """Send what stands again, where the receiver needs that; a failure is counted, and rests the channel as any other."""
        now = self._now()
        if self._resends is None or self._is_closed or (self._resume_at and now < self._resume_at):
            return
        with self._changed:
            under_way = {waiting.notification.incident for waiting in self._waiting.values()}
        try:
            self._resends.send(now=now, without=under_way)
        except Exception as failure:  # noqa: BLE001 - a boundary, as for messages
            with self._changed:
                self._count("pending", f"{failure}")

    def _sleep_s(self) -> float | None:
        dues = [w.due for w in self._waiting.values() if not self._is_held(w.notification)]
        if self._resends is not None and (again := self._resends.due()) is not None:
            dues.append(again)
        if not dues:
            return None
        due = min(dues)
        return max(0.0, (max(due, self._resume_at or due) - self._now()).total_seconds())

    def _due(self) -> list[_Waiting]:
        now = self._now()
        with self._changed:
            if self._is_closed or (self._resume_at and now < self._resume_at):
                return []
            # What the receiver refuses comes last; the messages of an incident stay in order.
            tried: dict[str, int] = {}
            for each in self._waiting.values():
                tried.setdefault(each.notification.incident, each.notification.attempts)
            due = [waiting for waiting in self._waiting.values() if waiting.due <= now]
        return sorted(due, key=lambda each: tried[each.notification.incident])

    def _is_held(self, notification: Notification) -> bool:
        """Whether an earlier message of its incident has yet to leave: an update after the end would open it again."""
        if not notification.incident:
            return False
        earlier = (
            w.notification for w in list(self._waiting.values()) if w.notification.incident == notification.incident
        )
        return next(earlier, notification).id != notification.id

    def _attempt(self, waiting: _Waiting) -> bool:
        """Try one message; False when the channel should rest."""
        notification, error, retry_s, asked_s = waiting.notification, "", 0.0, 0.0
        if waiting.outcome is None:
            try:
                waiting.outcome = self._send(notification)
            except Exception as failure:  # noqa: BLE001 - a boundary: whatever a notifier does, the message is kept
                error = (
                    f"{type(failure).__name__}: {failure}" if not isinstance(failure, DeliveryFailed) else str(failure)
                )
                waiting.outcome = ("pending", notification.attempts + 1, error)
                asked_s = _asked_s(failure)
                retry_s = max(self._pause_s(notification.attempts), asked_s)
                is_hopeless = isinstance(failure, DeliveryFailed) and failure.is_permanent
                if is_hopeless or self._now() + timedelta(seconds=retry_s) - notification.created_at > _GIVE_UP:
                    waiting.outcome = ("dead", notification.attempts + 1, error)
        return self._settle(waiting, retry_s, asked_s) and not error

    def _send(self, notification: Notification) -> tuple[State, int, str]:
        if notification.transition != "firing" and notification.incident in self._undelivered:
            return ("dead", notification.attempts, "the incident's firing message was never delivered")
        self._notifier.send(notification)
        return ("sent", notification.attempts + 1, "")

    def _settle(self, waiting: _Waiting, retry_s: float, asked_s: float) -> bool:
        state, attempts, error = waiting.outcome or ("pending", waiting.notification.attempts, "")
        now = self._now()
        try:
            settled = self._outbox.settle(waiting.notification, state, attempts=attempts, error=error, now=now)
        except Exception as failure:  # noqa: BLE001 - the store is away: what happened is written later, not sent again
            with self._changed:
                self._stats = replace(self._stats, last_error=f"could not record an outcome: {failure}")
                waiting.due = now + timedelta(seconds=_FIRST_RETRY_S)
            return False
        with self._changed:
            self._count(state, error)
            if state == "pending":
                waiting.notification, waiting.outcome = settled, None
                waiting.due = now + timedelta(seconds=retry_s or _FIRST_RETRY_S)
                self._resume_at = now + timedelta(seconds=max(min(retry_s, _CHANNEL_PAUSE_S), asked_s))
                self._is_failing = True
            else:
                if state == "sent" and self._is_failing:  # it is back: nothing has to wait out its pause
                    self._is_failing = False
                    for each in self._waiting.values():
                        each.due = min(each.due, now)
                del self._waiting[settled.id]
                if state == "sent" and self._resends is not None:
                    self._resends.note(settled, now=now)
                if state == "dead" and settled.transition == "firing":
                    self._undelivered.add(settled.incident)
        return True

    def _count(self, state: State, error: str) -> None:
        stats = self._stats
        self._stats = replace(
            stats,
            sent=stats.sent + (state == "sent"),
            dead=stats.dead + (state == "dead"),
            failed_attempts=stats.failed_attempts + bool(error),
            last_error=error or stats.last_error,
        )

    def _pause_s(self, attempts: int) -> float:
        nominal = min(_LONGEST_RETRY_S, _FIRST_RETRY_S * float(2 ** min(attempts, 20)))
        return nominal * (0.75 + 0.5 * self._jitter())


def _asked_s(failure: Exception) -> float:
    """Say how long the receiver asked the whole channel to wait."""
    asked = failure.retry_after_s if isinstance(failure, DeliveryFailed) else None
    return min(asked or 0.0, _LONGEST_ASKED_S)
