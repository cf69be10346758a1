"""Templates that reach out of their sandbox or eat the machine, and what becomes of a page that is to be written with one."""

import os
import resource
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from _alerts.unbounded import COMMAND as UNBOUNDED
from tocsin_alerts.briefing import Findings, GuardNews, brief
from tocsin_alerts.channels import SmtpChannel
from tocsin_alerts.composing import Composer
from tocsin_alerts.fixtures import case_of
from tocsin_alerts.killable import KillableProcess
from tocsin_alerts.plain import harmless
from tocsin_alerts.render import Templates
from tocsin_alerts.rendering import RenderingProcess
from tocsin_alerts.rules import RuleBook
from tocsin_alerts.telling import Due

CANARY: Final = "canary-7c1f"  # in the environment: a template that prints it has escaped
_NAME: Final = "firing.txt.j2"
_RULE: Final = "accuracy-below-floor"
_MAIL: Final = SmtpChannel(name="mail", host="", sender="a@b.c", recipients=("a@b.c",))

REACHING_OUT: Final = (
    "{{ lead.__class__.__mro__ }}",
    "{{ lead['__class__'] }}",
    "{{ ''['__class__'] }}",
    "{{ lead|attr('__class__') }}",
    "{{ self.__init__.__globals__ }}",
    "{{ namespace.__init__ }}",
    "{{ alerts.__add__ }}",
    "{{ 'a'|map(attribute='__class__')|list|first }}",
    "{{ fill.__globals__ }}",
    "{{ opened.replace(year=1) }}",
    "{{ lead.labels.update({}) }}",
    "{{ '{0.__class__}'.format(lead) }}",
    "{{ '{0}'.format_map(lead) }}",
    "{% autoescape false %}{{ use_case }}{% endautoescape %}",
    "{{ use_case|safe }}",
    "{% include '/etc/passwd' %}",
    "{% include '../../pyproject.toml' %}",
    "{{ lead }}",
    "{{ alerts }}",
    "{{ lipsum.__globals__['os'].environ }}",
    "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "{{ joiner.__init__.__globals__ }}",
    "{{ ''.__class__.__base__.__subclasses__() }}",
    "{{ (1).__class__.__bases__ }}",
    "{{ range.__self__ }}",
    "{{ lead.labels.__class__ }}",
    "{{ [lead]|map('attr', '__class__')|list }}",
    "{{ alerts|groupby('__class__') }}",
    "{{ alerts|sum(attribute='__class__') }}",
    "{% set x = self %}{{ x._TemplateReference__context }}",
    "{% import '/proc/self/environ' as e %}{{ e }}",
    "{% extends '../firing.txt.j2' %}",
    "{% macro m() %}{{ caller.__globals__ }}{% endmacro %}{% call m() %}{% endcall %}",
    "{{ loop.__class__ }}",
    "{% for x in alerts %}{{ loop.__init__.__globals__ }}{% endfor %}",
    "{{ use_case.encode() }}",
    "{{ use_case.translate({}) }}",
    "{{ opened.__reduce__() }}",
)
EATING: Final = (
    "{{ 'a' * 10**9 }}",
    "{{ 'a' * 1000000000 }}",
    "{{ [1] * 1000000000 }}",
    "{{ 9 ** 99999999 }}",
    "{{ '%1000000000d' % 3 }}",
    "{{ '{:1000000000}'.format(3) }}",
    "{{ 'x'.center(1000000000) }}",
    "{{ 'x'.ljust(1000000000) }}",
    "{{ 'x'|center(1000000000) }}",
    "{{ 'x'|indent(1000000000) }}",
    "{{ '%1000000000d'|format(3) }}",
    "{{ opened.strftime('%1000000000d') }}",
    "{{ lipsum(1000000) }}",
    "{% for i in range(100000) %}{% endfor %}",
    "{% for i in range(999) %}{% for i in range(999) %}{% endfor %}{% endfor %}",
    "{% set n = namespace(x='aaaaaaaa') %}{% for i in range(40) %}{% set n.x = n.x ~ n.x %}{% endfor %}",
    "{% set n = namespace(x='aaaaaaaa') %}{% for i in range(40) %}{% set n.x = n.x + n.x %}{% endfor %}",
    "{% set n = namespace(x='aaaaaaaa') %}{% for i in range(40) %}{% set n.x %}{{ n.x }}{{ n.x }}{% endset %}{% endfor %}",
    "{% set n = namespace(x=[1]) %}{% for i in range(40) %}{% set n.x = n.x + n.x %}{% endfor %}",
    "{% set n = namespace(x=[1]) %}{% for i in range(40) %}{% set n.x = [n.x, n.x] %}{% endfor %}{{ n.x|upper }}",
    "{% set n = namespace(x=[1]) %}{% for i in range(40) %}{% set n.x = (n.x, n.x) %}{% endfor %}{{ n.x == [1] }}",
    "{% set n = namespace(x={}) %}{% for i in range(40) %}{% set n.x = {'a': n.x, 'b': n.x} %}{% endfor %}{{ n.x|e }}",
    "{% set n = namespace(x=9) %}{% for i in range(900) %}{% set n.x = n.x * n.x %}{% endfor %}",
    "{% macro f(n) %}{% if n %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(40) }}",
    "{% macro f(n) %}{{ f(n) }}{% endmacro %}{{ f(1) }}",
    "{% include 'THIS' %}",
    "{% for x in [1, 2] recursive %}{{ loop([1, 2]) }}{% endfor %}",
    "{% for x in range(999) %}{{ use_case|pad(200) }}{% endfor %}",
    "{% for x in range(999) %}" + "x" * 2000 + "{% endfor %}",
    "x" * 70_000,
    "{{ 2 ** 2 ** 2 ** 2 ** 2 ** 2 }}",
    "{{ (10 ** 60) ** 9 }}",
    "{{ range(999)|map('string')|join('x' * 999) }}",
    "{{ range(999)|list|tojson }}",
    "{{ ('a' * 300)|wordwrap(1) }}",
    "{{ 'a'|replace('', 'b' * 999) }}",
    "{{ ['a'] * 9999 }}",
    "{% set n = namespace(x='(') %}{% for i in range(999) %}{% set n.x = n.x ~ n.x[-1] %}{% endfor %}{{ n.x|urlize }}",
    "{% macro a() %}{{ b() }}{% endmacro %}{% macro b() %}{{ a() }}{% endmacro %}{{ a() }}",
    "{% extends 'THIS' %}",
    "{% import 'THIS' as x %}{{ x }}",
    "{{ '" + "a" * 66_000 + "' }}",
    "{% for a in range(99) %}{% for b in range(99) %}{% for c in range(99) %}{{ a }}{% endfor %}{% endfor %}{% endfor %}",
    "{{ [[[[[[[[[[1]]]]]]]]]]|list }}",
)
# What only the process stops: as if the budget counted nothing.
UNCOUNTED: Final = (
    "{% for a in range(999) %}{% for b in range(999) %}{% for c in range(999) %}{% endfor %}{% endfor %}{% endfor %}",
    "{% macro f(n) %}{% if n %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(40) }}",
    "{% set n = namespace(x='aaaaaaaa') %}{% for i in range(40) %}{% set n.x = n.x ~ n.x %}{% endfor %}",
    "{% set n = namespace(x='aaaaaaaa') %}{% for i in range(40) %}{% set n.x %}{{ n.x }}{{ n.x }}{% endset %}{% endfor %}",
    "{% for a in range(999) %}{% for b in range(999) %}{{ use_case|pad(200) }}{% endfor %}{% endfor %}",
    "{% macro f(n) %}{{ f(n) }}{% endmacro %}{{ f(1) }}",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Blast:
    """What became of one page."""

    source: str
    took_s: float  # until its message was there
    work_s: float  # of the process that rendered, for it
    peak_mb: float  # of any rendering process so far
    is_short: bool  # the short form, with what to do in its first line
    has_escaped: bool


def detonate(folder: Path, rules: RuleBook, sources: Sequence[str], *, counted: bool = True) -> Iterator[Blast]:
    """Write a page with each template, in the process that production uses.

    Args:
        folder: An empty one.
        rules: The shipped ones.
        sources: Templates.
        counted: Whether the sandbox's budget is in force.
    """
    os.environ["TOCSIN_CANARY"] = CANARY
    case = case_of(rules.rules[_RULE], "firing", rules)
    templates = Templates(folder, apart=True)
    if not counted:
        apart = RenderingProcess(folder)
        apart._process = KillableProcess((*UNBOUNDED, str(folder)))  # noqa: SLF001 - a hole, made for the purpose
        templates._apart = apart  # noqa: SLF001
    composer = Composer(rules, investigator=_Nothing(), guard=_Nobody(), templates=templates)
    peak = 0.0
    for source in ("warm: {{ use_case }}", *sources):
        (folder / _NAME).write_text(source.replace("THIS", _NAME), encoding="utf-8")
        process = templates._apart  # noqa: SLF001
        if process is not None and process.pid is None:
            templates.render(
                "subject.txt.j2", harmless(brief(case))
            )  # a new process, as the message before would have left one
        pid = process.pid if process else None
        before, ended = _work_s(pid), _ended_s()
        began = time.perf_counter()
        message = composer.compose(
            case.incident,
            Due(transition="firing", news=case.news),
            _MAIL,
            slot=case.slot,
            members=case.members,
            plan=case.plan,
        )
        took = time.perf_counter() - began
        peak = max(peak, _peak_mb(process.pid if process else None))
        lives = process is not None and process.pid == pid
        work = (_work_s(pid) if lives else _ended_s() - ended) - before
        if source.startswith("warm"):
            continue
        yield Blast(
            source=source,
            took_s=took,
            work_s=work,
            peak_mb=peak,
            is_short=message.text.splitlines()[0].startswith("Act: ") and "this is the short form" in message.text,
            has_escaped=any(mark in message.text.partition("(The message template")[0] for mark in _LEAKS),
        )
    templates.close()


_LEAKS: Final = (CANARY, "<class", "<built-in", "<function", "root:x:", "[build-system]", "uid=", "environ(")


class _Nothing:
    def __call__(self, **_asked: object) -> Findings:
        """Find nothing: the template is what is looked at."""
        return Findings()


class _Nobody:
    def news(self, _project: str, _use_case: str, _incident: str) -> GuardNews:
        """Say that nothing was done."""
        return GuardNews()


def _peak_mb(pid: int | None) -> float:
    ended = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    if pid is None:
        return ended
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except OSError:
        return ended
    return max(ended, int(status.partition("VmHWM:")[2].split()[0]) / 1024)


def _ended_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _work_s(pid: int | None) -> float:
    if pid is None:
        return 0.0
    said = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(said[11]) + int(said[12])) / os.sysconf("SC_CLK_TCK")
