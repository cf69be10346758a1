"""Redaction rules as SQL around a decoding: texts are changed before any table sees them. Pure."""

from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from itertools import groupby
from typing import Final

from tocsin_collector.privacy.redaction import KEPT_KEYS, Redaction

Write = Callable[[str, str | None], str]  # a value's expression and its key's: the redacted value

# The columns that hold texts, by the Null table that they go into: plain ones, maps, and arrays of maps.
_TEXTS: Final[Mapping[str, tuple[str, ...]]] = {
    "spans_in": ("SpanName", "StatusMessage", "TraceState"),
    "logs_in": ("Body", "EventName"),
    "outcomes_in": ("label", "predicted_label", "author", "comment"),
}
_MAPS: Final[Mapping[str, tuple[str, ...]]] = {
    "spans_in": ("SpanAttributes", "ResourceAttributes"),
    "logs_in": ("LogAttributes", "ResourceAttributes", "ScopeAttributes"),
    "outcomes_in": ("segments",),
}
_LISTS_OF_MAPS: Final[Mapping[str, tuple[str, ...]]] = {"spans_in": ("EventsAttributes", "LinksAttributes")}
_INPUT: Final = "tocsin.input."

_LUHN: Final = (
    "arraySum((digit, place) -> if(place % 2 = 0, if(digit > 4, 2 * digit - 9, 2 * digit), digit),"
    " arrayReverse(arrayMap(c -> toUInt8OrZero(c), splitByString('', replaceRegexpAll({x}, '[^0-9]', '')))),"
    " arrayEnumerate(splitByString('', replaceRegexpAll({x}, '[^0-9]', '')))) % 10 = 0"
)


def redacted(select: str, target: str, rules: Sequence[Redaction]) -> str:
    """Wrap a decoding so that every text in it goes through the rules, in their order; without rules it stays as it is."""
    if not rules:
        return select
    changed = [f"{_value(column, None, rules)} AS {column}" for column in _TEXTS[target]]
    changed += [f"{_map(column, rules)} AS {column}" for column in _MAPS[target]]
    changed += [
        f"arrayMap(entry -> {_map('entry', rules)}, {column}) AS {column}" for column in _LISTS_OF_MAPS.get(target, ())
    ]
    if target == "spans_in":
        changed.append(f"{_map('InputStrings', rules, prefix=_INPUT)} AS InputStrings")
        # A number cannot hold the mark: one that would be taken out of a text is not kept.
        whole = "toString(toInt64(v))"
        after = _value(whole, f"concat('{_INPUT}', k)", rules)
        kept = f"NOT (abs(v) >= 1e12 AND abs(v) < 9e18 AND {after} != {whole})"
        changed.append(f"mapFilter((k, v) -> {kept}, InputNumbers) AS InputNumbers")
    return f"SELECT * REPLACE ({', '.join(changed)}) FROM ({select})"


def expression(value: str, key: str | None, rules: Sequence[Redaction]) -> str:
    """Write what becomes of one text: an expression over its value's and its key's."""
    return _value(value, key, rules)


def _map(column: str, rules: Sequence[Redaction], *, prefix: str = "") -> str:
    key = f"concat('{prefix}', k)" if prefix else "k"
    return f"mapApply((k, v) -> (k, {_value('v', key, rules)}), {column})"


def _value(value: str, key: str | None, rules: Sequence[Redaction]) -> str:
    """Write the value after every rule that looks at its key; a value without a key is seen by the rules without fields."""
    written = value
    # Rules that look at the same keys share one condition: each condition writes out twice what comes before it.
    for looks, alike in groupby(rules, lambda rule: _looks(rule, key)):
        if looks is not None:
            after = reduce(_taken_out, alike, written)
            written = after if looks == "" else f"if({looks}, {after}, {written})"
    return written


def _looks(rule: Redaction, key: str | None) -> str | None:
    """Write when a rule looks at a key: empty is always, None never."""
    if key is None:
        return None if rule.fields else ""
    if not rule.fields:
        return f"{key} NOT IN ({', '.join(map(_quoted, KEPT_KEYS))})"
    exact = [_quoted(field) for field in rule.fields if not field.endswith(".*")]
    begun = [f"startsWith({key}, {_quoted(field[:-1])})" for field in rule.fields if field.endswith(".*")]
    return " OR ".join(([f"{key} IN ({', '.join(exact)})"] if exact else []) + begun)


def _taken_out(value: str, rule: Redaction) -> str:
    mark = _quoted(rule.replacement)
    if not rule.luhn:
        return f"replaceRegexpAll({value}, {_quoted(rule.pattern)}, {mark})"
    found = f"arrayFilter(m -> {_LUHN.format(x='m')}, extractAll(x, {_quoted(f'({rule.pattern})')}))"
    return f"arrayMap(x -> arrayFold((said, m) -> replaceAll(said, m, {mark}), {found}, x), [toString({value})])[1]"


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
