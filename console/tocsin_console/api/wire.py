"""One JSON answer."""

from typing import Any

from starlette.responses import Response

from tocsin_console.wire import document


class Json(Response):
    """A body that :func:`~tocsin_console.wire.document` writes."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """Write the body."""
        return document(content).encode()
