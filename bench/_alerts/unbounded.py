"""The rendering process with a budget that is never spent: what is left then is what the process itself allows."""

import math
import sys
from pathlib import Path
from typing import Any, Final

_HERE: Final = str(Path(__file__).resolve().parents[1])
COMMAND: Final = (
    sys.executable,
    "-c",
    f"import sys; sys.path.insert(0, {_HERE!r}); from _alerts.unbounded import main; main()",
)


def main() -> None:
    """Render until nobody asks, whatever it takes."""
    from tocsin_alerts import render, rendering_worker, sandbox

    class Endless(sandbox.Budget):
        """A budget of everything."""

        def __init__(self, **_asked: Any) -> None:
            super().__init__(chars=1 << 60, turns=1 << 60, deadline=math.inf)

    render.Budget = Endless  # type: ignore[misc]
    rendering_worker.main()
