"""Requests queued while no collector runs: written into the spool's folder, and loaded by the next start."""

from pathlib import Path

from tocsin_collector.load.ledger import Ledger
from tocsin_collector.spool.second_chance import Batch
from tocsin_collector.spool.segments import of_seal, rewrite, sum_up


class RestingQueue:
    """Adds segments to a spool that nobody has open; hold the folder's lock around it."""

    def __init__(self, spool: Path, ledger: Ledger) -> None:
        self._spool = spool
        self._ledger = ledger

    def queue(self, batch: Batch) -> bool:
        """Add requests; False when the ledger knows that they are stored."""
        if self._ledger.state(batch.hash, batch.kind) == "loaded":
            return False
        folder = self._spool / batch.kind
        folder.mkdir(parents=True, exist_ok=True)
        self._ledger.write(of_seal(batch.kind, folder, sum_up(batch.requests, 0)), "begun")
        taken = [int(path.name.split(".")[0]) for path in folder.iterdir() if path.name.split(".")[0].isdecimal()]
        rewrite(batch.kind, folder / f"{max(taken, default=0) + 1:08d}.seg", batch.requests)
        return True
