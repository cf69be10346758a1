"""The process that draws: it is asked in JSON, and answers with an image, empty where there can be none."""

import json
import resource
from typing import Final

import vl_convert

from tocsin_alerts.charts.figure import figure
from tocsin_alerts.charts.specification import specification
from tocsin_alerts.killable import serve

_CPU_S: Final = 30  # in all; the message after that gets a new process


def main() -> None:
    """Draw until nobody asks."""
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_S, _CPU_S))
    vl_convert.vegalite_to_svg({"mark": "point", "data": {"values": [{}]}})  # the first takes half a second, so now
    serve(_drawn)


def _drawn(request: bytes) -> bytes:
    try:
        asked = json.loads(request)
        chart = asked["chart"]
        spec = figure(chart) if "type" in chart else specification(chart)
        if asked["kind"] == "svg":
            return bytes(vl_convert.vegalite_to_svg(spec).encode())
        return bytes(vl_convert.vegalite_to_png(spec, scale=1.5))
    except Exception:  # noqa: BLE001 - whatever it is, the message goes out without a chart
        return b""


if __name__ == "__main__":
    main()
