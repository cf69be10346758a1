"""Who a request is from: asked once for each, before anything of it is looked at."""

from collections.abc import Iterable
from typing import Final, Protocol

from tocsin_collector.errors import Unauthenticated

DEFAULT_PROJECT: Final = "default"

_HEADERS = ("x-tocsin-key", "authorization")  # ours first: a proxy on the way may have its own use for the other


class KeyRing(Protocol):
    """Knows the ingest keys."""

    def project_of(self, presented: str | None, /) -> str:
        """Say whose a sender is, by the key it showed; None: it showed none.

        Raises:
            Unauthenticated: a key is needed and none came, or it is none of ours.
            Overloaded: nobody can say now; try again.
        """
        ...


class OpenRing:
    """For a collector without keys: everybody is ``default``, and a key can only be a mistake."""

    def project_of(self, presented: str | None, /) -> str:
        """Say ``default`` to who shows no key.

        Raises:
            Unauthenticated: a key was shown, and none is known here.
        """
        if presented is not None:
            raise Unauthenticated("expected no ingest key, since this collector knows none: send without it")
        return DEFAULT_PROJECT


def presented(headers: Iterable[tuple[str, str | bytes]]) -> str | None:
    """Find the ingest key among a request's headers or metadata; None when none was shown."""
    shown = {name.lower(): value for name, value in headers if name.lower() in _HEADERS}
    found = next((shown[name] for name in _HEADERS if name in shown), None)
    return found.decode("latin-1") if isinstance(found, bytes) else found
