"""The process that renders a team's own templates: it is given a view, and answers with a text, or what is wrong."""

import json
import pickle
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Final

from tocsin_alerts.errors import TemplateError
from tocsin_alerts.killable import serve
from tocsin_alerts.render import Templates

_IDLE_S: Final = 3_600.0  # a page does not wait for its start more often
_MEMORY: Final = 96 << 20  # beyond the 50 MB of Python and Jinja


def main() -> None:
    """Render until nobody asks."""
    templates = Templates(Path(sys.argv[1]))

    def rendered(request: bytes) -> bytes:
        try:
            name, view = pickle.loads(request)  # noqa: S301 - from the process that started this one, never back
            return json.dumps({"text": templates.render(name, view)}).encode()
        except TemplateError as error:
            return json.dumps({"findings": [asdict(finding) for finding in error.findings]}).encode()
        except BaseException as error:  # noqa: BLE001 - out of memory, mostly
            return json.dumps({"findings": [{"path": "", "line": 0, "message": type(error).__name__}]}).encode()

    serve(rendered, memory_bytes=_MEMORY, idle_s=_IDLE_S)


if __name__ == "__main__":
    main()
