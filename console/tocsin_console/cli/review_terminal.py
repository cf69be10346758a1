"""The review at a terminal: one call at a time, one key each."""

import time
from collections.abc import Callable
from typing import Any, Final, Protocol

from tocsin_console.cli.output import named, say, when
from tocsin_console.cli.review import estimate, points

KEYS: Final = "1-5 score · y right · n wrong · e corrected output · c comment · s skip · u undo · q quit"
_WIDEST: Final = 4_000  # characters of one text


class Api(Protocol):
    """The loopback API."""

    def post(self, path: str, body: dict[str, Any]) -> Any:
        """Ask for something to be done."""
        ...


class Terminal:
    """One reviewer at one terminal.

    Args:
        api: Where calls come from and scores go.
        reviewer: Who scores.
        project: Of the calls.
        key: Reads one key.
        line: Reads one line, after a prompt.
        clock_s: Counts seconds: what a score took is its cost.
    """

    def __init__(
        self,
        api: Api,
        *,
        reviewer: str,
        project: str,
        key: Callable[[], str],
        line: Callable[[str], str],
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._api = api
        self._about: dict[str, Any] = {"actor": reviewer, "project": project}
        self._key = key
        self._line = line
        self._clock_s = clock_s

    def score_all(self, standing: dict[str, Any]) -> bool:
        """Score until nothing is left; False when the reviewer left before."""
        about = {**self._about, "use_case": standing["use_case"]}
        say(f"\n{named(standing)}, calls since {standing['since'][:10]}: {progress(standing)}\n{KEYS}")
        done: list[str] = []  # in this sitting, for undo
        skipped: set[str] = set()
        while True:
            found = self._api.post("/api/review/next", about)
            item = found["item"]
            if item is None or item["call_id"] in skipped:
                say(f"\n{named(standing)}: {progress(found)}; nothing else is left to score")
                return True
            say("\n" + describe(found))
            answer = self._judge(item)
            match answer:
                case "quit":
                    say("saved; 'tocsin review' goes on here")
                    return False
                case "undo":
                    if not done:
                        say("nothing was scored in this sitting")
                        continue
                    last = done.pop()
                    skipped.discard(last)
                    self._api.post("/api/review/undo", {**about, "call_id": last})
                    say(f"{last} is open again")
                case "skip":
                    self._api.post("/api/review/skip", {**about, "call_id": item["call_id"]})
                    skipped.add(item["call_id"])
                    done.append(item["call_id"])
                case _:
                    said = self._api.post("/api/review/score", {**about, "call_id": item["call_id"], **answer})
                    done.append(item["call_id"])
                    say(f"{progress(said)} · {estimate(said)}")

    def _judge(self, item: dict[str, Any]) -> Any:
        """Read keys until they come to something."""
        began_s, comment = self._clock_s(), ""
        while True:
            key = self._key().lower()
            verdict: dict[str, Any] | None = None
            if key in {"q", "", "\x04"}:  # the end of the input too
                return "quit"
            if key in {"s", "u"}:
                return {"s": "skip", "u": "undo"}[key]
            if key == "c":
                comment = self._line("comment")
            elif key == "e":
                corrected = self._line("the right output").strip()
                verdict = {"label": corrected, "correct": corrected == item["label"]} if corrected else None
            elif key in {"y", "n"}:
                verdict = {"correct": key == "y"}
            elif key in set("12345"):
                verdict = {"score": points(int(key))}
            else:
                say(KEYS)
            if verdict is not None:
                return {**verdict, "minutes": (self._clock_s() - began_s) / 60, "comment": comment}


def progress(found: dict[str, Any]) -> str:
    """Write how far a draw has come."""
    return f"{found['scored']} of {found['size']}, {found['minutes']:.0f} min"


def describe(found: dict[str, Any]) -> str:
    """Write one call as it is read."""
    item = found["item"]
    confidence = "no confidence" if item["confidence"] is None else f"confidence {item['confidence']:.1%}"
    head = (
        f"call {item['call_id']} · {when(item['started_at'])} UTC · {item['model'] or 'model unknown'} · {confidence}"
    )
    lines = [f"--- {found['scored'] + 1} of {found['size']} · {head}"]
    if item["inputs"]:
        lines.append(
            "inputs  " + "  ".join(f"{name}={_short(value)}" for name, value in sorted(item["inputs"].items()))
        )
    lines += [f"{each['kind']:<7} {_cut(each['text'])}" for each in item["content"]]
    answer = item["label"] or (f"{item['value']:.6g}" if item["value"] is not None else "")
    if answer:
        lines.append(f"answer  {_cut(answer)}")
    elif item["output_text"] and not any(each["kind"] == "output" for each in item["content"]):
        lines.append(f"answer  {_cut(item['output_text'])}")
    if item["no_content"]:
        lines.append(f"({item['no_content']})")
    return "\n".join(lines)


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else _cut(str(value))[:200]


def _cut(text: str) -> str:
    """Shorten, and keep what a model or a user wrote from steering the terminal."""
    plain = "".join(each if each.isprintable() or each in "\n\t" else "�" for each in text)
    return plain if len(plain) <= _WIDEST else f"{plain[:_WIDEST]} … ({len(plain):,} characters)"
