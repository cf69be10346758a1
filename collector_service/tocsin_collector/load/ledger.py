"""The load ledger, the dead letters and the watermark row: what the loader writes down beside the rows themselves."""

import json
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Final, Literal

from tocsin_collector.errors import StoreUnavailable
from tocsin_collector.instants import instant, nanoseconds
from tocsin_collector.load.decoder import BLOCK_SETTINGS, Kind
from tocsin_collector.load.stores import TARGETS
from tocsin_collector.privacy.bodies import redacted_body
from tocsin_collector.privacy.redaction import Redaction
from tocsin_collector.spool.frames import Frame
from tocsin_collector.spool.recovery import Damage
from tocsin_collector.spool.segments import Segment
from tocsin_collector.store.database import Database
from tocsin_collector.store.hold import held_by

_AT_ONCE: Final = 500
_LATER_NS: Final = 1_000_000  # what every column of times here can tell apart
_REMEMBERED: Final = 60  # segments; each of up to 150 days in 10,000 tokens
_REMEMBERED_FOR: Final = timedelta(days=6)  # replicas forget after 7
_DOUBTED: Final = "in doubt"  # instead of settings: unlike all of them


class Ledger:
    """One row per segment: begun before its insert, loaded after it, or set aside."""

    def __init__(self, database: Database, clock: Callable[[], int], redactions: Sequence[Redaction] = ()) -> None:
        self._database = database
        self._redactions = redactions
        self._clock = clock
        self._begun: dict[str, int] = {}  # segments under way: what their last line says of when it was written
        self._marked_ns = 0  # the same of the watermark's
        self._doubted: set[str] = set()

    @cached_property
    def _tables(self) -> str:
        return self._ask_tables()

    @cached_property
    def _nodes(self) -> int:
        return self._ask_nodes()

    @cached_property
    def _settings(self) -> str:
        """What a retry must find as it was, for the tables to know its block again."""
        said = {
            "engine": self._database.version(),
            "boot": _boot(),
            "tables": self._tables,
            "nodes": self._nodes,
            **BLOCK_SETTINGS,
        }
        return json.dumps(said, sort_keys=True)

    def write(self, segment: Segment, state: Literal["begun", "loaded", "set_aside"]) -> None:
        """Note how far a segment has come.

        Of several lines the latest counts; so each is later than the one before it, even when the clock was put back.
        """
        at_ns = max(self._clock(), self._begun.get(segment.hash, 0) + _LATER_NS)
        row = {
            "segment": segment.hash,
            "kind": segment.kind,
            "state": state,
            "requests": segment.requests,
            "spans": segment.items,
            "bytes": segment.size_bytes,
            "settings": _DOUBTED if segment.hash in self._doubted else self._settings,
            "first_received_at": instant(segment.first_received_ns),
            "last_received_at": instant(segment.last_received_ns),
            "at": instant(at_ns),
        }
        self._begun[segment.hash] = at_ns
        self._database.insert("load_ledger", [row])
        if state != "begun":
            del self._begun[segment.hash]
            self._doubted.discard(segment.hash)

    def loaded(self, segments: Sequence[Segment]) -> set[str]:
        """Say which of the segments found on disk are in the store already, whole.

        One that was begun is inserted again under the same token, which fills the targets that miss it and leaves the
        others as they are; but only the same engine under the same settings cuts the same block, only the same tables and
        views know it again, and only a machine that has not gone down since remembers its tokens for certain, and only
        for a while. Otherwise it is in doubt. So it is when the engine is in this process: killed in an insert over many
        days it leaves tables that do not take the rest under the same token.
        """
        found: set[str] = set()
        by_hash = {segment.hash: segment for segment in segments}
        hashes = list(by_hash)
        for start in range(0, len(hashes), _AT_ONCE):
            rows = self._database.rows(
                "SELECT segment, state, settings, at, (SELECT count() FROM load_ledger FINAL"
                " WHERE state = 'loaded' AND at > (SELECT min(at) FROM load_ledger FINAL"
                " WHERE state = 'begun' AND segment IN {segments:Array(String)})) AS loaded_since"
                " FROM load_ledger FINAL WHERE segment IN {segments:Array(String)}",
                {"segments": hashes[start : start + _AT_ONCE]},
            )
            for row in rows:
                segment = by_hash[row["segment"]]
                if row["state"] == "begun":
                    self._begun[segment.hash] = nanoseconds(row["at"])
                if row["state"] != "begun":
                    found.add(segment.hash)
                elif (
                    self._database.address.is_embedded
                    or row["settings"] != self._settings
                    or self._is_forgotten(row["at"], int(row["loaded_since"]))
                ):
                    self.doubt(segment)
        return found

    def _is_forgotten(self, begun_at: datetime, loaded_since: int) -> bool:
        """Whether the tables may have forgotten a token: they keep 10,000, of a segment one for each of its days."""
        return loaded_since > _REMEMBERED or instant(self._clock()) - begun_at > _REMEMBERED_FOR

    def doubt(self, segment: Segment) -> None:
        """Note that nobody can say what of a segment is stored; it stays so over restarts until it is loaded."""
        self._doubted.add(segment.hash)

    def tables_changed(self) -> bool:
        """Whether the tables were migrated or restored since the first segment: they may not know a segment's token again."""
        return self._ask_tables() != self._tables

    def _ask_tables(self) -> str:
        sql = (
            "SELECT hex(sipHash64(arraySort(groupArray((name, sha256))))) AS tables FROM"
            " (SELECT name, sha256 FROM schema_migrations FINAL UNION ALL SELECT restore, '' FROM restores FINAL WHERE place != '')"
        )
        return str(self._database.rows(sql)[0]["tables"])

    def require_free(self) -> None:
        """Wait with the next segment while a backup is taken: it would be in some of its tables and not in others.

        Raises:
            StoreUnavailable: one is; nothing was sent.
        """
        if held_by(self._database):
            error = StoreUnavailable("segments wait in the spool while a backup is taken")
            error.nothing_sent = True
            raise error

    def nodes_changed(self) -> bool:
        """Whether a node was given its tables since the first segment: it says nothing of what the one before it took."""
        return self._ask_nodes() != self._nodes

    def _ask_nodes(self) -> int:
        return int(self._database.rows("SELECT count() AS n FROM restores FINAL WHERE place = ''")[0]["n"])

    def is_doubted(self, segment: Segment) -> bool:
        """Whether a segment must be settled, not inserted."""
        return segment.hash in self._doubted

    def doubted_beside(self, segment: Segment) -> list[str]:
        """List the other segments that must be settled, by their hashes."""
        return sorted(self._doubted - {segment.hash})

    def is_loaded(self, segment: Segment) -> bool:
        """Say whether a segment found on disk is in the store already, whole."""
        return segment.hash in self.loaded([segment])

    def state(self, segment: str, kind: Kind) -> str:
        """Say how far a segment has come: begun, loaded, set_aside, or empty when it is not known."""
        rows = self._database.rows(
            "SELECT state FROM load_ledger FINAL WHERE segment = {segment:String} AND kind = {kind:String}",
            {"segment": segment, "kind": kind},
        )
        return str(rows[0]["state"]) if rows else ""

    def stored(self, segment: Segment) -> dict[str, int]:
        """Ask every target how many rows of a segment it holds. Reads whole tables: for restarts and failures."""
        return self._count(segment.kind, segment.hash)

    def _count(self, kind: Kind, segment: str) -> dict[str, int]:
        found = {}
        for table in TARGETS[kind]:
            sql = f"SELECT count() AS n FROM {table} WHERE segment = {{segment:String}}"
            found[table] = int(self._database.rows(sql, {"segment": segment})[0]["n"])
        return found

    def stored_before(self, kind: Kind, written: str, first_ns: int, last_ns: int) -> Literal["none", "some", "all"]:
        """Say whether rows of a segment got into the store before it was damaged.

        Args:
            kind: The segment's.
            written: Its hash as it was written; empty when that is lost too: then its times tell.
            first_ns: When the first of its whole requests was received.
            last_ns: And the last.
        """
        rows = self._database.rows(
            "SELECT segment, state, spans FROM load_ledger FINAL WHERE kind = {kind:String} AND if({written:String} != '',"
            " segment = {written:String}, first_received_at <= {first:DateTime64(6)} AND last_received_at >= {last:DateTime64(6)})",
            {"kind": kind, "written": written, "first": instant(first_ns), "last": instant(last_ns)},
        )
        found: Literal["none", "some", "all"] = "none"
        for row in rows:
            held = self._count(kind, row["segment"])
            whole = sum(held.values()) if kind == "outcomes" else held[TARGETS[kind][0]]  # of outcomes, some wait
            if row["state"] == "loaded" or whole == int(row["spans"]):
                return "all"
            if any(held.values()):
                found = "some"
        return found

    def write_damage(self, kind: Kind, file: str, damage: Damage) -> None:
        """Note what a file lost. Doing it again changes nothing."""
        row = {
            "kind": kind,
            "file": file,
            "requests": damage.requests,
            "items": damage.items,
            "uncounted": damage.uncounted,
            "bytes": damage.size_bytes,
            "at": instant(self._clock()),
        }
        self._database.insert("spool_damage", [row])

    def set_aside(self, segment: Segment, frames: Sequence[Frame], reason: str, *, as_one: bool = False) -> None:
        """Keep requests that can never be loaded, with the reason. Doing it again changes nothing.

        Args:
            segment: That they were in.
            frames: The requests.
            reason: As the store said it.
            as_one: They are the whole segment, of which some tables may hold rows: only all of them can be retried.
        """
        self._database.insert(
            "dead_letters",
            [
                {
                    "project": frame.envelope.project or "default",
                    "kind": segment.kind,
                    "digest": frame.envelope.digest.hex(),
                    "segment": segment.hash,
                    "reason": reason,
                    "body": redacted_body(segment.kind, frame.body, self._redactions),
                    "received_at": instant(frame.envelope.received_ns),
                    "received_ns": frame.envelope.received_ns,
                    "position": position,
                    "together": len(frames) if as_one else 0,
                    "at": instant(self._clock()),
                }
                for position, frame in enumerate(frames)
            ],
            quorum=True,
        )

    def write_watermark(
        self, collector: str, complete_to_ns: int, data_complete_to_ns: int, *, is_ended: bool = False, unfit: str = ""
    ) -> None:
        """Keep the watermark, so that a restart knows it, and evaluators elsewhere; and why nothing can be loaded, if so."""
        self._marked_ns = max(self._clock(), self._marked_ns + _LATER_NS)
        row = {
            "collector": collector,
            "complete_to": instant(complete_to_ns),
            "data_complete_to": instant(data_complete_to_ns),
            "state": "ended" if is_ended else unfit,
            "at": instant(self._marked_ns),
        }
        self._database.insert("watermarks", [row])

    def read_watermark(self, collector: str) -> tuple[int, int]:
        """Read the watermark back: complete_to and data_complete_to in ns, zeros when there is none."""
        rows = self._database.rows(
            "SELECT complete_to, data_complete_to, at FROM watermarks FINAL WHERE collector = {collector:String}",
            {"collector": collector},
        )
        if not rows:
            return 0, 0
        self._marked_ns = nanoseconds(rows[0]["at"])
        return nanoseconds(rows[0]["complete_to"]), nanoseconds(rows[0]["data_complete_to"])


def kinds() -> tuple[Kind, ...]:
    """List the kinds that the spool holds."""
    return ("traces", "outcomes", "logs")


def _boot() -> str:
    """Name the time since the machine last went down, where the system says so."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""
