"""Mistakes in templates show before an alert needs them."""

from pathlib import Path

import pytest

from tocsin_alerts.template_check import check_named, check_templates


def test_the_shipped_templates_are_sound() -> None:
    """They are what everybody starts with."""
    assert check_templates(None) == ()


def test_a_folder_that_is_not_there_holds_no_mistakes(tmp_path: Path) -> None:
    """Most teams have none."""
    assert check_templates(tmp_path / "templates") == ()


@pytest.mark.parametrize(
    ("source", "line", "said"),
    [
        ("hello\n{{ use_cas }}\n", 2, "unknown name 'use_cas': did you mean 'use_case'?"),
        ("{% if x %}\n{{ severty }}{% endif %}", 2, "unknown name 'severty': did you mean 'severity'?"),
        ("\n\n{{ quality.value|pctt }}", 3, "unknown filter 'pctt': did you mean 'pct'?"),
        ("{% if owner is defned %}{% endif %}", 1, "unknown test 'defned': did you mean 'defined'?"),
        ("{% if not owner %}\n{{ owner|uper }}{% endif %}", 2, "unknown filter 'uper': did you mean 'upper'?"),
        ("{{ use_case }}\n{{ lead.measure.valu }}", 2, "unknown field 'valu': did you mean 'value'?"),
        ("{% for a in alerts %}\n{{ a.rul }}{% endfor %}", 2, "unknown field 'rul': did you mean 'rule'?"),
        ("ok\n{% if %}", 2, "Expected an expression"),
        ("{{ alerts }}", 1, "print a field of it"),
    ],
)
def test_a_mistake_is_named_with_file_line_and_nearest_name(tmp_path: Path, source: str, line: int, said: str) -> None:
    """At the alert it would only be the short form."""
    (tmp_path / "firing.txt.j2").write_text(source)

    found = [str(finding) for finding in check_templates(tmp_path)]

    assert any(f"{tmp_path / 'firing.txt.j2'}:{line}: " in finding and said in finding for finding in found), found


def test_a_field_that_is_only_sometimes_there_is_found(tmp_path: Path) -> None:
    """Quality is None without labels: the samples have such a message."""
    (tmp_path / "firing.txt.j2").write_text("{{ quality.value|pct }}")

    (finding,) = check_templates(tmp_path)

    assert "None" in finding.message


def test_a_template_of_a_rules_own_is_tried_too(tmp_path: Path) -> None:
    """It is used as rarely as its rule fires."""
    (tmp_path / "mine.txt.j2").write_text("{{ lead.sumary }}")

    assert any("did you mean 'summary'?" in finding.message for finding in check_templates(tmp_path))
    assert check_named(tmp_path, "mine") == ""
    assert "did you mean 'mine'?" in check_named(tmp_path, "mien")
