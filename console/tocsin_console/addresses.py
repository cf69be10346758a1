"""Addresses to listen on: parsed once, loopback unless somebody insists."""

import ipaddress
import socket
from dataclasses import dataclass
from typing import Final, Literal, Self

from tocsin_console.errors import AddressInUse, UsageProblem

Protection = Literal["tls and keys", "tls", "logins"]
_WORDS: Final = {"tls": "TLS", "keys": "required ingest keys"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A host and a TCP port; port 0 asks the system for a free one."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``host:port``, ``[::1]:port`` or ``:port``.

        Raises:
            UsageProblem: it is none of these.
        """
        host, colon, port = text.strip().rpartition(":")
        host = host.removeprefix("[").removesuffix("]") or "127.0.0.1"
        if not colon or not port.isdecimal() or int(port) > 65535 or "/" in host:
            raise UsageProblem(f"expected an address such as 127.0.0.1:4317, got {text!r}")
        return cls(host=host, port=int(port))

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        """Whether only processes of this machine can connect."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


def require_free(address: Address, *, what: str, option: str) -> None:
    """Find out before anything is opened whether an address can be listened on.

    Raises:
        AddressInUse: another process listens there, or the host is not of this machine.
    """
    if address.port == 0:
        return
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address.host, address.port))
        except OSError as error:
            raise AddressInUse(
                f"expected {address} to be free for {what}, but {error.strerror or error}: "
                f"end the process that uses it, or give another with {option}"
            ) from error


def require_protected(
    address: Address, *, option: str, needs: Protection, tls: bool, keys: bool, logins: bool | None = None
) -> None:
    """Refuse an address that others on the network could reach, unless what listens there is protected from them.

    Args:
        address: Where it would listen.
        option: The option that says so, for the message.
        needs: What protects it: TLS and ingest keys, TLS, or nothing that exists yet.
        tls: Whether a certificate is configured.
        keys: Whether ingest keys are required.
        logins: Whether people sign in there; None: what listens there cannot know them.

    Raises:
        UsageProblem: it is not a loopback address, and something is missing; the message says what to add.
    """
    if address.is_loopback:
        return
    anyway = "or give --insecure to listen there all the same, open to everybody who can reach it"
    if needs == "logins":
        if logins:
            return
        raise UsageProblem(
            f"expected a loopback address for {option}, got {address}, where nobody signs in: "
            + ("" if logins is None else "add 'access: {login: keys}' to tocsin.yaml, and ")
            + f"put a proxy with TLS {'and authentication ' if logins is None else ''}before it, {anyway}"
        )
    lacking = [] if tls else ["'tls: {certificate: FILE, private_key: FILE}'"]
    lacking += ["'ingest_keys: required'"] if needs == "tls and keys" and not keys else []
    if lacking:
        raise UsageProblem(
            f"expected a loopback address for {option}, or {' and '.join(_WORDS[each] for each in needs.split(' and '))} "
            f"for {address}, which others on the network can reach: add {' and '.join(lacking)} to tocsin.yaml, {anyway}"
        )
