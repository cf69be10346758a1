"""The policy of each use case, made once from the settings in force."""

from typing import TYPE_CHECKING, Final

from tocsin._privacy.policy import Policy
from tocsin._privacy.settings import Privacy
from tocsin._process.runtime import runtime

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope

_MOST_RESOURCES: Final = 64  # of one process; there is one, and one more after a fork
_MOST_SCOPES: Final = 512  # one of each tracer


class Policies:
    """Policies by use case. Those that say the same are one object, with one set of compiled rules."""

    def __init__(self, privacy: Privacy) -> None:
        self.privacy = privacy
        self._made: dict[str, Policy] = {}
        self._resources: dict[int, tuple[Resource, Resource]] = {}  # the key is the first one's, which is kept for that
        self._scopes: dict[int, tuple[InstrumentationScope, InstrumentationScope]] = {}  # as above

    def of(self, use_case: str | None) -> Policy:
        """Find the policy of a use case; None and unnamed ones have the default."""
        capture = self.privacy.by_use_case.get(use_case or "", self.privacy.capture)
        found = self._made.get(capture)
        if found is None:
            found = self._made[capture] = Policy.made(self.privacy, capture)
        return found

    def resource(self, resource: "Resource") -> "Resource":
        """Return what may leave of a resource; the same object where all of it may, and for the same resource again."""
        known = self._resources.get(id(resource))
        if known is not None:
            return known[1]
        said = resource.attributes
        kept = self.of(None).beside(said)
        clean = resource if kept == dict(said) else type(resource)(kept, resource.schema_url)
        if len(self._resources) < _MOST_RESOURCES:
            self._resources[id(resource)] = resource, clean
        return clean

    def scope(self, scope: "InstrumentationScope | None") -> "InstrumentationScope | None":
        """Return what may leave of an instrumentation's scope, as :meth:`resource` does; most have no attributes."""
        if scope is None or not scope.attributes:
            return scope
        known = self._scopes.get(id(scope))
        if known is not None:
            return known[1]
        said = dict(scope.attributes)
        kept = self.of(None).beside(said)
        clean = scope if kept == said else type(scope)(scope.name, scope.version, scope.schema_url, kept)
        if len(self._scopes) < _MOST_SCOPES:
            self._scopes[id(scope)] = scope, clean
        return clean


def policy(use_case: str | None) -> Policy:
    """Say what may leave of a use case's calls."""
    return runtime().policies.of(use_case)
