"""No template reaches out, and none eats the machine."""

from pathlib import Path

import pytest

from tocsin_alerts.errors import TemplateError
from tocsin_alerts.render import Templates
from tocsin_alerts.sample_views import FIRING

REACHING_OUT = [
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
]
EATING = [
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
]


@pytest.mark.parametrize("source", REACHING_OUT + EATING)
@pytest.mark.parametrize("name", ["firing.txt.j2", "firing.html.j2"])
def test_a_hostile_template_is_an_error_with_file_and_line(tmp_path: Path, source: str, name: str) -> None:
    """Templates may come from a repository that many write to; and mistakes look like attacks."""
    (tmp_path / name).write_text(source.replace("THIS", name))

    with pytest.raises(TemplateError) as refusal:
        Templates(tmp_path).render(name, FIRING)

    assert len(str(refusal.value)) < 2_000


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("{{ use_case|upper|title }}", "Digit-Reader"),
        ("{% for a, b in [(1, 2), (3, 4)] %}{{ a + b }} {% endfor %}", "3 7 "),
        ("{% if 'a' in ('a', 'b') %}yes{% endif %}", "yes"),
        ("{{ alerts|map(attribute='rule')|first }}", "accuracy-below-floor"),
        ("{{ (quality.value * 100)|round(1) ~ '%' }}", "88.3%"),
        ("{% for name, value in lead.labels.items() %}{{ name }}={{ value }}{% endfor %}", "model_version=2026-01"),
        ("{% set n = namespace(t=0) %}{% for i in range(10) %}{% set n.t = n.t + i %}{% endfor %}{{ n.t }}", "45"),
        ("{% macro m(x) %}[{{ x }}]{% endmacro %}{{ m(use_case) }}", "[digit-reader]"),
    ],
)
def test_what_templates_are_for_still_works(tmp_path: Path, source: str, shown: str) -> None:
    """A sandbox in which nothing can be written is no template language."""
    (tmp_path / "firing.txt.j2").write_text(source)

    assert Templates(tmp_path).render("firing.txt.j2", FIRING) == shown


def test_a_template_has_a_time(tmp_path: Path) -> None:
    """A message that takes minutes is no message."""
    ticks = iter(range(0, 10_000, 3))
    (tmp_path / "firing.txt.j2").write_text("{% for i in range(100) %}{{ i }}{% endfor %}")

    with pytest.raises(TemplateError, match="too long"):
        Templates(tmp_path, clock=lambda: float(next(ticks))).render("firing.txt.j2", FIRING)
