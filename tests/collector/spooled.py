"""Segments as the collector writes them, for tests that damage them."""

from collections.abc import Sequence
from pathlib import Path

from tocsin_collector.spool import index
from tocsin_collector.spool.frames import Contents, Envelope, Frame, Place, digest, retry_key
from tocsin_collector.spool.segments import Request, write_requests

FILE = b"\x01\x02\x03\x04\xfa\xfb\xfc\xfd"
CONTENTS = Contents(items=3, last_end_ns=5)


def frame(body: bytes, project: str = "p", received_ns: int = 1) -> Frame:
    """Make a frame as the intake does."""
    return Frame(body=body, envelope=Envelope(project=project, received_ns=received_ns, digest=digest(body)))


def encoded(frames: Sequence[Frame], file: bytes = FILE) -> list[bytes]:
    """Write frames, one bytes object each."""
    return [b"".join(one.encode(Place(file=file, sequence=n), CONTENTS)) for n, one in enumerate(frames)]


def requests(bodies: Sequence[bytes], *, first_ns: int = 1) -> list[Request]:
    """Make requests of three items each, a nanosecond apart."""
    frames = [frame(body, received_ns=first_ns + n) for n, body in enumerate(bodies)]
    return [Request(frame=one, contents=CONTENTS, key=retry_key("traces", one.envelope.digest, "p")) for one in frames]


def spool_file(path: Path, bodies: Sequence[bytes], *, first_ns: int = 1) -> list[Request]:
    """Write a segment and its index; an open one lacks the seal, as after a kill."""
    listed = requests(bodies, first_ns=first_ns)
    written = write_requests(path, listed)
    path.with_suffix(index.SUFFIX).write_bytes(written if path.suffix == ".seg" else written[:-64])
    return listed
