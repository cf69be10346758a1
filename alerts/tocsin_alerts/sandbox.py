"""Jinja under a budget: no attribute escapes, and no template that eats the machine.

Jinja's own sandbox stops ``__class__`` and friends; it does not stop ``'a' * 10**9``, ``x ~ x`` in a loop or a macro
that calls itself twice. Here every loop turn, macro call and printed value is charged, operators that can grow a value
are capped, and filters and methods are those that cannot.
"""

import functools
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from jinja2 import BaseLoader, StrictUndefined, TemplateAssertionError, Undefined, nodes
from jinja2.exceptions import SecurityError
from jinja2.nodes import EvalContext
from jinja2.runtime import Context, LoopContext, Macro
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

from tocsin_alerts.filters import FILTERS

# Of Jinja's filters, those whose result is no larger than what they are given; the first take texts and numbers alone.
_TEXT_FILTERS: Final = ("capitalize", "e", "escape", "lower", "title", "trim", "truncate", "upper")
_OTHER_FILTERS: Final = (
    *("abs", "count", "d", "default", "dictsort", "first", "float", "groupby", "int", "items", "last", "length"),
    *(
        "list",
        "map",
        "max",
        "min",
        "reject",
        "rejectattr",
        "reverse",
        "round",
        "select",
        "selectattr",
        "sort",
        "unique",
    ),
)
_METHODS: Final = {
    str: frozenset({"upper", "lower", "strip", "startswith", "endswith", "title", "capitalize"}),
    dict: frozenset({"items", "keys", "values", "get"}),
    LoopContext: frozenset({"cycle", "changed"}),
}
_RANGE: Final = 1_000
_INT_BITS: Final = 256
_CONTAINERS: Final = (list, tuple, set, dict)
_SEQUENCE: Final = 10_000


class BudgetSpent(SecurityError):  # noqa: N818 - says what happened
    """A template asked for more time, turns or text than one message may take."""


@dataclass(slots=True, kw_only=True)
class Budget:
    """What one rendering may still use."""

    chars: int = 1 << 20  # printed anywhere, also into variables
    turns: int = 20_000  # loop turns, macro calls and templates entered
    deadline: float  # on the clock below
    clock: Callable[[], float] = time.thread_time

    def turn(self, chars: int) -> None:
        """Charge one turn and the literal text in it."""
        self.turns -= 1
        self.charge(chars)
        if self.turns < 0:
            raise BudgetSpent("the template takes too many turns: loop over less")
        if self.clock() > self.deadline:
            raise BudgetSpent("the template takes too long: loop over less")

    def charge(self, chars: int) -> None:
        """Charge text that was made."""
        self.chars -= chars
        if self.chars < 0:
            raise BudgetSpent("the template prints too much: print less")


class BudgetedEnvironment(ImmutableSandboxedEnvironment):
    """A Jinja environment whose every rendering runs under a :class:`Budget`."""

    intercepted_binops = frozenset({"**", "*", "%", "+"})

    def __init__(self, loader: BaseLoader, *, html: bool) -> None:
        super().__init__(
            loader=loader,
            autoescape=html,
            undefined=StrictUndefined,
            finalize=self.printed,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )
        builtin = {name: self.filters[name] for name in _OTHER_FILTERS}
        self.filters = builtin | {name: _of_text(self.filters[name]) for name in _TEXT_FILTERS} | FILTERS
        self.globals = {"range": _short_range, "namespace": self.globals["namespace"]}
        self._here = threading.local()

    @contextmanager
    def under(self, budget: Budget) -> Iterator[None]:
        """Charge what this thread renders inside to a budget."""
        self._here.budget = budget
        try:
            yield
        finally:
            self._here.budget = None

    # What compiled templates call.

    def turn(self, chars: int) -> str:
        """Charge one turn; prints nothing."""
        if budget := getattr(self._here, "budget", None):
            budget.turn(chars)
        return ""

    def printed(self, value: object) -> str:
        """Charge one printed value, refusing what has no text of its own."""
        text = _text(value)
        if budget := getattr(self._here, "budget", None):
            budget.charge(len(text))
        return text

    def joined(self, *parts: object) -> str:
        """Do what ``~`` does, charged."""
        texts = [self.printed(part) for part in parts]
        if any(isinstance(text, Markup) for text in texts):
            return Markup().join(texts)
        return "".join(str(text) for text in texts)

    def listed(self, *items: object) -> list[object]:
        """Make a list of plain values, or of lists of plain values: deeper ones double with every turn of a loop."""
        if any(isinstance(inner, _CONTAINERS) for item in items for inner in _inside(item)):
            raise BudgetSpent("a list in a template holds plain values, or lists of plain values")
        return list(items)

    # What Jinja asks.

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Run an operator that can grow a value, within limits."""
        match operator:
            case "**":
                raise SecurityError("** is not allowed in a template: give the template the figure")
            case "%" if isinstance(left, str | bytes):
                raise SecurityError("text % values is not allowed in a template: use a filter")
            case "*" if not (_is_number(left) and _is_number(right)):
                raise SecurityError("only numbers can be multiplied in a template")
            case "+" if not (_is_number(left) and _is_number(right)):
                if len(left) + len(right) > _SEQUENCE:
                    raise BudgetSpent(f"a template may add up to {_SEQUENCE} characters or items")
        result = super().call_binop(context, operator, left, right)
        if isinstance(result, int) and result.bit_length() > _INT_BITS:
            raise BudgetSpent(f"numbers in a template have at most {_INT_BITS} bits")
        return result

    def wrap_str_format(self, value: Any) -> Callable[..., str] | None:  # noqa: ARG002 - Jinja's signature
        """Leave ``str.format`` to :meth:`is_safe_attribute`, which refuses it: widths make huge texts."""
        return None

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Allow plain fields, and of methods only those listed."""
        if not super().is_safe_attribute(obj, attr, value):
            return False
        if not callable(value) or isinstance(value, Macro):
            return True
        return any(isinstance(obj, kind) and attr in names for kind, names in _METHODS.items())

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree = super()._parse(source, name, filename)
        for modifier in tree.find_all(nodes.ScopedEvalContextModifier):
            raise TemplateAssertionError("{% autoescape %} is not allowed", modifier.lineno, name, filename)
        entered: list[Any] = [tree, *tree.find_all((nodes.For, nodes.Macro, nodes.CallBlock))]
        for node in entered:
            node.body.insert(0, _turn(node))
        _capped(tree)
        return tree


def _turn(node: Any) -> nodes.Output:
    chars = (
        sum(len(data.data) for data in node.find_all(nodes.TemplateData)) if not isinstance(node, nodes.Template) else 0
    )
    call = nodes.Call(nodes.EnvironmentAttribute("turn"), [nodes.Const(chars)], [], None, None)
    return nodes.Output([call], lineno=node.lineno).set_lineno(node.lineno)  # type: ignore[return-value]


def _capped(node: Any) -> Any:
    """Replace every ``a ~ b`` and every list below a node with a call that charges or checks."""
    for field, value in node.iter_fields():
        if isinstance(value, nodes.Node):
            setattr(node, field, _capped(value))
        elif isinstance(value, list):
            value[:] = [_capped(item) if isinstance(item, nodes.Node) else item for item in value]
    match node:
        case nodes.Concat():
            return _call("joined", node.nodes, like=node)
        case nodes.List():
            return _call("listed", node.items, like=node)
        case nodes.Tuple() if node.ctx == "load":
            return _call("listed", node.items, like=node)
        case nodes.Dict():
            raise TemplateAssertionError("a mapping cannot be made in a template", node.lineno)
    return node


def _call(name: str, items: list[Any], *, like: Any) -> Any:
    call = nodes.Call(nodes.EnvironmentAttribute(name), items, [], None, None)
    return call.set_lineno(like.lineno).set_environment(like.environment)


def _inside(value: object) -> Collection[object]:
    match value:
        case Mapping():
            return value.values()
        case list() | tuple() | set():
            return value
    return ()


def _of_text(apply: Callable[..., Any]) -> Callable[..., Any]:
    """Let a filter of Jinja's see texts and numbers alone: it would print anything, however deep."""

    @functools.wraps(apply)
    def checked(*args: Any, **kwargs: Any) -> Any:
        for arg in args:
            if not isinstance(arg, EvalContext | Context | BudgetedEnvironment):
                _text(arg)
        return apply(*args, **kwargs)

    return checked


def _text(value: object) -> str:
    match value:
        case None:
            return "unknown"
        case Undefined():
            return str(value)  # raises, naming what is undefined
        case str():
            return value
        case bool() | int() | float():
            return str(value)
        case datetime():
            return value.isoformat(" ", "minutes")
    raise SecurityError(f"expected a text or a number to print, got a {type(value).__name__}: print a field of it")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float)


def _short_range(*bounds: int) -> range:
    made = range(*bounds)
    if len(made) > _RANGE:
        raise BudgetSpent(f"a range in a template has at most {_RANGE} items, got {len(made)}")
    return made
