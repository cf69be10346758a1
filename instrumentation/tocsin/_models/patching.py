"""How methods and functions are replaced, so that all of it can be undone. Knows nothing of models or spans."""

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from tocsin._process.boundary import Swallow

_IN_PATCH: Final = Swallow("models.patch")
Wrap = Callable[[Any, str], Any]  # the original and its name → what takes its place


@dataclass(frozen=True, slots=True)
class _Original:
    value: Any  # None: there was none
    library: str  # on whose behalf it was replaced first


_originals: Final[dict[tuple[Any, str], _Original]] = {}


def patch_class(cls: type, methods: tuple[str, ...], wrap: Wrap, library: str) -> None:
    """Wrap methods where they are defined: in the class, or in a mixin it takes them from."""
    for owner in cls.__mro__[:-1]:
        for name in methods:
            patch_method(owner, name, wrap, library)


def patch_method(owner: type, name: str, wrap: Wrap, library: str) -> None:
    """Wrap one method of a class, if it defines it; once."""
    original = owner.__dict__.get(name)
    if original is None or (owner, name) in _originals:
        return
    if inspect.isfunction(original):
        replacement = wrap(original, name)
    elif hasattr(original, "check") and inspect.isfunction(getattr(original, "fn", None)):  # sklearn's available_if
        replacement = type(original)(wrap(original.fn, name), original.check, original.attribute_name)
    else:
        return
    with _IN_PATCH:
        setattr(owner, name, replacement)
        _originals[owner, name] = _Original(original, library)


def patch_function(module: Any, name: str, wrap: Wrap, library: str) -> None:
    """Wrap a function of a module, if it has it; once."""
    original = getattr(module, name, None)
    if not inspect.isfunction(original) or (module, name) in _originals or hasattr(original, "__tocsin__"):
        return
    replacement = wrap(original, name)
    replacement.__tocsin__ = True
    with _IN_PATCH:
        setattr(module, name, replacement)
        _originals[module, name] = _Original(original, library)


def with_subclasses(root: type) -> Iterator[type]:
    """Walk a class and everything that derives from it at present."""
    seen: set[type] = set()
    waiting = [root]
    while waiting:
        found = waiting.pop()
        if found not in seen:
            seen.add(found)
            waiting.extend(type.__subclasses__(found))
            yield found


def on_subclassing(root: Any, react: Callable[[type], None], library: str) -> None:
    """Call back with each new subclass as it is made."""
    if (root, "__init_subclass__") in _originals:
        return
    own = root.__dict__.get("__init_subclass__")

    def __init_subclass__(cls: Any, **kwargs: Any) -> None:  # noqa: N807 - that is its name
        if own is not None:
            own.__func__(cls, **kwargs)
        else:
            super(root, cls).__init_subclass__(**kwargs)
        with _IN_PATCH:
            react(cls)

    root.__init_subclass__ = classmethod(__init_subclass__)  # type: ignore[arg-type]
    _originals[root, "__init_subclass__"] = _Original(own, library)


def restore(library: str) -> None:
    """Give everything back that was replaced on behalf of a library."""
    for (owner, name), original in list(_originals.items()):
        if original.library != library:
            continue
        if original.value is None:
            delattr(owner, name)
        else:
            setattr(owner, name, original.value)
        del _originals[owner, name]
