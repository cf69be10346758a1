"""What the SDK is made of in this process, in one place: settings, clock, tracer, delivery, outcomes, guards."""

import os
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from opentelemetry import trace

from tocsin._process.settings import Settings
from tocsin_wire.version import version

if TYPE_CHECKING:
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope

    from tocsin._calls.starting import Starter
    from tocsin._guards.flag_cache import FlagCache
    from tocsin._guards.flag_stream import FlagStream
    from tocsin._guards.guard import Guard
    from tocsin._outcomes.queue import OutcomeQueue
    from tocsin._privacy.policies import Policies
    from tocsin._sending.delivery import Delivery
    from tocsin._sending.journal import Journal

SCOPE: Final = "tocsin"


class Runtime:
    """The parts that calls, outcomes and guards share. Before `init` it uses whatever provider the host has set."""

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Callable[[], int] = time.time_ns,
        provider: trace.TracerProvider | None = None,
        delivery: "Delivery | None" = None,
        started: bool = False,
    ) -> None:
        self.settings = settings
        self.clock = clock
        self.started = started
        self.provider = provider
        self.delivery = delivery
        self.flags: FlagStream | None = None
        self.guards: dict[str, Guard] = {}
        self._lock = threading.RLock()
        self._tracer: trace.Tracer | None = None
        self._starter: Starter | None = None
        self._outcomes: OutcomeQueue | None = None
        self._scope: InstrumentationScope | None = None
        self._policies: Policies | None = None

    @property
    def tracer(self) -> trace.Tracer:
        """Our tracer; looked up again until the host has a real provider."""
        if self._tracer is None:
            provider = self.provider or trace.get_tracer_provider()
            tracer = provider.get_tracer(SCOPE, version())
            if isinstance(provider, trace.ProxyTracerProvider):
                return tracer
            self._tracer = tracer
        return self._tracer

    def move(self, provider: trace.TracerProvider) -> None:
        """Make spans with another provider from now on: the host has set its own, or shut the one we had joined."""
        self.provider = provider
        self._tracer = self._starter = None

    @property
    def starter(self) -> "Starter":
        """Who starts the spans of calls; made again until the host has a real provider."""
        if self._starter is None:
            from tocsin._sending.starters import starter_of

            made = starter_of(self, self.tracer)
            if self._tracer is None:
                return made
            self._starter = made
        return self._starter

    @property
    def scope(self) -> "InstrumentationScope":
        """Our instrumentation scope, for spans that are made whole."""
        if self._scope is None:
            from opentelemetry.sdk.util.instrumentation import InstrumentationScope

            self._scope = InstrumentationScope(SCOPE, version())
        return self._scope

    @property
    def service_name(self) -> str:
        """What the provider's resource says, as the collector will read it."""
        resource: Any = getattr(self.tracer, "resource", None)
        named = resource.attributes.get("service.name") if resource is not None else None
        return str(named or self.settings.service_name or "unknown_service")

    @property
    def policies(self) -> "Policies":
        """What may leave the process, by use case; compiled when the first call asks."""
        if self._policies is None:
            from tocsin._privacy.policies import Policies
            from tocsin._privacy.settings import Privacy

            self._policies = Policies(self.settings.privacy or Privacy.read(os.environ))
        return self._policies

    @property
    def outcomes(self) -> "OutcomeQueue":
        """The queue of outcomes, made when the first one is recorded."""
        if self._outcomes is None:
            from tocsin._outcomes.queue import OutcomeQueue

            with self._lock:
                if self._outcomes is None:
                    self._outcomes = OutcomeQueue(
                        self.settings.outcomes,
                        self.settings.headers,
                        journal=self._outcome_journal(),
                        compression=self.settings.compression,
                    )
        return self._outcomes

    @outcomes.setter
    def outcomes(self, replacement: "OutcomeQueue") -> None:
        self._outcomes = replacement

    @property
    def has_outcomes(self) -> bool:
        """Tell whether any outcome was recorded in this process."""
        return self._outcomes is not None

    def guard(self, use_case: str) -> "Guard":
        """Find or make the guard of a use case; the first one opens the stream that all share."""
        found = self.guards.get(use_case)
        if found is not None:
            return found
        from tocsin._guards.flag_stream import FlagStream
        from tocsin._guards.guard import Guard

        with self._lock:
            if self.flags is None:
                self.flags = FlagStream(
                    self.settings.guard,
                    self.settings.headers,
                    cache=self._guard_cache(),
                    fail_mode=self.settings.guard_fail_mode,
                )
                if not (self.settings.disabled or self.settings.offline):
                    self.flags.start()
            return self.guards.setdefault(use_case, Guard(use_case, self.flags))

    def _guard_cache(self) -> "FlagCache | None":
        if self.settings.guard_cache is None:
            return None
        from tocsin._guards.flag_cache import FlagCache

        return FlagCache(self.settings.guard_cache)

    def _outcome_journal(self) -> "Journal | None":
        if self.settings.buffer_dir is None or self.settings.offline:
            return None
        from tocsin._sending.buffer import open_journal

        return open_journal(self.settings, "outcomes")

    def take_over(self, before: "Runtime") -> None:
        """Keep the guards and outcomes that the host asked for before `init`, at the addresses it has named since."""
        self.guards = before.guards
        self.flags = before.flags
        if self.flags is not None:
            self.flags.redirect(
                self.settings.guard,
                self.settings.headers,
                cache=self._guard_cache(),
                fail_mode=self.settings.guard_fail_mode,
            )
        if before.has_outcomes:
            self._outcomes = before.outcomes
            self._outcomes.redirect(self.settings.outcomes, self.settings.headers, self._outcome_journal())

    def before_fork(self) -> None:
        """Have our threads at rest while the process is copied."""
        for each in self._sending():
            each.before_fork()

    def after_fork_in_parent(self) -> None:
        """Have them go on."""
        for each in self._sending():
            each.after_fork_in_parent()

    def _sending(self) -> "list[Delivery | OutcomeQueue]":
        return [each for each in (self.delivery, self._outcomes) if each is not None]

    def after_fork(self) -> None:
        """Give a child threads, locks and connections of its own."""
        self._lock = threading.RLock()
        for each in self._sending():
            each.after_fork()
        if self.flags is not None:
            self.flags.after_fork()


class _Holder:
    """The process's one runtime; a class attribute, so that tests and forks replace it in one place."""

    runtime: Runtime | None = None


def runtime() -> Runtime:
    """Return the runtime in force, a default one before `init`."""
    found = _Holder.runtime
    if found is None:
        found = _Holder.runtime = Runtime(Settings.read(os.environ))
    return found


def install(replacement: Runtime | None) -> Runtime | None:
    """Put another runtime in force and return the one before."""
    before, _Holder.runtime = _Holder.runtime, replacement
    return before
