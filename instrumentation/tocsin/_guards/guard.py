"""The guard of a use case, and the route that one call takes under it."""

import hashlib
from collections.abc import Mapping
from contextvars import ContextVar, Token
from datetime import UTC, datetime
from random import SystemRandom
from types import TracebackType
from typing import Any, Final, Self

from tocsin._calls.values import Scalar, finite, words
from tocsin._guards.flag_stream import FlagStream
from tocsin._guards.flags import NORMAL, FlagState
from tocsin._process.boundary import Swallow
from tocsin._process.runtime import Runtime, runtime
from tocsin_wire import attributes as keys

_ROUTE: Final[ContextVar["Route | None"]] = ContextVar("tocsin_route", default=None)
_DEFAULT_PROBE_SHARE: Final = 0.05
_CHANCE: Final = SystemRandom()  # workers forked from one parent must not probe in step
_IN_GUARD: Final = Swallow("guard")
_IN_ROUTE: Final = Swallow("guard.route")


class Route:
    """What to do with one call; as a context manager it says so on the calls made inside.

    Attributes:
        state: The guard's state: normal, verify, fallback or off.
        ask_model: Call the model.
        serve_model: Give the model's answer to the user; else the fallback's.
        is_probe: The model is asked only to measure it: its answer must not be served.
    """

    __slots__ = ("_token", "_use_case", "ask_model", "is_probe", "serve_model", "state")

    def __init__(self, use_case: str, state: str, *, ask_model: bool, serve_model: bool, is_probe: bool) -> None:
        self._use_case = use_case
        self._token: Token[Route | None] | None = None
        self.state = state
        self.ask_model = ask_model
        self.serve_model = serve_model
        self.is_probe = is_probe

    def __enter__(self) -> Self:
        self._token = _ROUTE.set(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with _IN_ROUTE:
            if self._token is not None:
                _ROUTE.reset(self._token)
                self._token = None

    def __repr__(self) -> str:
        return (
            f"Route({self.state}, ask_model={self.ask_model}, serve_model={self.serve_model}, is_probe={self.is_probe})"
        )

    def stamps(self) -> dict[str, Scalar]:
        """What the calls inside carry."""
        return {
            **_flag_stamps(self._use_case, self.state),
            keys.PROBE: self.is_probe,
            keys.SERVED_BY: "model" if self.serve_model else "fallback",
        }

    def concerns(self, use_case: str | None) -> bool:
        """Tell whether a call of this use case is meant."""
        return use_case is None or use_case == self._use_case


class Guard:
    """The guard of one use case, read from memory: asking it costs microseconds and never waits for the network.

    When the server cannot be reached, the last known state holds, else normal.
    """

    def __init__(self, use_case: str, flags: FlagStream) -> None:
        self._use_case = use_case
        self._flags = flags

    @property
    def state(self) -> str:
        """normal, verify, fallback or off."""
        return self._now().state

    @property
    def metadata(self) -> Mapping[str, Any]:
        """What the server says of it: evaluated_through, version, cause, since, probe_share, hold_until, expires_at."""
        return self._now().metadata or self._flags.flags.metadata

    def route(self, key: str | None = None) -> Route:
        """Decide one call.

        Args:
            key: Decides the same way for the same key (a user, a session) while the share stays; else by chance.
        """
        with _IN_ROUTE:
            now = self._now()
            if now.state == "off":
                return Route(self._use_case, now.state, ask_model=False, serve_model=False, is_probe=False)
            if now.state == "fallback":
                probe = _share_of(key) < _probe_share(now)
                return Route(self._use_case, now.state, ask_model=probe, serve_model=False, is_probe=probe)
            return Route(self._use_case, now.state, ask_model=True, serve_model=True, is_probe=False)
        return Route(self._use_case, NORMAL, ask_model=True, serve_model=True, is_probe=False)

    def wait_evaluated_through(self, when: datetime, timeout_s: float) -> bool:
        """Wait until everything up to a moment has been evaluated: for services that replay history.

        A datetime without a zone is read as UTC.
        """
        with _IN_GUARD:
            if runtime().settings.disabled:
                return False
            aware = when if when.tzinfo else when.replace(tzinfo=UTC)
            return self._flags.wait_evaluated_through(aware, timeout_s)
        return False

    def wait_for_state(self, state: str, timeout_s: float) -> bool:
        """Wait until the guard is in a state; false when it is not in time."""
        with _IN_GUARD:
            return self._flags.wait_for(lambda _: self.state == state, timeout_s)
        return False

    def _now(self) -> FlagState:
        return self._flags.state(self._use_case)


def guard(use_case: str) -> Guard:
    """Return the guard of a use case; the first call starts listening in the background."""
    named = None
    with _IN_GUARD:
        named = words(use_case)
    return runtime().guard(named or "")


def stamps(now: Runtime, use_case: str | None) -> dict[str, Scalar]:
    """What a call of this use case says about its guard: the route around it, else the state when a guard exists."""
    route = _ROUTE.get()
    if route is not None and route.concerns(use_case):
        return route.stamps()
    found = now.guards.get(use_case) if use_case and now.guards else None
    return _flag_stamps(use_case, found.state) if found is not None and use_case else {}


def _flag_stamps(use_case: str, state: str) -> dict[str, Scalar]:
    return {
        keys.GUARD_STATE: state,
        keys.FLAG_KEY: keys.GUARD_FLAG_PREFIX + use_case,
        keys.FLAG_VARIANT: state,
    }


def _probe_share(now: FlagState) -> float:
    share = finite(now.metadata.get("probe_share", _DEFAULT_PROBE_SHARE))
    return _DEFAULT_PROBE_SHARE if share is None else share


def _share_of(key: str | None) -> float:
    if key is None:
        return _CHANCE.random()
    digest = hashlib.blake2b(key.encode("utf-8", "replace"), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64
