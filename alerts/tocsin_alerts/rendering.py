"""Renders a team's own templates in a process of its own, which is killed when one of them takes too much.

The sandbox counts what templates do; this holds when something is found that it does not count.
"""

import json
import pickle
import sys
import threading
from pathlib import Path
from typing import Any, Final

from tocsin_alerts.errors import Finding, TemplateError
from tocsin_alerts.killable import KillableProcess
from tocsin_alerts.message import View

_CPU_S: Final = 1.0  # of one template; the shipped ones take 0.02 s, 0.3 s the first time
_TIME_S: Final = 20.0  # of one template on a busy machine
_START_S: Final = 60.0


class RenderingProcess:
    """Renders from one folder, over the shipped templates; for any thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._process = KillableProcess((sys.executable, "-m", "tocsin_alerts.rendering_worker", str(folder)))

    @property
    def pid(self) -> int | None:
        """The number of the process while it runs."""
        return self._process.pid

    def render(self, name: str, view: View) -> str:
        """Render one template.

        Raises:
            TemplateError: as :meth:`tocsin_alerts.render.Templates.render` does, or it took too much.
        """
        request = pickle.dumps((name, view))
        with self._lock:
            try:
                answer = self._process.ask(request, time_s=_TIME_S, start_s=_START_S, cpu_s=_CPU_S)
            except TimeoutError:
                raise _failed(name, f"the template takes more than {_CPU_S:g} s: loop over less") from None
            except OSError as error:
                raise _failed(name, f"the process that renders has ended: {error}") from error
        said: dict[str, Any] = json.loads(answer)
        if "text" not in said:
            raise TemplateError([Finding(**{**each, "path": each["path"] or name}) for each in said["findings"]])
        return str(said["text"])

    def close(self) -> None:
        """End the process."""
        with self._lock:
            self._process.close()


def _failed(name: str, message: str) -> TemplateError:
    return TemplateError([Finding(path=name, line=0, message=message)])
