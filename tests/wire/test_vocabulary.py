"""Attribute keys and messages that every part shares."""

import subprocess
import sys

from tocsin_wire import attributes, flagd
from tocsin_wire.v1 import outcomes_pb2


def constants() -> dict[str, object]:
    """All constants of the vocabulary."""
    return {name: value for name, value in vars(attributes).items() if name.isupper()}


def test_our_keys_are_in_our_namespace_and_no_two_are_alike() -> None:
    """A key that says two things, or collides with OpenTelemetry's, cannot be taken back."""
    keys = [value for value in constants().values() if isinstance(value, str)]

    assert len(keys) == len(set(keys))
    known = ("tocsin.", "gen_ai.", "service.", "deployment.", "error.", "session.", "user.", "feature_flag.")
    assert [key for key in keys if not key.startswith(known)] == []


def test_keys_cost_no_import_of_protobuf() -> None:
    """The SDK reads keys on start-up; messages load with the first handle."""
    code = "import sys, tocsin_wire.attributes; print('google.protobuf' in sys.modules)"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "False\n"


def test_unset_and_zero_are_told_apart_in_outcomes() -> None:
    """An unknown score is not the score 0: presence is part of the contract."""
    unset, zero = outcomes_pb2.Outcome(), outcomes_pb2.Outcome(score=0.0, correct=False, minutes=0.0)

    for field in ("score", "correct", "minutes"):
        assert (unset.HasField(field), zero.HasField(field)) == (False, True)


def test_flag_messages_speak_flagds_wire_format() -> None:
    """Field numbers are flagd's: its own servers and providers are on the other end."""
    request = flagd.SyncFlagsRequest(provider_id="p", selector="s")
    response = flagd.SyncFlagsResponse(flag_configuration="{}")

    assert request.SerializeToString() == b"\x0a\x01p\x12\x01s"
    assert response.SerializeToString() == b"\x0a\x02{}"
    assert f"/{flagd.SERVICE}/{flagd.SYNC_FLAGS}" == "/flagd.sync.v1.FlagSyncService/SyncFlags"


def test_flag_messages_leave_the_default_pool_alone() -> None:
    """OpenFeature's flagd provider registers the same names there, and a second copy crashes."""
    from google.protobuf import descriptor_pool

    assert flagd.SyncFlagsRequest.DESCRIPTOR.file.pool is not descriptor_pool.Default()
