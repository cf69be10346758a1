"""Runs a command where only loopback is, and reads from the kernel's side to whom it and all it starts tried to speak.

The command gets a network of its own (a network namespace with nothing but loopback), so that what is tried leaves nothing; and
strace writes down every connect, and every datagram with an address, of every thread and process. Neither asks the program:
C++, gRPC's and Rust's own sockets are seen as Python's are. A look-up of a name is seen as its datagram to the name server.
"""

import functools
import ipaddress
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_HERE: Final = Path(__file__).parent
_CALLS: Final = "connect,sendto,sendmsg,sendmmsg"
_LINE: Final = re.compile(r"^(?P<pid>\d+)\s+(?P<call>connect|sendto|sendmsg|sendmmsg)\(")
_INET: Final = re.compile(
    r"sa_family=AF_INET6?, sin6?_port=htons\((?P<port>\d+)\)(?:, sin6_flowinfo=[^,]+)?, "
    r'(?:sin_addr=inet_addr\("(?P<v4>[^"]+)"\)|inet_pton\(AF_INET6, "(?P<v6>[^"]+)")'
)
_UNIX: Final = re.compile(r'sa_family=AF_UNIX, sun_path=(?P<path>@?"[^"]*")')
_FAMILY: Final = re.compile(r"sa_family=(?P<family>\w+)")
# The kernel itself, and a cache of names on this machine that the C library asks before it reads /etc/hosts.
_NOBODY: Final = frozenset({"AF_NETLINK", "AF_UNSPEC"})
_NAME_CACHE: Final = "/var/run/nscd/socket"


@dataclass(frozen=True, slots=True)
class Contact:
    """Somebody to whom a process tried to speak."""

    address: str  # an IP address, the path of a local socket, or the name of an unknown family
    port: int  # 0 for those without one

    @property
    def is_loopback(self) -> bool:
        """Whether it is this machine's loopback, or a socket on this machine that reaches nobody else."""
        try:
            found = ipaddress.ip_address(self.address)
        except ValueError:
            return self.address == _NAME_CACHE
        return (getattr(found, "ipv4_mapped", None) or found).is_loopback

    def is_of(self, ports: frozenset[int]) -> bool:
        """Whether it is loopback, and at one of these ports where it has one."""
        return self.is_loopback and (self.address == _NAME_CACHE or self.port in ports)


def missing() -> str:
    """Say what is not here that the audit needs; empty when everything is."""
    if not _strace():
        return "needs strace (apt-get install strace, or TOCSIN_STRACE names it)"
    return "" if _isolation() else "needs unshare and the right to make a network namespace"


def audited(
    command: Sequence[str | Path], *, log: Path, environment: Mapping[str, str], cwd: Path, timeout_s: float = 900
) -> "subprocess.CompletedProcess[str]":
    """Run a command with nothing but loopback around it, and write its contacts to a log."""
    traced = [
        _strace(),
        "-f",
        "--seccomp-bpf",
        "-qq",
        "-e",
        f"trace={_CALLS}",
        "-e",
        "signal=none",
        "-s",
        "0",
        "-o",
        str(log),
    ]
    return subprocess.run(
        [*_isolation(), sys.executable, str(_HERE / "loopback.py"), *traced, *map(str, command)],
        cwd=cwd,
        env=dict(environment),
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )


def contacts(log: Path) -> set[Contact]:
    """Read everybody that was tried, whether it answered or not."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    return {contact for line in lines if _LINE.match(line) for contact in _of(line)}


def _of(line: str) -> list[Contact]:
    found = [Contact(inet["v4"] or inet["v6"], int(inet["port"])) for inet in _INET.finditer(line)]
    found += [Contact(unix["path"].strip('"'), 0) for unix in _UNIX.finditer(line)]
    families = [said["family"] for said in _FAMILY.finditer(line)]
    unread = len(families) - len(found) - sum(family in _NOBODY for family in families)
    return [*found, Contact(line, 0)] if unread else found


@functools.cache
def _strace() -> str:
    return os.environ.get("TOCSIN_STRACE") or shutil.which("strace") or ""


@functools.cache
def _isolation() -> tuple[str, ...]:
    """How a process gets a network of its own here: as root, or as root of a user namespace."""
    for words in (("unshare", "--net"), ("unshare", "--map-root-user", "--net")):
        tried = [*words, sys.executable, str(_HERE / "loopback.py"), "true"]
        if shutil.which("unshare") and not subprocess.run(tried, capture_output=True, check=False).returncode:
            return words
    return ()
