"""Which tocsin this is: pyproject.toml says it, the package's metadata carries it, and everybody else asks here."""

from functools import cache


@cache
def version() -> str:
    """Say which version is installed; "0" where the sources lie on the path without being installed."""
    from importlib import metadata  # noqa: PLC0415 - loads email and zip readers, which importing the SDK must not

    try:
        return metadata.version("tocsin")
    except metadata.PackageNotFoundError:
        return "0"


def user_agent() -> str:
    """Say who asks, as HTTP has it."""
    return f"tocsin/{version()}"
