"""The public switches. What they switch loads when it is asked for: start-up time is the host's."""

from collections.abc import Iterable
from typing import Final

from tocsin._process.boundary import MISHAPS, Swallow

_IN_ENABLE: Final = Swallow("instrument_genai")


def instrument_genai(*libraries: str) -> None:
    """Record the calls of generative models: `init` does this for all of them, unless TOCSIN_INSTRUMENT says otherwise.

    Switches on OpenTelemetry's instrumentors where they are installed (the extras ``openai``, ``anthropic``, ``langchain`` …)
    and the host uses no others, and completes the spans of whichever are used. No library is imported by this.

    Args:
        libraries: Such as "openai"; all that are known by default.
    """
    with _IN_ENABLE:
        from tocsin._genai.enabling import enable
        from tocsin._process.lifecycle import init
        from tocsin._process.runtime import runtime

        init()
        if not runtime().settings.disabled:
            enable(_known(libraries))


def uninstrument_genai(*libraries: str) -> None:
    """Give these libraries, or all of them, their own methods back; instrumentors that the host switched on stay on."""
    with _IN_ENABLE:
        from tocsin._genai.enabling import disable

        disable(_known(libraries))


def _known(libraries: Iterable[str]) -> tuple[str, ...]:
    from tocsin._genai.libraries import LIBRARIES

    named = tuple(name.replace("-", "_") for name in libraries) or tuple(LIBRARIES)
    unknown = [name for name in named if name not in LIBRARIES]
    if unknown:
        expected = f"expected libraries out of {', '.join(LIBRARIES)}, got {', '.join(unknown)}"
        MISHAPS.note("instrument_genai", ValueError(expected))
    return tuple(name for name in named if name in LIBRARIES)
