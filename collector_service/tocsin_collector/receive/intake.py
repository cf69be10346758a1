"""From a request's bytes to durable: admit, validate, recognise, spool. Knows no transport."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock

from google.protobuf.message import DecodeError

from tocsin_collector.errors import CollectorError, Overloaded, RequestRejected, Unauthenticated
from tocsin_collector.load.decoder import Kind
from tocsin_collector.load.tally import Fate, Tally
from tocsin_collector.receive.admission import DEFAULT_PROJECT
from tocsin_collector.receive.extents import is_crowded
from tocsin_collector.receive.outcomes import sift
from tocsin_collector.receive.passage import Passage
from tocsin_collector.receive.requests import Signal, look_at
from tocsin_collector.receive.retries import RecentRequests
from tocsin_collector.receive.trimming import Cut, Limits
from tocsin_collector.settings import CollectorSettings
from tocsin_collector.spool.frames import Envelope, Frame, digest, retry_key
from tocsin_collector.spool.segments import Contents
from tocsin_collector.spool.spool import Spool
from tocsin_wire.v1.outcomes_pb2 import RecordOutcomesRequest, RecordOutcomesResponse

_DISK_TIMEOUT_S = 30.0  # beyond any exporter's deadline: the sender has gone


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What was made durable of a request."""

    items: int
    warning: str = ""  # for the sender, who need not do anything: nothing was rejected


class Intake:
    """Takes requests in for every transport; returning means durable."""

    def __init__(
        self,
        settings: CollectorSettings,
        spools: Mapping[Kind, Spool],
        recent: RecentRequests,
        tally: Tally,
        clock: Callable[[], int],
    ) -> None:
        self._settings = settings
        self._spools = spools
        self._recent = recent
        self._tally = tally
        self._clock = clock
        self._looking = (
            Lock()
        )  # one parsed request at a time: parsing holds the interpreter anyway, and memory is bounded
        self._limits = Limits(
            max_value_bytes=None if settings.keep_long_values else settings.max_value_bytes,
            max_attributes=settings.max_attributes,
        )

    def take_spans(self, body: bytes, *, project: str = DEFAULT_PROJECT) -> Taken:
        """Make an OTLP trace request durable; one without spans is taken and leaves nothing.

        Raises:
            RequestRejected: it will always be refused.
            Overloaded: send it again after the delay.
        """
        return self._take_whole("traces", body, project)

    def take_logs(self, body: bytes, *, project: str = DEFAULT_PROJECT) -> Taken:
        """Make an OTLP log request durable, as :meth:`take_spans` does a trace request."""
        return self._take_whole("logs", body, project)

    def take_outcomes(self, body: bytes, *, project: str = DEFAULT_PROJECT) -> RecordOutcomesResponse:
        """Make the valid outcomes of a request durable, and say what was wrong with the others.

        Raises:
            RequestRejected: it is malformed.
            Overloaded: send it again after the delay.
        """
        with self.receiving("outcomes") as passage:
            passage.hold(len(body))
            return self.keep_outcomes(body, passage, project=project)

    @contextmanager
    def receiving(self, kind: Kind) -> Iterator[Passage]:
        """Account for one request of any transport, from its first byte on; what raises in here is booked as refused."""
        passage = Passage(self._tally, self._settings)
        try:
            yield passage
        except CollectorError as error:
            if isinstance(error, Unauthenticated):
                self._tally.locked_out()
            if not passage.is_booked:
                self._tally.count(kind, "received", "refused")
            raise
        finally:
            passage.release()

    def keep(self, signal: Signal, body: bytes, passage: Passage, *, project: str) -> Taken:
        """Make durable a request whose bytes have been let in.

        Raises:
            RequestRejected: it will always be refused.
            Overloaded: send it again after the delay.
        """
        passage.check(len(body))
        with self._looking:
            looked = look_at(signal, body, max_items=self._settings.max_request_spans, limits=self._limits)
        if looked.items:
            contents = Contents(items=looked.items, last_end_ns=looked.last_end_ns)
            passage.is_booked = True
            self._keep(
                signal,
                looked.body,
                digest(looked.body),
                contents,
                project=project,
                now_ns=self._clock(),
                cut=looked.cut,
            )
        return Taken(items=looked.items, warning=looked.cut.sentence(self._limits))

    def keep_outcomes(self, body: bytes, passage: Passage, *, project: str) -> RecordOutcomesResponse:
        """Make durable the valid outcomes of a request whose bytes have been let in; raises as :meth:`take_outcomes`."""
        passage.check(len(body))
        with self._looking:
            request = _read_outcomes(body, self._settings.max_request_outcomes)
        now_ns = self._clock()
        sifted = sift(request, project=project, now_ns=now_ns)
        passage.is_booked = True
        if sifted.rejected:
            self._tally.count("outcomes", "received", "refused", requests=0, items=sifted.rejected)
        if sifted.accepted:
            kept = RecordOutcomesRequest(outcomes=sifted.accepted).SerializeToString(deterministic=True)
            contents = Contents(items=len(sifted.accepted), last_end_ns=0)
            self._keep("outcomes", kept, digest(body), contents, project=project, now_ns=now_ns)
        return RecordOutcomesResponse(
            accepted=len(sifted.accepted), rejected=sifted.rejected, errors=list(sifted.errors)
        )

    def _take_whole(self, signal: Signal, body: bytes, project: str) -> Taken:
        with self.receiving(signal) as passage:
            passage.hold(len(body))
            return self.keep(signal, body, passage, project=project)

    def _keep(
        self,
        kind: Kind,
        body: bytes,
        sent: bytes,
        contents: Contents,
        *,
        project: str,
        now_ns: int,
        cut: Cut | None = None,
    ) -> None:
        """Spool a body once; `sent` is the digest of what the sender sent, by which its retry is known."""
        key = retry_key(kind, sent, project)
        earlier = self._recent.claim(key)
        if earlier is not None:
            earlier.settled.wait(_DISK_TIMEOUT_S)
            fate: Fate = "duplicate" if earlier.is_kept else "refused"
            self._tally.count(kind, "received", fate, items=contents.items)
            if not earlier.is_kept:
                raise Overloaded("the first copy of this was not kept: send it again", retry_after_s=1)
            return
        self._tally.count(kind, "received", items=contents.items)
        stored_digest = digest(body) if kind == "outcomes" else sent  # a frame is proved by the digest of its own bytes
        frame = Frame(body=body, envelope=Envelope(project=project, received_ns=now_ns, digest=stored_digest))
        try:
            ticket = self._spools[kind].submit(frame, contents, key=key, spooled_bytes=self._tally.spool_bytes())
            ticket.wait(_DISK_TIMEOUT_S)
        except Overloaded:
            self._recent.forget(key)
            self._tally.count(kind, "refused", items=contents.items)
            raise
        self._recent.settle(key)
        if cut:
            self._tally.cut(values=cut.values, attributes=cut.attributes)


def _read_outcomes(body: bytes, most: int) -> RecordOutcomesRequest:
    if is_crowded(body):
        raise RequestRejected(f"expected outcomes, got mostly empty values in {len(body)} bytes: send what they hold")
    try:
        request = RecordOutcomesRequest.FromString(body)
    except DecodeError as error:
        raise RequestRejected(f"malformed RecordOutcomesRequest of {len(body)} bytes: {error}") from error
    if len(request.outcomes) > most:
        raise RequestRejected(
            f"expected at most {most} outcomes in one request, got {len(request.outcomes)}: send smaller batches"
        )
    return request
