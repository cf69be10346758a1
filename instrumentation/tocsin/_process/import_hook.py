"""Run something when the host imports a module, without importing it ourselves."""

import importlib.util
import sys
from collections.abc import Callable, Iterable, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from tocsin._process.boundary import MISHAPS, Swallow


def when_imported(name: str, react: Callable[[ModuleType], None]) -> None:
    """Call back with a module: at once when it is loaded, else right after the host's import of it."""
    loaded = sys.modules.get(name)
    if loaded is not None and not getattr(getattr(loaded, "__spec__", None), "_initializing", False):
        with Swallow(f"import.{name}"):
            react(loaded)
        return
    if _finder not in sys.meta_path:
        sys.meta_path.insert(0, _finder)
    _finder.reactions[name] = react


def forget(names: Iterable[str]) -> None:
    """Wait for these imports no more."""
    for name in names:
        _finder.reactions.pop(name, None)
    if not _finder.reactions and _finder in sys.meta_path:
        sys.meta_path.remove(_finder)


class _Finder(MetaPathFinder):
    """Finds what the other finders find, with a loader that tells us afterwards."""

    def __init__(self) -> None:
        self.reactions: dict[str, Callable[[ModuleType], None]] = {}

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,  # noqa: ARG002 - the look-up below finds it again
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> ModuleSpec | None:
        react = self.reactions.pop(fullname, None)  # popped: the look-up below comes here again
        if react is None:
            return None
        try:
            spec = importlib.util.find_spec(fullname)
            if spec is not None and spec.loader is not None:
                spec.loader = _Telling(spec.loader, react)
        except Exception as error:
            MISHAPS.note(f"import.{fullname}", error)
            return None
        return spec


class _Telling(Loader):
    """A loader that calls back once the module's own loader is done; in all else it is that loader."""

    def __init__(self, loader: Any, react: Callable[[ModuleType], None]) -> None:
        self._loader = loader
        self._react = react

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        created: ModuleType | None = self._loader.create_module(spec)
        return created

    def exec_module(self, module: ModuleType) -> None:
        self._loader.exec_module(module)
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        module.__loader__ = self._loader
        with Swallow(f"import.{module.__name__}"):
            self._react(module)


_finder = _Finder()
