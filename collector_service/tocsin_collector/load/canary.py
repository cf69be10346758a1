"""A request that is known to be good, tried where another was refused: is it the request, or the tables?"""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final, Protocol

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from tocsin_collector.errors import StoreRejected, StoreUnfit
from tocsin_collector.load.decoder import Kind
from tocsin_collector.spool.frames import Envelope, Frame, digest
from tocsin_collector.spool.segments import Segment, write
from tocsin_wire.v1.outcomes_pb2 import RecordOutcomesRequest

_SURE_FOR_S: Final = 30.0  # for splitting, which can be undone by nothing but costs little; nothing is set aside on it
_USE_CASE: Final = "canary"


class TryingStore(Protocol):
    """Where the canary is tried."""

    def check(self, kind: Kind, path: Path, /) -> None:
        """Decode a file and drop the rows; raises StoreRejected where that is refused."""
        ...

    def try_out(self, segment: Segment, /) -> None:
        """Insert a segment beside the tables, where its rows would be stored, and drop it; raises as check does."""
        ...


class Canary:
    """Tells a refused request from tables that refuse everything."""

    def __init__(self, store: TryingStore, *, elapsed: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._elapsed = elapsed
        self._lived_at: dict[Kind, float] = {}

    def decodes(self, segment: Segment) -> None:
        """Do nothing where a good request of the segment's kind is decoded.

        Raises:
            StoreUnfit: even that is refused.
            StoreUnavailable: try again.
        """
        self._send(segment, lambda canary: self._store.check(canary.kind, canary.path))

    def lives(self, segment: Segment, *, lately: bool = False) -> None:
        """Do nothing where the tables take a good request of the segment's kind, or took one lately and that is enough.

        Raises:
            StoreUnfit: even that is refused.
            StoreUnavailable: try again.
        """
        lived_at = self._lived_at.get(segment.kind)
        if lately and lived_at is not None and self._elapsed() - lived_at < _SURE_FOR_S:
            return
        began = self._elapsed()
        self._send(segment, self._store.try_out)
        self._lived_at[segment.kind] = began

    def _send(self, segment: Segment, send: Callable[[Segment], None]) -> None:
        path = segment.path.with_suffix(".try")
        body = good_request(segment.kind, at_ns=segment.first_received_ns)
        envelope = Envelope(project="default", received_ns=segment.first_received_ns, digest=digest(body))
        try:
            size = write(path, [Frame(body=body, envelope=envelope)])
            send(replace(segment, path=path, requests=1, items=1, size_bytes=size))  # its hash, so its shard
        except StoreRejected as error:
            self._lived_at.pop(segment.kind, None)
            raise StoreUnfit(
                f"expected the tables to take a request of {segment.kind} that is known to be good, but they refuse it as they "
                f"do others: {error}. Segments wait in the spool until the table, view or right that it names is mended"
            ) from error
        finally:
            path.unlink(missing_ok=True)


def good_request(kind: Kind, *, at_ns: int) -> bytes:
    """Write one: an AI call, its outcome, or the log event of one."""
    match kind:
        case "traces":
            traces = ExportTraceServiceRequest()
            traces.resource_spans.add().scope_spans.add().spans.add(
                trace_id=b"\1" * 16,
                span_id=b"\1" * 8,
                name=_USE_CASE,
                start_time_unix_nano=at_ns,
                end_time_unix_nano=at_ns + 1,
                attributes=_attributes({"tocsin.use_case": _USE_CASE, "gen_ai.request.model": _USE_CASE}),
            )
            return traces.SerializeToString()
        case "logs":
            logs = ExportLogsServiceRequest()
            logs.resource_logs.add().scope_logs.add().log_records.add(
                time_unix_nano=at_ns,
                event_name="gen_ai.evaluation.result",
                attributes=_attributes({"gen_ai.evaluation.name": _USE_CASE, "gen_ai.response.id": _USE_CASE}),
            )
            return logs.SerializeToString()
        case "outcomes":
            outcomes = RecordOutcomesRequest()
            said = outcomes.outcomes.add(kind="label", source=_USE_CASE, outcome_id=_USE_CASE, label="a")
            said.call.use_case, said.call.call_id, said.call.started_unix_nano = _USE_CASE, _USE_CASE, at_ns
            return outcomes.SerializeToString()


def _attributes(said: dict[str, str]) -> list[KeyValue]:
    return [KeyValue(key=key, value=AnyValue(string_value=value)) for key, value in said.items()]
