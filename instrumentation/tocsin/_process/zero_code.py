"""Zero code: what starts in a process whose code does not mention tocsin, and what may not.

Three ways lead here: ``tocsin run`` (a ``sitecustomize`` of ours), ``opentelemetry-instrument`` (our entry points), and a
host that calls `start` of an instrumentor of ours by OpenTelemetry's own interface.
"""

import os
import sys
from collections.abc import Mapping
from typing import Final

from tocsin._genai.libraries import LIBRARIES
from tocsin._process.boundary import Swallow

RUN_PID: Final = "TOCSIN_RUN_PID"  # set by `tocsin run` for the one process that it becomes
_PREFIX: Final = "instrument_"
_IN_START: Final = Swallow("zero_code")


def start() -> None:
    """Start tocsin and every instrumentation that the environment does not exclude; imports no library on its behalf."""
    if is_disabled(os.environ):
        return
    import tocsin

    tocsin.init()  # which enables the libraries of generative models
    for name in chosen(os.environ, (*instrumentations(), *LIBRARIES)):
        if name not in LIBRARIES:
            with _IN_START:
                getattr(tocsin, _PREFIX + name)()


def generative(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Name the libraries of generative models that the environment does not exclude."""
    return tuple(name for name in LIBRARIES if _is_chosen(name, environ))


def instrumentations() -> tuple[str, ...]:
    """Name the libraries of classic models that can be instrumented: each public ``tocsin.instrument_NAME``."""
    import tocsin

    named = (name.removeprefix(_PREFIX) for name in tocsin.__all__ if name.startswith(_PREFIX))
    return tuple(name for name in named if name != "genai")


def chosen(environ: Mapping[str, str], known: tuple[str, ...]) -> tuple[str, ...]:
    """Leave out what TOCSIN_INSTRUMENT does not name, and what OpenTelemetry's own list disables."""
    asked = _list(environ.get("TOCSIN_INSTRUMENT", ""))
    for name in sorted(asked - {*known, "all", "none"}):
        sys.stderr.write(f"tocsin: TOCSIN_INSTRUMENT names {name}; expected some of {', '.join(known)}, all, none\n")
    return tuple(name for name in known if _is_chosen(name, environ))


def _is_chosen(name: str, environ: Mapping[str, str]) -> bool:
    asked = _list(environ.get("TOCSIN_INSTRUMENT", ""))
    refused = _list(environ.get("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", ""))
    if "*" in refused or asked == {"none"}:
        return False
    return (not asked or "all" in asked or name in asked) and not {name, f"tocsin_{name}"} & refused


def is_disabled(environ: Mapping[str, str]) -> bool:
    """Tell whether OpenTelemetry's switch turns everything off."""
    return environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"


def _list(written: str) -> set[str]:
    return {word.strip().lower().replace("-", "_") for word in written.split(",") if word.strip()} - {""}
