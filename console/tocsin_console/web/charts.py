"""Charts of pages: each is a figure that is read and drawn when a browser asks for its address."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tocsin_alerts.charts.drawer import Draw

_THEMES: Final = ("light", "dark")


def chart_route(path: str, read: Callable[[Request], Mapping[str, Any] | None], draw: Draw) -> Route:
    """Give the route of one kind of chart.

    Args:
        path: It ends in ``.svg``.
        read: Makes the figure as :func:`~tocsin_alerts.charts.figure.figure` has it; None: there is too little to draw.
        draw: Draws it.
    """

    def answer(request: Request) -> Response:
        figure = read(request)
        theme = request.query_params.get("theme", "light")
        if figure is None or theme not in _THEMES or not (drawn := draw({**figure, "theme": theme}, "svg")):
            return Response(status_code=404)
        return Response(drawn, media_type="image/svg+xml", headers={"cache-control": "private, max-age=30"})

    return Route(path, answer)
