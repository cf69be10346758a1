"""What ``opentelemetry-instrument`` loads of ours by entry points: a distro, instrumentors, and a last step.

Needs ``opentelemetry-instrumentation``, which whoever loads entry points of these groups has. There is no configurator of
ours: OpenTelemetry takes the first that it finds, and an installed package may not take the place of the host's.
"""

import os
from collections.abc import Collection
from typing import Any, Final

from opentelemetry.instrumentation.distro import BaseDistro
from opentelemetry.instrumentation.instrumentor import BaseInstrumentor
from opentelemetry.util._importlib_metadata import entry_points

import tocsin
from tocsin._process.zero_code import start

__all__ = [
    "LightGBMInstrumentor",
    "SklearnInstrumentor",
    "TocsinDistro",
    "TransformersInstrumentor",
    "XGBoostInstrumentor",
    "distro",
    "start",
]

_NAME: Final = "tocsin"


class TocsinDistro(BaseDistro):  # type: ignore[misc]
    """No exporters of OpenTelemetry's own unless the environment names them: tocsin delivers."""

    def _configure(self, **_: Any) -> None:
        for signal in ("TRACES", "METRICS", "LOGS"):
            os.environ.setdefault(f"OTEL_{signal}_EXPORTER", "none")


def distro() -> Any:
    """Return our distro where OTEL_PYTHON_DISTRO asks for it or there is no other; else the other one.

    OpenTelemetry takes the first distro it finds, in no order that anybody chose.
    """
    if os.environ.get("OTEL_PYTHON_DISTRO") != _NAME:
        for other in entry_points(group="opentelemetry_distro"):
            if other.name != _NAME:
                return other.load()()
    return TocsinDistro()


class _Instrumentor(BaseInstrumentor):  # type: ignore[misc]
    """One of tocsin's instrumentations by OpenTelemetry's interface."""

    library = ""

    def instrumentation_dependencies(self) -> Collection[str]:
        """Ask for nothing: what is not installed is never imported, and so never instrumented."""
        return ()

    def _instrument(self, **_: Any) -> None:
        getattr(tocsin, f"instrument_{self.library}")()

    def _uninstrument(self, **_: Any) -> None:
        getattr(tocsin, f"uninstrument_{self.library}")()


class SklearnInstrumentor(_Instrumentor):
    """scikit-learn's estimators."""

    library = "sklearn"


class XGBoostInstrumentor(_Instrumentor):
    """XGBoost's native and scikit-learn interfaces."""

    library = "xgboost"


class LightGBMInstrumentor(_Instrumentor):
    """LightGBM's native and scikit-learn interfaces."""

    library = "lightgbm"


class TransformersInstrumentor(_Instrumentor):
    """Hugging Face pipelines."""

    library = "transformers"
