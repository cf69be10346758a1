"""Why no AI call has come: the causes that can be told from what was sent and refused. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from tocsin_console.addresses import Address
from tocsin_console.check import Check

USUAL: Final = Address(host="127.0.0.1", port=4317)  # where OpenTelemetry's SDKs send to, and ours


def why_no_calls(found: Mapping[str, Any]) -> list[Check]:
    """Name the causes that were found, the surest first, each with what mends it; never nothing.

    Args:
        found: As :func:`~tocsin_console.arrivals.arrivals` says it.
    """
    return [*_unheard(found), *_refused(found), *_without_calls(found)] or [_nothing_sent(found)]


def _unheard(found: Mapping[str, Any]) -> Iterator[Check]:
    for each in found["receivers"]:
        if not each["is_listened_to"]:
            said = f"nothing listens on {each['address']}, where {each['name']} should"
            yield _cause(said, "look at the log of tocsin up, and start it again")
    if found["collectors"] == 0:
        yield _cause("no collector is running", "tocsin collector, over the same store")


def _refused(found: Mapping[str, Any]) -> Iterator[Check]:
    keyless = found["keys_refused"]
    if keyless:
        said = f"{keyless:,} {_requests(keyless)} refused: without an ingest key, or with a wrong one"
        yield _cause(said, "tocsin keys create, and start the service with TOCSIN_KEY=KEY")
    if (other := found["refused_requests"] - keyless) > 0:
        yield _cause(f"{other:,} {_requests(other)} refused", "look at the sender's log: each was told why")
    if waiting := found["waiting_spans"]:
        yield _cause(f"{waiting:,} spans have come and wait to be loaded", "tocsin doctor, should it last")


def _without_calls(found: Mapping[str, Any]) -> Iterator[Check]:
    if not found["spans"]:
        return
    by = f" from {', '.join(found['services'])}" if found["services"] else ""
    said = f"{found['spans']:,} spans have come{by}, none of an AI call" + (
        f", the last at {_minute(found['last_span_at'])}" if found["last_span_at"] else ""
    )
    said += (
        f": they are by {', '.join(found['libraries'])}, and no supported library was seen"
        if found["libraries"]
        else ""
    )
    yield _cause(said, "tocsin run -- python service.py, or @tocsin.observe on the function that asks the model")


def _nothing_sent(found: Mapping[str, Any]) -> Check:
    addresses = [each["address"] for each in found["receivers"]]
    if not addresses:
        return _cause("nothing has been sent to the collectors", "tocsin run -- python service.py")
    said = f"nothing has been sent to {' or '.join(addresses)}"
    grpc = addresses[0]
    if Address.parse(grpc).port == USUAL.port:
        return _cause(said, "tocsin run -- python service.py")
    if found["usual_is_listened_to"]:
        said += f": what sends to {found['usual_address']}, as OpenTelemetry does unless told otherwise, reaches another program"
    else:
        said += f": OpenTelemetry sends to {found['usual_address']} unless told otherwise"
    return _cause(said, f"tocsin run --endpoint http://{grpc} -- python service.py")


def _minute(when: Any) -> str:
    """Print an instant, or its text in a document."""
    return f"{str(when)[:16].replace('T', ' ')} UTC"


def _cause(said: str, do: str) -> Check:
    return Check(name="calls", level="finding", said=said, do=do)


def _requests(count: int) -> str:
    return "request was" if count == 1 else "requests were"
