"""The policy of each use case, made once from the settings in force."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, Generic, Protocol, TypeVar

from tocsin._privacy.policy import Policy
from tocsin._privacy.settings import Privacy
from tocsin._process.runtime import runtime

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope

_MOST_RESOURCES: Final = 64  # of one process; there is one, and one more after a fork
_MOST_SCOPES: Final = 512  # one of each tracer


class _Attributed(Protocol):
    @property
    def attributes(self) -> Mapping[str, Any] | None: ...


Shared = TypeVar("Shared", bound=_Attributed)


class Policies:
    """Policies by use case. Those that say the same are one object, with one set of compiled rules."""

    def __init__(self, privacy: Privacy) -> None:
        self.privacy = privacy
        self._made: dict[str, Policy] = {}
        self._resources: _Clean[Resource] = _Clean(_MOST_RESOURCES)
        self._scopes: _Clean[InstrumentationScope] = _Clean(_MOST_SCOPES)

    def of(self, use_case: str | None) -> Policy:
        """Find the policy of a use case; None and unnamed ones have the default."""
        capture = self.privacy.by_use_case.get(use_case or "", self.privacy.capture)
        found = self._made.get(capture)
        if found is None:
            found = self._made[capture] = Policy.made(self.privacy, capture)
        return found

    def resource(self, resource: "Resource") -> "Resource":
        """Return what may leave of a resource; the same object where all of it may, and for the same resource again."""
        return self._resources.of(resource, self.of(None), lambda kept: type(resource)(kept, resource.schema_url))

    def scope(self, scope: "InstrumentationScope | None") -> "InstrumentationScope | None":
        """Return what may leave of an instrumentation's scope, as :meth:`resource` does; most have no attributes."""
        if scope is None or not scope.attributes:
            return scope
        return self._scopes.of(
            scope, self.of(None), lambda kept: type(scope)(scope.name, scope.version, scope.schema_url, kept)
        )


class _Clean(Generic[Shared]):
    """What may leave of things that many spans share: worked out once for each."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._known: dict[int, tuple[Shared, Shared]] = {}  # the key is the first one's, which is kept for that

    def of(self, given: Shared, policy: Policy, remade: Callable[[dict[str, Any]], Shared]) -> Shared:
        known = self._known.get(id(given))
        if known is not None:
            return known[1]
        said = dict(given.attributes or {})
        kept = policy.beside(said)
        clean = given if kept == said else remade(kept)
        if len(self._known) < self._most:
            self._known[id(given)] = given, clean
        return clean


def policy(use_case: str | None) -> Policy:
    """Say what may leave of a use case's calls."""
    return runtime().policies.of(use_case)
