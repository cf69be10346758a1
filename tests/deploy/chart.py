"""The chart as Helm renders it, once for each set of values."""

import functools
from typing import Final

import pytest
from bench._chart import CHART, Rendered, find_helm, helm, render

EXAMPLES: Final = tuple(sorted(path.stem for path in (CHART / "ci").glob("*.yaml")))
RELEASE, NAMESPACE = "tocsin", "ml"


def binary() -> str:
    """Give the real Helm, or skip with what to do."""
    found = find_helm()
    if not found:
        pytest.skip("needs Helm: .ci/helm .cache/helm fetches it, or set TOCSIN_HELM to its binary")
    return found


@functools.cache
def rendered(*words: str, release: str = RELEASE) -> Rendered:
    """Render with these arguments, which must succeed."""
    return render(binary(), release, NAMESPACE, *words)


def values_of(name: str) -> str:
    """Give the file of one of the chart's example values."""
    return str(CHART / "ci" / f"{name}.yaml")


def example(name: str) -> Rendered:
    """Render one of the chart's example values."""
    return rendered("--values", values_of(name))


def refusal(*words: str) -> str:
    """Give the sentence by which values are refused."""
    done = helm(binary(), "template", RELEASE, str(CHART), *words)
    assert done.returncode != 0
    return done.stderr


def size_of(quantity: str) -> float:
    """Read an amount of memory or disk, in bytes."""
    number, unit = quantity[:-2], quantity[-2:]
    return float(number) * {"Mi": 1 << 20, "Gi": 1 << 30}[unit]
