"""The process that draws: a line of JSON in, a length and an image out, until nobody asks for a while.

It ends when its parent does, and when it takes too much of the processor, whatever the libraries that draw are about.
"""

import json
import resource
import select
import struct
import sys
from typing import Any, Final

import vl_convert

from tocsin_alerts.charts.specification import specification

_IDLE_S: Final = 120.0  # it holds 140 MB, and incidents are rare
_CPU_S: Final = 30  # in all; the next message gets a new one


def main() -> None:
    """Draw until the input ends."""
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_S, _CPU_S))
    vl_convert.vegalite_to_svg({"mark": "point", "data": {"values": [{}]}})  # the first takes half a second, so now
    while select.select([sys.stdin.buffer], [], [], _IDLE_S)[0]:
        line = sys.stdin.buffer.readline()
        if not line:
            return
        drawn = _drawn(json.loads(line))
        sys.stdout.buffer.write(struct.pack(">I", len(drawn)) + drawn)
        sys.stdout.buffer.flush()


def _drawn(asked: dict[str, Any]) -> bytes:
    try:
        spec = specification(asked["chart"])
        if asked["kind"] == "svg":
            return bytes(vl_convert.vegalite_to_svg(spec).encode())
        return bytes(vl_convert.vegalite_to_png(spec, scale=1.5))
    except Exception as error:  # noqa: BLE001 - whatever it is, the message goes out without a chart
        print(f"a chart cannot be drawn: {error!r}", file=sys.stderr)  # noqa: T201
        return b""


if __name__ == "__main__":
    main()
