"""The committed stubs are what the compiler makes."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "proto" / "regenerate.py"


def regenerate() -> ModuleType:
    """Load the script that `make proto` runs."""
    spec = importlib.util.spec_from_file_location("regenerate", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
def test_regeneration_changes_nothing(tmp_path: Path) -> None:
    """A stub edited by hand, or a .proto edited without it, would let the two ends speak different messages."""
    script = regenerate()

    try:
        different = script.differences(tmp_path)
    except script.Unreachable as reason:
        pytest.skip(f"the pinned protobuf compiler is not cached and cannot be installed: {reason}")

    assert different == []
