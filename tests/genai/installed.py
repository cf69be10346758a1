"""Whether a module is there, found without importing it: an instrumentor that the host has loaded is the host's to switch on."""

from importlib.util import find_spec


def is_installed(name: str) -> bool:
    """Tell, also of a module whose package is missing."""
    try:
        return find_spec(name) is not None
    except ImportError:
        return False
