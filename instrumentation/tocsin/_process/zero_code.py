"""Zero-code start: the environment under which a Python program instruments itself (``tocsin run -- CMD``).

Standard library only: the command that uses it should start at once.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

BOOTSTRAP: Final = Path(__file__).parent.parent / "_bootstrap"


def environment(
    *,
    use_case: str | None = None,
    service_name: str | None = None,
    endpoint: str | None = None,
    guard_endpoint: str | None = None,
    base: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Return an environment like `base` (the present one by default) in which every Python process starts tocsin by itself.

    A ``sitecustomize`` of ours comes first on PYTHONPATH; it calls `init` and `instrument_sklearn`, then whatever
    ``sitecustomize`` the environment had.
    """
    made = dict(os.environ if base is None else base)
    paths = [path for path in made.get("PYTHONPATH", "").split(os.pathsep) if path and path != str(BOOTSTRAP)]
    made["PYTHONPATH"] = os.pathsep.join([str(BOOTSTRAP), *paths])
    asked = {
        "TOCSIN_USE_CASE": use_case,
        "OTEL_SERVICE_NAME": service_name,
        "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
        "TOCSIN_GUARD_ENDPOINT": guard_endpoint,
    }
    return made | {key: value for key, value in asked.items() if value}
