"""No template reaches out, and none eats the machine."""

from pathlib import Path

import pytest

from _alerts.bombs import EATING, REACHING_OUT
from tocsin_alerts.errors import TemplateError
from tocsin_alerts.render import Templates
from tocsin_alerts.sample_views import FIRING


def test_the_corpus_is_what_it_claims() -> None:
    """Sixty templates, no two alike; what becomes of the page that each is to write is in ``bench/alerts.py``."""
    assert len({*REACHING_OUT, *EATING}) == len(REACHING_OUT) + len(EATING) >= 60


@pytest.mark.parametrize("source", [*REACHING_OUT, *EATING])
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
