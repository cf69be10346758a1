"""flagd's flag configuration, read."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin._guards.flags import read_flags


def flag(variant: object, **more: object) -> dict[str, object]:
    """Write one flag."""
    return {"state": "ENABLED", "variants": {"verify": "verify"}, "defaultVariant": variant, **more}


def test_a_guard_is_read_with_its_metadata() -> None:
    """State, cause and probe share come from the flag; evaluated_through from above all flags."""
    flags = read_flags(
        json.dumps(
            {
                "flags": {"tocsin.guard.digit-reader": flag("verify", metadata={"version": 3, "probe_share": 0.1})},
                "metadata": {"evaluated_through": "2026-03-02T00:00:00Z"},
            }
        )
    )

    state = flags.states["digit-reader"]
    assert state.state == "verify"
    assert state.metadata["version"] == 3
    assert state.metadata["evaluated_through"] == "2026-03-02T00:00:00Z"
    assert flags.evaluated_through == datetime(2026, 3, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    "damaged",
    [flag("panic"), flag(None), flag("verify", state="DISABLED"), flag(["verify"]), "verify", None, 3],
)
def test_a_damaged_guard_is_normal_or_absent(damaged: object) -> None:
    """A guard that nobody understands must not switch a feature off."""
    flags = read_flags(json.dumps({"flags": {"tocsin.guard.x": damaged, "other": flag("verify")}}))

    assert {state.state for state in flags.states.values()} <= {"normal"}
    assert "other" not in flags.states


@given(st.recursive(st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.sampled_from(["flags", "metadata", "evaluated_through", "tocsin.guard.x", "variants", "defaultVariant", "state"]), inner), max_leaves=12))  # fmt: skip
def test_any_json_is_read_or_refused_with_a_reason(document: object) -> None:
    """A server of another version may say anything; the stream's thread must survive it."""
    try:
        read_flags(json.dumps(document))
    except ValueError as refusal:
        assert "expected" in str(refusal)  # noqa: PT017 - either way is right
