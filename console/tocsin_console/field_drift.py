"""How far each input of one use case, and what it answers, lies from its reference: figures, pictures and words."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any, Final

from tocsin_console.at_a_glance import Bounds, Row, bounds_of, clock_of, psi_words, said
from tocsin_console.parts import Parts

MOST_PICTURES: Final = 20
_MOST_FIELDS: Final = 200
_MOST_BUCKETS: Final = 12
_FRESH: Final = timedelta(days=3)
_WINDOW: Final = timedelta(days=7)  # of input_psi: the picture is of what the figure is of
_SPARK: Final = timedelta(days=60)
_MORE_NULLS: Final = 0.01  # as rule null-rate
_NEW: Final = 0.005  # as rule new-category
_STATISTICS: Final[Mapping[str, str]] = {
    "jensen_shannon": "Jensen-Shannon",
    "ks": "KS",
    "wasserstein": "Wasserstein",
    "cramers_v": "Cramér's V",
}


def field_drift(
    parts: Parts, project: str, use_case: str, *, alerts: Sequence[Mapping[str, Any]] = ()
) -> dict[str, Any]:
    """Describe every field, those that moved most first; pictures are of the worst, and of the answers.

    Args:
        parts: Of the running tocsin.
        project: The use case's.
        use_case: Its name.
        alerts: Its active ones, which are named beside the fields that they are about.
    """
    at, where = clock_of(parts), {"project": project, "use_case": use_case}
    ask = parts.book.ask
    latest = [
        row | {"said": said(row["said"])} for row in ask("drift_latest", where | {"since": at - _FRESH, "until": at})
    ]
    slots = [row["last_slot"] for row in latest if row["evaluator"] == "input_psi"]
    until = max(slots, default=at.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1))
    window = {"since": until - _WINDOW, "until": until}
    nulls = {row["field"]: row for row in ask("drift_nulls", where | window)}
    then = ask("drift_nulls_then", where)
    lines = _lines(ask("drift_days", where | {"since": at - _SPARK, "until": at}))
    bounds = bounds_of(parts.rules)
    measured = {row["labels"].get("field", ""): row for row in latest if row["evaluator"] == "input_psi"}
    names = sorted(
        {*measured, *nulls},
        key=lambda name: (-(measured[name]["said"]["value"] or 0.0) if name in measured else 1.0, name),
    )
    shown = names[:MOST_PICTURES]
    drawn = ask("drift_pictures", where | window | {"fields": shown})
    pictures = {(row["what"], row["field"]): picture(row) for row in drawn}
    newcomers = {row["field"]: [str(each[0]) for each in row["newcomers"]] for row in drawn if row["what"] == "input"}
    fields = [
        _field(
            name,
            measured.get(name),
            [row for row in latest if row["labels"].get("field") == name],
            counted=nulls.get(name),
            nulls_then=dict(zip(then[0]["names"], then[0]["figures"], strict=False)) if then else None,
            bounds=bounds,
        )
        | {
            "days": lines.get(("input_psi", name), []),
            "picture": pictures.get(("input", name)),
            "newcomers": newcomers.get(name, []),
            "alerts": [each["rule"] for each in alerts if each["labels"].get("field") == name],
        }
        for name in names[:_MOST_FIELDS]
    ]
    return {
        **window,
        "reference_until": then[0]["until"] if then else None,
        "bounds": bounds,
        "fields": fields,
        "fields_left_out": len(names) - len(fields),
        "answers": _answers(latest, pictures, lines),
    }


def picture(row: Mapping[str, Any]) -> list[Row]:
    """Give the buckets of one picture, at most a dozen: their names, and the share of values in each, then and now. Pure."""
    starts, names = list(row["starts"]), list(row["names"])
    figures, seen = [float(each) for each in row["figures"]], [float(each) for each in row["seen"]]
    then_calls, calls = sum(figures) or 1.0, float(row["calls"]) or 1.0
    labels = [*_ranges(starts, is_doubt=row["what"] == "confidence"), *names]
    pairs = list(zip(labels, figures, seen, strict=False))
    if row["what"] == "confidence":
        pairs.reverse()  # doubt rises where confidence falls
    merged = _merged(pairs, starts) if len(starts) > _MOST_BUCKETS else pairs[:_MOST_BUCKETS]
    rest_then = then_calls - sum(then for _, then, _ in merged)
    rest_now = calls - sum(now for _, _, now in merged)
    if names and (rest_then > 0.5 or rest_now > 0.5):
        merged.append(("others", max(0.0, rest_then), max(0.0, rest_now)))
    return [{"name": name, "then": then / then_calls, "now": now / calls} for name, then, now in merged]


def _ranges(starts: Sequence[float | None], *, is_doubt: bool) -> list[str]:
    """Name buckets by where they begin; a doubt is told as the confidence that it leaves."""
    found = []
    for start, end in pairwise([*starts, None]):
        low, high = (
            (None if end is None else 1 - end, None if start is None else 1 - start) if is_doubt else (start, end)
        )
        if low is None and high is None:
            found.append("all")
        elif low is None:
            found.append(f"below {_few(high)}")
        elif high is None:
            found.append(f"from {_few(low)}")
        else:
            found.append(f"{_few(low)} to {_few(high)}")
    return found


def _merged(
    pairs: Sequence[tuple[str, float, float]], starts: Sequence[float | None]
) -> list[tuple[str, float, float]]:
    """Join fine bins to a dozen that the reference fills alike."""
    each = (sum(then for _, then, _ in pairs) or 1.0) / _MOST_BUCKETS
    found: list[tuple[int, float, float]] = []
    begun, then_sum, now_sum = 0, 0.0, 0.0
    for number, (_, then, now) in enumerate(pairs):
        then_sum, now_sum = then_sum + then, now_sum + now
        if then_sum >= each or number == len(pairs) - 1:
            found.append((begun, then_sum, now_sum))
            begun, then_sum, now_sum = number + 1, 0.0, 0.0
    edges = [None, *(starts[begun] for begun, _, _ in found[1:])]
    return [(name, then, now) for name, (_, then, now) in zip(_ranges(edges, is_doubt=False), found, strict=True)]


def _few(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}"


def _field(
    name: str,
    measured: Mapping[str, Any] | None,
    samples: Sequence[Mapping[str, Any]],
    *,
    counted: Mapping[str, Any] | None,
    nulls_then: Mapping[str, float] | None,
    bounds: Bounds,
) -> Row:
    sample = measured["said"] if measured else dict.fromkeys(("value", "lower", "upper", "n"))
    nulls, given = (int(counted["nulls"]), int(counted["given"])) if counted else (0, 0)
    null_share = nulls / (nulls + given) if nulls + given else None
    null_then = None if nulls_then is None else nulls_then.get(name, 0.0)
    others = {
        _STATISTICS[row["labels"]["statistic"]]: row["said"]["value"]
        for row in samples
        if row["evaluator"] == "input_distance"
        and row["labels"].get("statistic") in _STATISTICS
        and row["said"]["value"] is not None
    }
    fresh = [row["said"] for row in samples if row["evaluator"] == "new_category"]
    outside = [row["said"] for row in samples if row["evaluator"] == "out_of_range"]
    known = {
        "field": name,
        "is_text": bool(counted and counted["is_text"]),
        "psi": sample["value"],
        "lower": sample["lower"],
        "upper": sample["upper"],
        "n": sample["n"] if measured else given,
        "slot": measured["last_slot"] if measured else None,
        "statistics": others,
        "null_share": null_share,
        "null_share_then": null_then,
        "new_share": fresh[0]["value"] if fresh else None,
        "outside_share": outside[0]["value"] if outside else None,
    }
    return known | {"words": _words(known, fresh[0] if fresh else None, bounds)}


def _words(known: Mapping[str, Any], fresh: Mapping[str, Any] | None, bounds: Bounds) -> list[str]:
    """Say what is to be said of a field, the worst first."""
    found = []
    if fresh and fresh["value"] is not None and fresh["value"] >= (fresh["baseline"] or 0.0) + _NEW:
        found.append("new values")
    now, then = known["null_share"], known["null_share_then"]
    if now is not None and then is not None and now >= then + _MORE_NULLS:
        found.append("missing more often")
    if known["outside_share"]:
        found.append(f"{known['outside_share']:.1%} out of range")
    word = psi_words(known["psi"], bounds)
    return [word, *found] if word != "as in the reference" or not found else found


def _answers(
    latest: Sequence[Row], pictures: Mapping[tuple[str, str], Any], lines: Mapping[tuple[str, str], Any]
) -> list[Row]:
    """Describe how sure the answers are, what they say and how long they take."""
    found = []
    for evaluator, what, title in (
        ("confidence_shift", "confidence", "Confidence"),
        ("output_psi", "output", "Answers"),
        ("latency", "latency", "Latency, p95"),
    ):
        rows = [
            row for row in latest if row["evaluator"] == evaluator and row["labels"].get("quantile", "p95") == "p95"
        ]
        if not rows:
            continue
        most = max(rows, key=lambda row: (row["last_slot"], row["said"]["n"]))
        found.append(
            {
                "what": what,
                "title": title,
                "unit": "ms" if what == "latency" else "PSI",
                **most["said"],
                "slot": most["last_slot"],
                "model_version": most["labels"].get("model_version", ""),
                "words": _answer_words(what, most["said"]),
                "days": lines.get((evaluator, ""), []),
                "picture": pictures.get((what, "")),
            }
        )
    return found


def _answer_words(what: str, sample: Mapping[str, Any]) -> str:
    value, baseline = sample["value"], sample["baseline"]
    if value is None:
        return "not enough to say"
    if what == "latency":
        if not baseline:
            return "nothing to compare with"
        times = value / baseline
        return f"{times:.1f} times the reference" if times >= 1.2 or times <= 1 / 1.2 else "as in the reference"
    wide = 3 * (baseline or 0.0) if what == "confidence" else 0.0  # as rule confidence-shift: days differ anyway
    return (
        psi_words(value) if value >= wide else "as its days differ anyway" if value >= 0.05 else "as in the reference"
    )


def _lines(rows: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str], list[float | None]]:
    """Give each line day by day; a day without a figure is None."""
    known: dict[tuple[str, str], dict[date, float | None]] = {}
    for row in rows:
        known.setdefault((row["evaluator"], row["field"]), {})[_day(row["day"])] = row["moved"]
    found = {}
    for key, days in known.items():
        first, last = min(days), max(days)
        found[key] = [days.get(first + timedelta(days=number)) for number in range((last - first).days + 1)]
    return found


def _day(day: Any) -> date:
    return day.date() if isinstance(day, datetime) else day if isinstance(day, date) else date.fromisoformat(str(day))
