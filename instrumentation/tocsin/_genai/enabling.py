"""Which instrumentors are switched on: OpenTelemetry's own, where they are installed and nobody else's are in use."""

import logging
import sys
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import Any, Final

from tocsin._genai.libraries import LIBRARIES, Library
from tocsin._process import import_hook
from tocsin._process.boundary import Swallow

_LOGGER: Final = logging.getLogger("tocsin")
_IN_ENABLE: Final = Swallow("instrument_genai")


class _Enabled:
    """What is on in this process; a class attribute, as the process's instrumentation is one thing."""

    waiting: Final[dict[str, Library]] = {}
    made: Final[dict[str, Any]] = {}  # instrumentors that we switched on, and so switch off
    loaded: Final[set[str]] = (
        set()
    )  # libraries whose instrumentor we have loaded: that it is there says nothing of the host


def enable(names: Iterable[str]) -> None:
    """Instrument libraries when the host imports them. Imports none of them, and instruments none twice."""
    for name in names:
        library = LIBRARIES[name]
        if name in _Enabled.waiting:
            continue
        _Enabled.waiting[name] = library
        with _IN_ENABLE:
            import_hook.when_imported(library.module, _reaction(library))


def disable(names: Iterable[str] = tuple(LIBRARIES)) -> None:
    """Undo it, for what we switched on."""
    for name in names:
        library = _Enabled.waiting.pop(name, None)
        if library is None:
            continue
        with _IN_ENABLE:
            import_hook.forget((library.module,))
            if library.has_clients:
                from tocsin._genai.clients import stop_listening

                stop_listening(name)
            instrumentor = _Enabled.made.pop(name, None)
            if instrumentor is not None:
                instrumentor.uninstrument()


def _reaction(library: Library) -> Callable[[ModuleType], None]:
    def imported(module: ModuleType) -> None:
        if not library.has_clients:
            _instrument(library)
            return
        from tocsin._genai.clients import listen, on_first_client

        listen(library.name, module)
        on_first_client(library.name, module, lambda: _instrument(library))

    return imported


def _instrument(library: Library) -> None:
    """Switch OpenTelemetry's instrumentor on, unless the host has one of its own."""
    with _IN_ENABLE:
        if library.name not in _Enabled.waiting or library.name in _Enabled.made or is_taken(library):
            return
        made = _instrumentor(library)
        if made is None or getattr(made, "is_instrumented_by_opentelemetry", False):
            return
        if _conflicts(made):
            return
        made.instrument(skip_dep_check=True)
        _Enabled.made[library.name] = made


def _conflicts(instrumentor: Any) -> bool:
    """Tell whether an instrumentor is not made for what is installed, without the error line that it would log of it."""
    from opentelemetry.instrumentation.dependencies import get_dependency_conflicts

    conflict = get_dependency_conflicts(instrumentor.instrumentation_dependencies())
    if conflict is not None and conflict.found is not None:
        _LOGGER.warning("tocsin: %s leaves its calls unrecorded: %s", type(instrumentor).__name__, conflict)
    return conflict is not None


def is_taken(library: Library) -> bool:
    """Tell whether the host has loaded an instrumentor for a library: then it is the host's to switch on, or not."""
    if library.official in sys.modules and library.name not in _Enabled.loaded:
        return True
    return any(name in sys.modules for name in library.others)


def _instrumentor(library: Library) -> Any:
    from importlib import metadata  # milliseconds, for a host that may have none of these

    try:
        found = metadata.distribution(library.distribution)
    except metadata.PackageNotFoundError:
        return None
    for entry in found.entry_points:
        if entry.group == "opentelemetry_instrumentor":
            _Enabled.loaded.add(library.name)
            return entry.load()()
    return None
