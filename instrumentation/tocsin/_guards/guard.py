"""The guard of a use case, as a service asks it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final, cast

from tocsin._calls.call import CURRENT, Call
from tocsin._calls.last import LAST
from tocsin._calls.values import Scalar, finite, words
from tocsin._guards.deciding import Decision, bar_of, decide
from tocsin._guards.flag_stream import FlagStream
from tocsin._guards.flags import NORMAL, FlagState, known_state
from tocsin._guards.route import Route, current_route, flag_stamps, is_probe
from tocsin._process.boundary import MISHAPS, Swallow
from tocsin._process.runtime import Runtime, runtime
from tocsin_wire import attributes as keys

_NO_STAMPS: Final[Mapping[str, Scalar]] = {}
_IN_GUARD: Final = Swallow("guard")
_IN_ROUTE: Final = Swallow("guard.route")


class Guard:
    """The guard of one use case, read from memory: asking it costs microseconds and never waits for the network.

    While the server cannot be reached, the last known state holds, else normal; a fail mode makes it more careful.
    """

    def __init__(self, use_case: str, flags: FlagStream) -> None:
        self._use_case = use_case
        self._flags = flags
        self._fail_mode: str | None = None
        self._has_fallback = False
        self._stamped: tuple[FlagState, dict[str, Scalar]] | None = None

    @property
    def use_case(self) -> str:
        """The AI feature."""
        return self._use_case

    @property
    def state(self) -> str:
        """normal, verify, fallback or off."""
        return self._flags.state(self._use_case, self._fail_mode).state

    @property
    def metadata(self) -> Mapping[str, Any]:
        """What the server says of it: evaluated_through, version, cause, since, probe_share, mode, floor, bars."""
        return self.now().metadata or self._flags.flags.metadata

    @property
    def reason(self) -> str:
        """Why it is in this state: "static", as the server says; "stale", as it last said; "default", it never said."""
        return self.now().reason

    @property
    def bar(self) -> float | None:
        """The confidence from which on answers meet the plan's floor; None while too little was reviewed to say."""
        with _IN_GUARD:
            return bar_of(self.now().terms, None).bar
        return None

    @property
    def last_decision(self) -> Decision:
        """What became of this use case's latest call in this context: answer, verify ("verify this") or fallback."""
        with _IN_GUARD:
            last = LAST.get()
            if isinstance(last, Call) and last.use_case == self._use_case:
                return cast("Decision", last.decision)
            return decide(self.now(), None, None, has_fallback=self._has_fallback)[0]
        return "answer"

    def decide(self, confidence: float | None = None, *, model_version: str | None = None) -> Decision:
        """Decide what to do with one answer, and note it on the call in progress.

        "answer": serve it. "verify": serve it, and have somebody look. "fallback": serve something else. Only where the
        plan has a floor and its guard is automatic does the confidence count; without a fallback, "verify" is the most.

        Args:
            confidence: How sure the model says it is, 0 to 1; None when it did not say.
            model_version: Which version answered; else the strictest bar of all that answer now.
        """
        try:
            number = finite(confidence)
        except (TypeError, ValueError):
            number = None
        try:
            decision, shadow = decide(self.now(), number, model_version, has_fallback=self._has_fallback)
            call = CURRENT.get()
            if call is not None and call.use_case == self._use_case:
                call.say(keys.GUARD_DECISION, decision)
                if shadow is not None:
                    call.say(keys.GUARD_SHADOW_DECISION, shadow)
        except Exception as error:
            MISHAPS.note("guard.decide", error)
            return "answer"
        return decision

    def route(self, key: str | None = None) -> Route:
        """Decide one call.

        Args:
            key: Decides the same way for the same key (a user, a session) while the share stays; else by chance.
        """
        with _IN_ROUTE:
            now = self.now()
            state = now.state
            if state == "off":
                return Route(self._use_case, state, ask_model=False, serve_model=False, is_probe=False, flag=now)
            if state == "fallback":
                probe = is_probe(now, key)
                return Route(self._use_case, state, ask_model=probe, serve_model=False, is_probe=probe, flag=now)
            return Route(self._use_case, state, ask_model=True, serve_model=True, is_probe=False, flag=now)
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

    def wait_until_heard(self, timeout_s: float) -> bool:
        """Wait until the server has said something: for a service that must not begin unguarded. False if not in time."""
        with _IN_GUARD:
            return self._flags.wait_for(lambda _: self._flags.connected, timeout_s)
        return False

    def wait_for_probes(self, timeout_s: float) -> bool:
        """Wait until no thread asks the model in the background any more: for tests. False if not in time."""
        with _IN_GUARD:
            return self._flags.probes.wait(timeout_s)
        return False

    def now(self) -> FlagState:
        """Read everything that is known of it."""
        return self._flags.state(self._use_case, self._fail_mode)

    def agree(self, *, has_fallback: bool | None, fail_mode: str | None) -> None:
        """Take what the host says of this use case; once said, it stays."""
        if has_fallback is not None:
            self._has_fallback = has_fallback
        if fail_mode is not None:
            if known_state(fail_mode) is None:
                expected = f"expected a fail mode out of {', '.join(keys.GUARD_STATES)}, got {fail_mode!r}"
                raise ValueError(expected)
            self._fail_mode = fail_mode

    def stamps(self) -> Mapping[str, Scalar]:
        """What calls outside of a route say of it."""
        now, stamped = self.now(), self._stamped
        if stamped is None or stamped[0] is not now:
            stamped = self._stamped = (now, flag_stamps(self._use_case, now))
        return stamped[1]


def guard(use_case: str, *, has_fallback: bool | None = None, fail_mode: str | None = None) -> Guard:
    """Return the guard of a use case; the first call starts listening in the background.

    Args:
        use_case: The AI feature.
        has_fallback: Whether this service can answer without the model: only then does `Guard.decide` say "fallback".
            ``@observe(fallback=…)`` says so by itself.
        fail_mode: At least this state while the guard's server is unreachable; else what `init` was given, else as the
            plan last said, else normal.
    """
    named = None
    with _IN_GUARD:
        named = words(use_case)
    found = runtime().guard(named or "")
    with _IN_GUARD:
        found.agree(has_fallback=has_fallback, fail_mode=fail_mode)
    return found


def stamps(now: Runtime, use_case: str | None) -> Mapping[str, Scalar]:
    """What a call of this use case says about its guard: the route around it, else the state when a guard exists."""
    route = current_route()
    if route is not None and route.concerns(use_case):
        return route.stamps()
    found = now.guards.get(use_case) if use_case and now.guards else None
    return found.stamps() if found is not None else _NO_STAMPS
