"""The route that one call takes under its guard, and what the calls on it say of it."""

import hashlib
from contextvars import ContextVar, Token
from random import SystemRandom
from types import TracebackType
from typing import Final, Self

from tocsin._calls.values import Scalar, finite
from tocsin._guards.flags import NORMAL, FlagState
from tocsin._process.boundary import Swallow
from tocsin_wire import attributes as keys

_ROUTE: Final[ContextVar["Route | None"]] = ContextVar("tocsin_route", default=None)
_DEFAULT_PROBE_SHARE: Final = 0.05
_CHANCE: Final = SystemRandom()  # workers forked from one parent must not probe in step
_IN_ROUTE: Final = Swallow("guard.route")


class Route:
    """What to do with one call; as a context manager it says so on the calls made inside.

    Attributes:
        state: The guard's state: normal, verify, fallback or off.
        ask_model: Call the model.
        serve_model: Give the model's answer to the user; else the fallback's.
        is_probe: The model is asked only to measure it: its answer must not be served.
    """

    __slots__ = ("_flag", "_token", "_use_case", "ask_model", "is_probe", "serve_model", "state")

    def __init__(
        self,
        use_case: str,
        state: str,
        *,
        ask_model: bool,
        serve_model: bool,
        is_probe: bool,
        flag: FlagState | None = None,
    ) -> None:
        self._use_case = use_case
        self._flag = flag
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

    def _enter(self) -> None:
        self.__enter__()

    def _leave(self) -> None:
        self.__exit__(None, None, None)

    def instead(self) -> "Route":
        """Give the route of the fallback's own call, beside a probe."""
        return Route(self._use_case, self.state, ask_model=False, serve_model=False, is_probe=False, flag=self._flag)

    def __repr__(self) -> str:
        return (
            f"Route({self.state}, ask_model={self.ask_model}, serve_model={self.serve_model}, is_probe={self.is_probe})"
        )

    def stamps(self) -> dict[str, Scalar]:
        """What the calls inside carry."""
        said = flag_stamps(self._use_case, self._flag or FlagState(state=self.state))
        said[keys.PROBE] = self.is_probe
        said[keys.SERVED_BY] = "model" if self.serve_model else "fallback"
        if not self.serve_model:
            said[keys.GUARD_DECISION] = "fallback"
        return said

    def concerns(self, use_case: str | None) -> bool:
        """Tell whether a call of this use case is meant."""
        return use_case is None or use_case == self._use_case


def flag_stamps(use_case: str, now: FlagState) -> dict[str, Scalar]:
    """Write a guard's state as attributes of a span. Source: OpenTelemetry semantic conventions, feature flags."""
    said: dict[str, Scalar] = {
        keys.GUARD_STATE: now.state,
        keys.FLAG_KEY: keys.GUARD_FLAG_PREFIX + use_case,
        keys.FLAG_VARIANT: now.state,
        keys.FLAG_PROVIDER: "tocsin",
        keys.FLAG_REASON: now.reason,
    }
    version, project = now.metadata.get("version"), now.metadata.get("project")
    if version is not None:
        said[keys.FLAG_VERSION] = str(version)
    if project is not None:
        said[keys.FLAG_SET] = str(project)
    if now.state != NORMAL:
        said[keys.GUARD_DECISION] = "verify"  # the most, for calls that no route leads elsewhere
    return said


def current_route() -> Route | None:
    """Return the route around the code that asks."""
    return _ROUTE.get()


def is_probe(now: FlagState, key: str | None = None) -> bool:
    """Choose the share of calls that still reach the model while the fallback is served."""
    share = finite(now.metadata.get("probe_share", _DEFAULT_PROBE_SHARE))
    return _share_of(key) < (_DEFAULT_PROBE_SHARE if share is None else share)


def _share_of(key: str | None) -> float:
    if key is None:
        return _CHANCE.random()
    digest = hashlib.blake2b(key.encode("utf-8", "replace"), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64
