"""From a request's bytes to durable: admit, validate, recognise, spool. Knows no transport."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from google.protobuf.message import DecodeError

from tocsin_collector.decoder import Kind
from tocsin_collector.errors import Overloaded, RequestRejected
from tocsin_collector.frames import Envelope, Frame, digest, retry_key
from tocsin_collector.outcomes import sift
from tocsin_collector.requests import look_at_spans
from tocsin_collector.retries import RecentRequests
from tocsin_collector.segments import Contents
from tocsin_collector.settings import CollectorSettings
from tocsin_collector.spool import Spool
from tocsin_collector.tally import Fate, Tally
from tocsin_wire.v1.outcomes_pb2 import RecordOutcomesRequest, RecordOutcomesResponse

_DISK_TIMEOUT_S = 30.0  # beyond any exporter's deadline: the sender has gone


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

    def take_spans(self, body: bytes, *, project: str = "") -> None:
        """Make an OTLP trace request durable; one without spans is taken and leaves nothing.

        Raises:
            RequestRejected: it will always be refused.
            Overloaded: send it again after the delay.
        """
        with self._admitted("traces", body):
            try:
                looked = look_at_spans(body, max_spans=self._settings.max_request_spans)
            except RequestRejected:
                self._tally.count("traces", "received", "refused")
                raise
            if looked.spans:
                contents = Contents(items=looked.spans, last_end_ns=looked.last_end_ns)
                self._keep("traces", body, digest(body), contents, project=project, now_ns=self._clock())

    def take_outcomes(self, body: bytes, *, project: str = "") -> RecordOutcomesResponse:
        """Make the valid outcomes of a request durable, and say what was wrong with the others.

        Raises:
            RequestRejected: it is malformed.
            Overloaded: send it again after the delay.
        """
        with self._admitted("outcomes", body):
            try:
                request = RecordOutcomesRequest.FromString(body)
            except DecodeError as error:
                self._tally.count("outcomes", "received", "refused")
                raise RequestRejected(f"malformed RecordOutcomesRequest of {len(body)} bytes: {error}") from error
            now_ns = self._clock()
            sifted = sift(request, project=project, now_ns=now_ns)
            if sifted.rejected:
                self._tally.count("outcomes", "received", "refused", requests=0, items=sifted.rejected)
            if sifted.accepted:
                kept = RecordOutcomesRequest(outcomes=sifted.accepted).SerializeToString(deterministic=True)
                contents = Contents(items=len(sifted.accepted), last_end_ns=0)
                self._keep("outcomes", kept, digest(body), contents, project=project, now_ns=now_ns)
            return RecordOutcomesResponse(
                accepted=len(sifted.accepted), rejected=sifted.rejected, errors=list(sifted.errors)
            )

    def refuse(self, kind: Kind) -> None:
        """Count a request that was turned away before it was looked at."""
        self._tally.count(kind, "received", "refused")

    @contextmanager
    def _admitted(self, kind: Kind, body: bytes) -> Iterator[None]:
        if len(body) > self._settings.max_request_bytes:
            self._tally.count(kind, "received", "refused")
            raise RequestRejected(
                f"expected a request of at most {self._settings.max_request_bytes} bytes, got {len(body)}: "
                f"send smaller batches"
            )
        if not self._tally.admit(len(body), self._settings.max_bytes_in_flight):
            self._tally.count(kind, "received", "refused")
            raise Overloaded(
                f"{self._settings.max_bytes_in_flight} bytes are on their way to the spool already: send this again",
                retry_after_s=self._settings.retry_after_s,
            )
        try:
            yield
        finally:
            self._tally.release(len(body))

    def _keep(self, kind: Kind, body: bytes, sent: bytes, contents: Contents, *, project: str, now_ns: int) -> None:
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
        stored_digest = sent if kind == "traces" else digest(body)  # a frame is proved by the digest of its own bytes
        frame = Frame(body=body, envelope=Envelope(project=project, received_ns=now_ns, digest=stored_digest))
        try:
            ticket = self._spools[kind].submit(frame, contents, key=key, spooled_bytes=self._tally.spool_bytes())
            ticket.wait(_DISK_TIMEOUT_S)
        except Overloaded:
            self._recent.forget(key)
            self._tally.count(kind, "refused", items=contents.items)
            raise
        self._recent.settle(key)
