"""The load ledger, the dead letters and the watermark row: what the loader writes down beside the rows themselves."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from tocsin_collector.database import Database
from tocsin_collector.decoder import BLOCK_SETTINGS, Kind
from tocsin_collector.frames import Frame
from tocsin_collector.segments import Segment
from tocsin_collector.stores import TARGETS

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def instant(nanoseconds: int) -> datetime:
    """Turn nanoseconds since 1970 into an aware datetime, to the microsecond below."""
    return _EPOCH + timedelta(microseconds=nanoseconds // 1000)


def nanoseconds(when: datetime) -> int:
    """Turn an aware datetime into nanoseconds since 1970."""
    return (when - _EPOCH) // timedelta(microseconds=1) * 1000


class Ledger:
    """One row per segment: begun before its insert, loaded after it, or set aside."""

    def __init__(self, database: Database, clock: Callable[[], int]) -> None:
        self._database = database
        self._clock = clock
        self._settings = json.dumps({"engine": database.version(), **BLOCK_SETTINGS}, sort_keys=True)

    def write(self, segment: Segment, state: Literal["begun", "loaded", "set_aside"]) -> None:
        """Note how far a segment has come."""
        row = {
            "segment": segment.hash,
            "kind": segment.kind,
            "state": state,
            "requests": segment.requests,
            "spans": segment.items,
            "bytes": segment.size_bytes,
            "settings": self._settings,
            "first_received_at": instant(segment.first_received_ns),
            "last_received_at": instant(segment.last_received_ns),
            "at": instant(self._clock()),
        }
        self._database.insert("load_ledger", [row])

    def is_loaded(self, segment: Segment) -> bool:
        """Say whether a segment found on disk is in the store already, whole.

        One that was begun is inserted again under the same token, which fills the targets that miss it and leaves the
        others as they are; but only the same engine under the same settings cuts the same block. After an upgrade the
        targets are asked.
        """
        rows = self._database.rows(
            "SELECT state, settings FROM load_ledger FINAL WHERE segment = {segment:String} AND kind = {kind:String}",
            {"segment": segment.hash, "kind": segment.kind},
        )
        if not rows or rows[0]["state"] != "begun":
            return bool(rows)
        if rows[0]["settings"] == self._settings:
            return False
        return self.stored(segment)[TARGETS[segment.kind][0]] == segment.items

    def stored(self, segment: Segment) -> dict[str, int]:
        """Ask every target how many rows of a segment it holds. Reads whole tables: for restarts and failures."""
        found = {}
        for table in TARGETS[segment.kind]:
            sql = f"SELECT count() AS n FROM {table} WHERE segment = {{segment:String}}"
            found[table] = int(self._database.rows(sql, {"segment": segment.hash})[0]["n"])
        return found

    def set_aside(self, segment: Segment, frames: Sequence[Frame], reason: str) -> None:
        """Keep requests that can never be loaded, with the reason. Doing it again changes nothing."""
        self._database.insert(
            "dead_letters",
            [
                {
                    "project": frame.envelope.project or "default",
                    "kind": segment.kind,
                    "digest": frame.envelope.digest.hex(),
                    "segment": segment.hash,
                    "reason": reason,
                    "body": frame.body,
                    "received_at": instant(frame.envelope.received_ns),
                    "at": instant(self._clock()),
                }
                for frame in frames
            ],
        )

    def write_watermark(self, collector: str, complete_to_ns: int, data_complete_to_ns: int) -> None:
        """Keep the watermark, so that a restart knows it."""
        row = {
            "collector": collector,
            "complete_to": instant(complete_to_ns),
            "data_complete_to": instant(data_complete_to_ns),
            "at": instant(self._clock()),
        }
        self._database.insert("watermarks", [row])

    def read_watermark(self, collector: str) -> tuple[int, int]:
        """Read the watermark back: complete_to and data_complete_to in ns, zeros when there is none."""
        rows = self._database.rows(
            "SELECT complete_to, data_complete_to FROM watermarks FINAL WHERE collector = {collector:String}",
            {"collector": collector},
        )
        if not rows:
            return 0, 0
        return nanoseconds(rows[0]["complete_to"]), nanoseconds(rows[0]["data_complete_to"])


def kinds() -> tuple[Kind, ...]:
    """List the kinds that the spool holds."""
    return ("traces", "outcomes", "logs")
