"""What has come through the receivers where no AI call has: for people who wait for their first."""

import socket
from typing import Any, Final

from tocsin_console.addresses import Address
from tocsin_console.no_calls import USUAL
from tocsin_console.parts import Parts

_CONNECT_S: Final = 0.2
_RECEIVERS: Final = ("grpc", "http")
_REFUSED: Final = ("refused_requests", "keys_refused", "received_spans", "waiting_spans")


def arrivals(parts: Parts) -> dict[str, Any]:
    """Look at the receivers and at what has come through them; for an installation that has no call yet.

    Returns:
        ``receivers`` (name, address, is_listened_to), ``collectors`` (of a server, that live; None: this process is one itself),
        counts since the start of ``refused_requests``, ``keys_refused``, ``received_spans``, ``waiting_spans``, and of what is
        loaded ``spans``, ``last_span_at``, ``services`` and ``libraries`` (of some of it).
    """
    stats = parts.collector_stats()
    loaded = parts.book.ask("spans_arrived")[0]
    spans = int(loaded["spans_loaded"])
    senders = parts.book.ask("spans_senders")[0] if spans else {"services": [], "libraries": []}
    listening = {name: parts.addresses[name] for name in _RECEIVERS if parts.addresses.get(name)}
    return {
        "receivers": [
            {"name": name, "address": address, "is_listened_to": _is_listened_to(address)}
            for name, address in listening.items()
        ],
        "collectors": None if listening else sum(each.is_live for each in parts.collectors()),
        "usual_address": str(USUAL),
        "usual_is_listened_to": _is_listened_to(str(USUAL)),
        **{name: int(stats.get(name, 0)) for name in _REFUSED},
        "spans": spans,
        "last_span_at": loaded["last_received_at"],
        "services": list(senders["services"]),
        "libraries": list(senders["libraries"]),
    }


def _is_listened_to(text: str) -> bool:
    address = Address.parse(text)
    try:
        with socket.create_connection((address.host, address.port), timeout=_CONNECT_S):
            return True
    except OSError:
        return False
