"""Addresses that others cannot reach, and the note by which commands find a running tocsin."""

import socket
from pathlib import Path

import pytest

from tocsin_console.addresses import Address, require_free, require_loopback
from tocsin_console.errors import AddressInUse, UsageProblem
from tocsin_console.running import read_run_file, write_run_file


def test_a_damaged_run_file_is_no_run_file(tmp_path: Path) -> None:
    """A crash may leave anything."""
    path = tmp_path / "run.json"
    write_run_file(path, {"api": "127.0.0.1:1"})
    assert read_run_file(path) == {"api": "127.0.0.1:1"}

    path.write_text('{"api": ')

    assert read_run_file(path) == {}


def test_a_port_in_use_is_found_before_anything_is_opened() -> None:
    """One sentence that names the option, not a stack of a gRPC server."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        address = Address(host="127.0.0.1", port=other.getsockname()[1])

        with pytest.raises(AddressInUse, match="--api"):
            require_free(address, what="the API", option="--api")


@pytest.mark.parametrize(
    ("text", "loopback"),
    [("127.0.0.1:1", True), ("localhost:1", True), ("[::1]:1", True), (":1", True), ("127.8.8.8:1", True),
     ("0.0.0.0:1", False), ("[::]:1", False), ("192.168.1.1:1", False), ("example.com:1", False)],
)  # fmt: skip
def test_only_loopback_is_listened_on_without_insisting(text: str, *, loopback: bool) -> None:
    """There are no logins yet."""
    address = Address.parse(text)

    assert address.is_loopback is loopback
    if not loopback:
        with pytest.raises(UsageProblem, match="--insecure"):
            require_loopback(address, option="--api")
