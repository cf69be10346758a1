"""Addresses that others cannot reach, and the note by which commands find a running tocsin."""

import re
import socket
from pathlib import Path

import pytest

from tocsin_console.addresses import Address, Protection, require_free, require_protected
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
    """TLS and ingest keys protect senders; nobody has signed in to the pages yet."""
    address = Address.parse(text)

    assert address.is_loopback is loopback
    if not loopback:
        with pytest.raises(UsageProblem, match="--insecure"):
            require_protected(address, option="--api", needs="logins", tls=True, keys=True)


@pytest.mark.parametrize(
    ("needs", "tls", "keys", "add"),
    [
        ("tls and keys", False, False, "add 'tls: {certificate: FILE, private_key: FILE}' and 'ingest_keys: required'"),
        ("tls and keys", True, False, "add 'ingest_keys: required'"),
        ("tls and keys", False, True, "add 'tls: {certificate: FILE, private_key: FILE}'"),
        ("tls", False, True, "add 'tls: {certificate: FILE, private_key: FILE}'"),
    ],
)
def test_an_open_address_says_what_it_lacks(needs: Protection, *, tls: bool, keys: bool, add: str) -> None:
    """The sentence can be pasted into tocsin.yaml; whoever insists learns what that means."""
    address = Address.parse("0.0.0.0:4317")

    with pytest.raises(UsageProblem, match=re.escape(add) + " to tocsin.yaml, or give --insecure"):
        require_protected(address, option="--grpc", needs=needs, tls=tls, keys=keys)


def test_a_protected_address_may_be_open() -> None:
    """Receivers with TLS and keys, the guard with TLS."""
    address = Address.parse("0.0.0.0:4317")

    require_protected(address, option="--grpc", needs="tls and keys", tls=True, keys=True)
    require_protected(address, option="--guard", needs="tls", tls=True, keys=False)
