"""The spool and the dead letters as a person deals with them: over the API of a running tocsin, or while none runs."""

import base64
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tocsin_collector.errors import RequestRejected
from tocsin_collector.load.ledger import Ledger
from tocsin_collector.spool import spool_look
from tocsin_collector.spool.data_folder import FolderLock
from tocsin_collector.spool.resting import RestingQueue
from tocsin_collector.spool.second_chance import DeadLetters, Queue, Store, batches_of, kind_of
from tocsin_console.config import Config
from tocsin_console.errors import UsageProblem


class SpoolDesk:
    """Answers in plain values."""

    def __init__(self, spool: Path, store: Store, queue: Queue) -> None:
        self._spool = spool
        self._letters = DeadLetters(store)
        self._queue = queue

    def replay(self, path: Path, kind: str | None) -> dict[str, Any]:
        """Queue what is whole in a file."""
        try:
            batch = batches_of(kind_of(path, kind), path)
        except OSError as error:
            raise UsageProblem(f"expected a file of frames at {path}: {error.strerror or error}") from error
        except RequestRejected as error:
            raise UsageProblem(str(error)) from error
        queued = self._queue(batch)
        return {
            "file": str(path),
            "kind": batch.kind,
            "segment": batch.hash,
            "requests": len(batch.requests),
            "items": sum(one.contents.items for one in batch.requests),
            "queued": queued,  # False: the ledger knows that it is stored
        }

    def letters(self, digest: str = "", reason: str = "") -> list[dict[str, Any]]:
        """List dead letters."""
        return [_plain(each) for each in self._letters.listed(digest=digest, reason=reason)]

    def letter(self, digest: str) -> dict[str, Any]:
        """Show one with its bytes, in base64."""
        try:
            found, body = self._letters.body(digest)
        except RequestRejected as error:
            raise UsageProblem(str(error)) from error
        return {**_plain(found), "body": base64.b64encode(body).decode()}

    def retry(self, digest: str = "", reason: str = "") -> dict[str, Any]:
        """Queue dead letters again."""
        if not self._letters.listed(digest=digest, reason=reason):
            raise UsageProblem("expected dead letters as in 'tocsin deadletter ls', got none that match")
        again = self._letters.retry(self._queue, digest=digest, reason=reason)
        return {"queued": again.queued, "already_stored": again.already_stored, "problems": list(again.problems)}


def files(spool: Path) -> list[dict[str, Any]]:
    """List what is in the spool's folder; needs no store."""
    return [_plain(each) for each in spool_look.look(spool, now_ns=time.time_ns())]


def verified(spool: Path) -> dict[str, Any]:
    """Walk every frame of it; needs no store."""
    found = spool_look.verify(spool)
    return {
        "is_whole": all(each.is_whole for each in found),
        "files": [{**_plain(each), "is_whole": each.is_whole} for each in found],
    }


@contextmanager
def desk_at_rest(config: Config) -> Iterator[SpoolDesk]:
    """Open the store and the spool while nothing runs.

    Raises:
        StoreInUse: a running process holds one of them after all.
    """
    from tocsin_console.at_rest import opened

    spool = config.data_dir / "spool"
    with opened(config, now=datetime.now(UTC)) as store:
        lock = FolderLock.take(spool)
        try:
            yield SpoolDesk(spool, store, RestingQueue(spool, Ledger(store, time.time_ns)).queue)
        finally:
            lock.release()


def _plain(value: Any) -> dict[str, Any]:
    from tocsin_console.wire import plain

    known = plain(value)
    return dict(known)
