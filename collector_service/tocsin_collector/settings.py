"""The collector's settings, validated once."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tocsin_collector.privacy.redaction import Redaction
from tocsin_collector.receive.tls import TlsFiles

_MIB = 1024 * 1024
SPOOL_MAX_BYTES: Final = 4096 * _MIB
SPOOL_LEAST_BYTES: Final = 64 * _MIB  # one segment


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectorSettings:
    """Where the collector listens and spools, and how much it holds."""

    data_dir: Path
    grpc_address: str = "127.0.0.1:4317"  # port 0 picks a free one
    http_address: str | None = None  # OTLP/HTTP; None: not at all
    name: str = "collector"  # this collector's row in the watermarks table
    max_request_bytes: int = 64 * _MIB  # decompressed
    max_request_spans: int = 500_000  # what one insert block may hold
    max_request_outcomes: int = 50_000
    max_value_bytes: int = 64 * 1024  # of one value; more is cut and marked
    keep_long_values: bool = False  # then nothing is cut here, and call_content holds what the tables' columns cut
    max_attributes: int = 4096  # of one span, log record, resource or scope; of its events and links, too
    max_bytes_in_flight: int = 256 * _MIB  # requests received and not yet in the spool
    spool_max_bytes: int = SPOOL_MAX_BYTES  # beyond it, senders are asked to wait
    segment_max_bytes: int = SPOOL_LEAST_BYTES  # an insert costs 0.15 s of planning however small it is
    loads_at_once: int = 2  # segments that go into the store beside each other; each is planned and read on one core
    segment_max_age_s: float = 1.0
    quiet_s: float = 0.03  # seal early when nothing came for this long and the loader is idle
    retry_after_s: float = 1.0  # what an overloaded collector asks for; Python's exporter gives up after about 10 s
    handler_threads: int = 32
    recent_requests: int = 200_000  # whose retries are recognised, over restarts too: 100 million spans at 500 each
    prove_after_s: float = 60.0  # a segment that waited longer is compared with its digests before it is loaded
    damaged_max_bytes: int = 256 * _MIB  # of damaged bytes kept for the operator to look at
    max_connections: int = 4096  # over HTTP; beyond it the one that has been idle longest is closed
    head_timeout_s: float = 10.0  # for a request's first line and headers
    body_timeout_s: float = 30.0  # for its body; exporters give up after 10 s
    connection_age_s: float = 300.0  # of a gRPC connection; requests under way are answered on the old one
    heartbeat_s: float = 10.0  # over a server: how often the watermark is written though nothing arrives
    tls: TlsFiles | None = None  # None: in clear, for loopback
    redactions: tuple[Redaction, ...] = ()  # what is taken out of texts before they are stored, in this order

    def __post_init__(self) -> None:
        for name in (
            "max_request_bytes", "max_request_spans", "max_request_outcomes", "max_attributes", "max_bytes_in_flight",
            "segment_max_bytes", "loads_at_once", "max_connections",
        ):  # fmt: skip
            if getattr(self, name) < 1:
                raise ValueError(f"expected {name} of at least 1, got {getattr(self, name)}")
        if self.max_value_bytes < 1024:  # the mark at its end, and something before it
            raise ValueError(f"expected max_value_bytes of at least 1024, got {self.max_value_bytes}")
        if not 0 < self.retry_after_s <= 2:
            raise ValueError(f"expected retry_after_s above 0 and at most 2, got {self.retry_after_s}")
        names = [rule.name for rule in self.redactions]
        if len(set(names)) < len(names):
            raise ValueError(f"expected redactions of different names, got {', '.join(sorted(names))}")
        if self.spool_max_bytes < self.segment_max_bytes:
            raise ValueError(
                f"expected spool_max_bytes of at least segment_max_bytes ({self.segment_max_bytes}), "
                f"got {self.spool_max_bytes}"
            )

    @property
    def spool_dir(self) -> Path:
        """The folder of spool segments, one folder per kind inside."""
        return self.data_dir / "spool"
