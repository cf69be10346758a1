"""The conditions of rules: a small language over one sample, read by an allow-list of Python's own syntax.

``upper < floor``, ``drop >= 0.01 and z <= -3``: comparisons, ``and``, ``or``, ``not``, ``+ - * /``, parentheses, numbers
and names. An operand that is not known makes its comparison unknown, which neither fires nor clears an alert
(Kleene's three-valued logic: unknown and false is false, unknown or true is true).
"""

import ast
import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from tocsin_alerts.documents import suggest
from tocsin_alerts.records import Sample

Names: TypeAlias = Mapping[str, float | None]

SAMPLE_NAMES: Final = ("value", "lower", "upper", "baseline", "n", "effect", "drop", "z")
PLAN_NAMES: Final = ("floor", "budget_per_day")
STRICT: Final = "strict"  # nats by which an installation of many use cases raises its thresholds; 0 for a few
_NAMES: Final = (*SAMPLE_NAMES, *PLAN_NAMES, STRICT)
# What a derived name is made of: an evaluator without these columns cannot give it.
NEEDS: Final[Mapping[str, tuple[str, ...]]] = {
    "drop": ("value", "baseline"),
    "z": ("value", "baseline", "lower", "upper"),
}

_COMPARE: Final[Mapping[type[ast.cmpop], tuple[str, Callable[[float, float], bool]]]] = {
    ast.Lt: ("<", operator.lt),
    ast.LtE: ("<=", operator.le),
    ast.Gt: (">", operator.gt),
    ast.GtE: (">=", operator.ge),
    ast.Eq: ("==", operator.eq),
    ast.NotEq: ("!=", operator.ne),
}
_ARITHMETIC: Final[Mapping[type[ast.operator], tuple[str, Callable[[float, float], float]]]] = {
    ast.Add: ("+", operator.add),
    ast.Sub: ("-", operator.sub),
    ast.Mult: ("*", operator.mul),
    ast.Div: ("/", operator.truediv),
}


class ConditionError(ValueError):
    """A condition that cannot be read; the rule's loader adds file and line."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One readable condition."""

    text: str
    tree: ast.expr
    names: frozenset[str]

    @classmethod
    def parse(cls, text: str) -> "Condition":
        """Read a condition.

        Raises:
            ConditionError: it is no expression of the language, or names what does not exist.
        """
        try:
            tree = ast.parse(text.strip(), mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            raise ConditionError(f"expected a condition such as 'upper < floor', got {text!r} ({error})") from error
        _check_truth(tree, text)
        names = _mentions(tree)
        for name in sorted(names - {*_NAMES}):
            raise ConditionError(f"unknown name {name!r} in {text!r}: {suggest(name, _NAMES)}")
        return cls(text=text.strip(), tree=tree, names=names)

    def columns(self) -> frozenset[str]:
        """List the evaluator's columns that this condition reads."""
        return frozenset(column for name in self.names if name in SAMPLE_NAMES for column in NEEDS.get(name, (name,)))

    def holds(self, names: Names) -> bool | None:
        """Say whether it holds; None when that cannot be known."""
        return _truth(self.tree, names)

    def bound(self, names: Names) -> float | None:
        """Say which value it is compared with, in the value's own unit; None when no comparison says so."""
        return _bound(self.tree, names)

    def explain(self, names: Names) -> str:
        """Write it out with the values in it: ``drop 0.021 >= 0.01 and z -4.2 <= -3``."""
        return _spell(self.tree, names)


def sample_names(sample: Sample, plan_names: Names) -> Names:
    """Gather what a condition may name about one sample; what is not finite is not known."""
    value, lower, upper = _known(sample.value), _known(sample.lower), _known(sample.upper)
    baseline = _known(sample.baseline)
    drop = baseline - value if value is not None and baseline is not None else None
    z = None
    if drop is not None and lower is not None and upper is not None and upper > lower:
        z = -drop / ((upper - lower) / 3.92)  # a 95 % interval is 3.92 standard errors wide
    return {
        "value": value,
        "lower": lower,
        "upper": upper,
        "baseline": baseline,
        "n": float(sample.n),
        "effect": _known(sample.effect),
        "drop": drop,
        "z": z,
        **plan_names,
    }


def _known(value: float | None) -> float | None:
    return float(value) if value is not None and math.isfinite(value) else None


def _mentions(tree: ast.expr) -> frozenset[str]:
    return frozenset(node.id for node in ast.walk(tree) if isinstance(node, ast.Name))


def _check_truth(node: ast.expr, text: str) -> None:
    match node:
        case ast.BoolOp(values=values):
            for value in values:
                _check_truth(value, text)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            _check_truth(operand, text)
        case ast.Compare(left=left, ops=ops, comparators=comparators):
            for op in ops:
                if type(op) not in _COMPARE:
                    raise _unreadable(node, text)
            for side in (left, *comparators):
                _check_number(side, text)
        case _:
            raise ConditionError(
                f"expected a comparison, got {ast.unparse(node)!r} in {text!r}: compare it with something"
            )


def _check_number(node: ast.expr, text: str) -> None:
    match node:
        case ast.Name():
            return
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool) and math.isfinite(value):
            return
        case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=operand):
            _check_number(operand, text)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC:
            _check_number(left, text)
            _check_number(right, text)
        case _:
            raise _unreadable(node, text)


def _unreadable(node: ast.AST, text: str) -> ConditionError:
    return ConditionError(
        f"expected only comparisons, and, or, not, + - * /, numbers and names, got {ast.unparse(node)!r} in {text!r}"
    )


def _truth(node: ast.expr, names: Names) -> bool | None:
    match node:
        case ast.BoolOp(op=op, values=values):
            verdicts = [_truth(value, names) for value in values]
            decisive = isinstance(op, ast.Or)  # one True decides an "or", one False decides an "and"
            if decisive in verdicts:
                return decisive
            return None if None in verdicts else not decisive
        case ast.UnaryOp(operand=operand):
            verdict = _truth(operand, names)
            return None if verdict is None else not verdict
        case ast.Compare(left=left, ops=ops, comparators=comparators):
            sides = [_number(side, names) for side in (left, *comparators)]
            links = [_link(a, op, b) for a, op, b in zip(sides, ops, sides[1:], strict=False)]
            if False in links:
                return False
            return None if None in links else True
    return None


def _bound(node: ast.expr, names: Names) -> float | None:
    match node:
        case ast.BoolOp(op=op, values=values):
            found = (_bound(value, names) for value in _decisive(op, values, names))
            return next((each for each in found if each is not None), None)
        case ast.Compare(left=ast.Name(id="value" | "lower" | "upper"), comparators=[side]):
            return _number(side, names)
        case ast.Compare(left=ast.Name(id="drop"), comparators=[side]):
            fallen, baseline = _number(side, names), names.get("baseline")
            return None if fallen is None or baseline is None else baseline - fallen
    return None


def _link(left: float | None, op: ast.cmpop, right: float | None) -> bool | None:
    return None if left is None or right is None else _COMPARE[type(op)][1](left, right)


def _number(node: ast.expr, names: Names) -> float | None:
    match node:
        case ast.Name(id=name):
            return names.get(name)
        case ast.Constant(value=int() | float() as value):
            return float(value)
        case ast.UnaryOp(op=op, operand=operand):
            inner = _number(operand, names)
            return -inner if inner is not None and isinstance(op, ast.USub) else inner
        case ast.BinOp(left=left, op=operation, right=right):
            a, b = _number(left, names), _number(right, names)
            if a is None or b is None or (isinstance(operation, ast.Div) and b == 0):
                return None
            return _known(_ARITHMETIC[type(operation)][1](a, b))
    return None


def _spell(node: ast.expr, names: Names) -> str:  # noqa: PLR0911 - one return per kind of node
    match node:
        case ast.BoolOp(op=op, values=values):
            shown = _decisive(op, values, names)
            word = " or " if isinstance(op, ast.Or) else " and "
            return word.join(
                f"({_spell(v, names)})" if len(shown) > 1 and _joins_several(v, names) else _spell(v, names)
                for v in shown
            )
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return f"not ({_spell(operand, names)})"
        case ast.UnaryOp(op=op, operand=operand):
            return ("-" if isinstance(op, ast.USub) else "") + _spell(operand, names)
        case ast.Compare(left=left, ops=ops, comparators=comparators):
            rest = (
                f" {_COMPARE[type(op)][0]} {_spell(side, names)}" for op, side in zip(ops, comparators, strict=True)
            )
            return _spell(left, names) + "".join(rest)
        case ast.BinOp() if _mentions(node) == {STRICT}:  # a threshold: readers want the number
            threshold = _number(node, names)
            return "unknown" if threshold is None else f"{threshold:.4g}"
        case ast.BinOp(left=left, op=operation, right=right):
            first, second = _spell(left, names), _spell(right, names)
            is_product = isinstance(operation, ast.Mult | ast.Div)
            if is_product and _is_sum(left):
                first = f"({first})"
            if isinstance(right, ast.BinOp) and (is_product or (isinstance(operation, ast.Sub) and _is_sum(right))):
                second = f"({second})"
            return f"{first} {_ARITHMETIC[type(operation)][0]} {second}"
        case ast.Name(id=name):
            value = names.get(name)
            return f"{name} unknown" if value is None else f"{name} {value:.4g}"
    return ast.unparse(node)


def _decisive(op: ast.boolop, values: list[ast.expr], names: Names) -> list[ast.expr]:
    """Keep what decided: the true arms of an "or" that holds, the false ones of an "and" that does not."""
    wanted = isinstance(op, ast.Or)
    return [value for value in values if _truth(value, names) is wanted] or values


def _joins_several(node: ast.expr, names: Names) -> bool:
    return isinstance(node, ast.BoolOp) and len(_decisive(node.op, node.values, names)) > 1


def _is_sum(node: ast.expr) -> bool:
    return isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub)
