"""An upgrade over the same data: everything is still there, nobody is paged anew, both generations of the SDK are understood."""

import http.client
import json
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from _release.failing import CALLS, receiver, send_hours
from _release.older import Up, Version

_HERE: Final = Path(__file__).parent
_PATIENCE_S: Final = 300.0  # a loaded machine is slow, not broken
_SERVED: Final = 20  # calls of one version's service to one version's collector
_CONFIG: Final = """\
clock: data
channels:
  - {{name: hook, type: webhook, url: "{url}/hook"}}
"""
_PLAN: Final = "use_case: digits\nowner: ana\n"
Tables = Mapping[str, Mapping[str, Sequence[str]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Upgrade:
    """What became of it."""

    rows: Mapping[str, int]  # of the version before, that were compared, by table
    missing: Mapping[str, int]  # of them, that the new one's store lacks
    returned: bool  # whether the version before came up over the new one's tables
    missing_after_return: Mapping[str, int]  # what is lacking once it has tried
    # Before, after, and over tables of the next version: what verbs said of alerts, guard, keys, silences and reviews;
    # messages that something fires; whether the loss ledger balances (from after on); calls that are stored, and were sent.
    said: tuple[Mapping[str, Any], ...]
    pages: tuple[int, ...]
    balances: tuple[bool, ...]
    calls: tuple[int, ...]
    sent: tuple[int, ...]
    next_says: str  # what the new version says of tables of the one after it


def upgrade(
    *, old: Version, new: Callable[[], Version], old_sdk: Version, new_sdk: Version, folder: Path, store: str = ""
) -> Upgrade:
    """Use the old version and kill it, put the new one in its place; try the old one again, and the new one over tables of the next.

    Args:
        old: The release before.
        new: Makes the new version: where it is installed over the old one, this does it.
        old_sdk: What services of before go on to use.
        new_sdk: What services use that were upgraded first.
        folder: An empty folder: configuration, data.
        store: A server's URL; empty for the embedded engine.
    """
    where = store or str(folder / "data" / "store")
    life = _Life(folder=folder, options=("--clickhouse", store) if store else (), old_sdk=old_sdk, new_sdk=new_sdk)
    with receiver() as (url, life.posts):
        (folder / "tocsin.yaml").write_text(_CONFIG.format(url=url))
        (folder / "use_cases").mkdir()
        (folder / "use_cases" / "digits.yaml").write_text(_PLAN)
        with old.up(folder, *life.options) as up:
            life.begin(up, old)
            life.look(up, old, ledger=False)
            send_hours(up.facts["grpc"], "late", until=datetime.now(UTC), fail=False)  # acknowledged, and killed
            up.process.kill()
        kept = _rows(old, where, folder, {})
        life.sent += CALLS
        columns = {name: list(each["columns"]) for name, each in kept.items()}

        newer = new()
        with newer.up(folder, *life.options) as up:
            life.serve(up)
            life.look(up, newer)
        now = _rows(newer, where, folder, columns)

        with old_sdk.up(folder, *life.options) as up:
            returned = "grpc" in up.facts
        back = _rows(newer, where, folder, columns)

        newer.run(_HERE / "later.py", where, cwd=folder)
        with newer.up(folder, *life.options) as up:
            life.serve(up)
            life.look(up, newer)
    warned = re.findall(r"the tables are of tocsin .*", (folder / "log").read_text())
    return Upgrade(
        rows={name: len(each["rows"]) for name, each in kept.items()},
        missing=_lacking(kept, now),
        returned=returned,
        missing_after_return=_lacking(kept, back),
        said=tuple(life.said),
        pages=tuple(life.pages),
        balances=tuple(life.balances),
        calls=tuple(life.calls),
        sent=tuple(life.sent_by),
        next_says=warned[-1] if warned else "",
    )


class _Life:
    """One installation through its versions, and what was seen of it in each."""

    def __init__(self, *, folder: Path, options: Sequence[str], old_sdk: Version, new_sdk: Version) -> None:
        self.options = options
        self.posts: list[tuple[str, bytes]] = []
        self.said: list[Mapping[str, Any]] = []
        self.pages: list[int] = []
        self.balances: list[bool] = []
        self.calls: list[int] = []
        self.sent_by: list[int] = []
        self.sent = 0
        self._folder = folder
        self._sdks = (old_sdk, new_sdk)

    def begin(self, up: Up, version: Version) -> None:
        """Calls, a page, and what people decide about it."""
        send_hours(up.facts["grpc"], "digits", until=datetime.now(UTC))
        self.sent += CALLS
        _wait_for(lambda: bool(self._fired()), what="a page")
        handle = self.serve(up)
        listed = json.loads(self._verbs(version, ["alerts", "list", "--all", "--json"])[0])
        incident = next(alert["incident"] for alert in listed if alert["incident"])
        served = "SELECT call_id FROM calls WHERE use_case = 'digits' AND output_label != '' LIMIT 1"
        _wait_for(lambda: bool(_query(up, served)), what="the service's calls")
        *_, due = self._verbs(
            version,
            ["alerts", "ack", incident, "--by", "ana"],
            ["alerts", "silence", "refunds", "--for", "2d", "--because", "a move"],
            ["guard", "set", "digits", "fallback", "--by", "ana", "--because", "it fails"],
            ["keys", "create", "shop", "--name", "checkout"],
            ["outcomes", "add", handle, "--label", "refund", "--by", "ana"],
            ["review", "draw"],
            ["review", "next", "--use-case", "digits", "--by", "ana", "--json"],
        )
        call = re.findall(r'"call_id": "(\w+)"', due)[0]
        self._verbs(version, ["review", "score", call, "--use-case", "digits", "--score", "2", "--by", "ana"])

    def serve(self, up: Up) -> str:
        """Run a service of each generation against it; gives a handle of the first."""
        handles = [
            sdk.run(_HERE / "use.py", up.facts["grpc"], use_case, str(_SERVED), cwd=self._folder)
            for sdk in self._sdks
            for use_case in ("digits", "refunds")
        ]
        self.sent += 2 * 2 * _SERVED
        return handles[0]

    def look(self, up: Up, version: Version, *, ledger: bool = True) -> None:
        """Wait until all is loaded and evaluated twice, and keep what there is to see."""
        stored = "SELECT count() FROM calls"
        _wait_for(lambda: _query(up, stored) == [[self.sent]], what=f"{self.sent} calls under {version.name}")
        turns = _turns(up)
        _wait_for(lambda: _turns(up) >= turns + 2, what="two evaluations")
        self.calls.append(_query(up, stored)[0][0])
        self.sent_by.append(self.sent)
        self.pages.append(len(self._fired()))
        if ledger:
            self.balances.append(bool(_get(up, "/api/status")["ledger"]["balances"]))
        alerts, guard, keys, silences, reviews = map(json.loads, self._verbs(version, *_LOOKS))
        # An hour that ends meanwhile, with good calls in it, begins an end: the alert stands all the same.
        for alert in alerts:
            alert["state"] = "firing" if alert["state"] == "recovering" else alert["state"]
        self.said.append(
            {
                "alerts": _of(
                    alerts, ("use_case", "rule", "state", "incident", "since", "acknowledged_by"), rule="error-rate"
                ),
                "guard": _of(guard, ("use_case", "state")),
                "keys": _of(keys, ("key_id", "project", "name", "created_by")),
                "silences": _of(silences, ("silence", "author", "reason")),
                "reviews": _of(reviews, ("use_case", "week", "scored", "drawn")),
            }
        )

    def _fired(self) -> list[Any]:
        """Messages that something of the services fires; what tocsin says of itself on busy cores is no claim of this."""
        said = [json.loads(body) for path, body in list(self.posts) if path == "/hook"]
        return [each for each in said if each["type"] == "alert.firing" and each["data"]["use_case"] != "tocsin"]

    def _verbs(self, version: Version, *lines: Sequence[str]) -> list[str]:
        said = version.run(_HERE / "say.py", "data", cwd=self._folder, given=json.dumps(lines))
        answers = json.loads(said)
        failed = [(words, answer) for words, answer in zip(lines, answers, strict=True) if answer[0] not in {0, 1}]
        if failed:
            raise RuntimeError(f"tocsin {version.name}: {failed}")
        return [out for _, out, _ in answers]


_LOOKS: Final = (
    ["alerts", "list", "--all", "--json"],
    ["guard", "show", "--json"],
    ["keys", "ls", "--json"],
    ["alerts", "silences", "--json"],
    ["review", "status", "--json"],
)


def calls(up: Up, *, at_least: int) -> int:
    """Wait until so many calls of today are stored; give how many are."""
    stored = "SELECT count() FROM calls WHERE started_at >= toStartOfDay(now('UTC'))"
    _wait_for(lambda: _query(up, stored)[0][0] >= at_least, what=f"{at_least} calls")
    return int(_query(up, stored)[0][0])


def _of(rows: Any, names: Sequence[str], **only: str) -> list[list[Any]]:
    """Take of each row what every version says."""
    return [[row.get(name) for name in names] for row in rows if all(row[key] == value for key, value in only.items())]


def _rows(version: Version, where: str, folder: Path, columns: Mapping[str, Sequence[str]]) -> Tables:
    found: Tables = json.loads(version.run(_HERE / "rows.py", where, cwd=folder, given=json.dumps(columns)))
    return found


def _lacking(kept: Tables, now: Tables) -> dict[str, int]:
    """Count rows of before that are not there, by table; only tables that lack some."""
    lacking = {name: len(set(each["rows"]) - set(now[name]["rows"])) for name, each in kept.items()}
    return {name: count for name, count in lacking.items() if count}


def _turns(up: Up) -> int:
    return int(_get(up, "/api/status")["loops"]["engine"]["turns"])


def _query(up: Up, sql: str) -> list[list[Any]]:
    rows: list[list[Any]] = _get(up, "/api/query", {"sql": sql})["rows"]
    return rows


def _get(up: Up, path: str, body: Any = None) -> Any:
    connection = http.client.HTTPConnection(up.facts["api"], timeout=_PATIENCE_S)
    if body is None:
        connection.request("GET", path)
    else:
        connection.request("POST", path, json.dumps(body), {"content-type": "application/json"})
    answer = json.loads(connection.getresponse().read())
    connection.close()
    return answer


def _wait_for(seen: Callable[[], bool], *, what: str) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while not seen():
        if time.monotonic() > deadline:
            raise RuntimeError(f"waited {_PATIENCE_S:g} s in vain for {what}")
        time.sleep(0.2)
