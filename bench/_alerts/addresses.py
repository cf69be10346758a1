"""Addresses that lead inside: spelled so that a filter does not see it, by redirects, or by names that change."""

import contextlib
import socket
import threading
from collections.abc import Sequence
from types import TracebackType
from typing import Final, Self

_THIS_HOST: Final = (
    "127.0.0.1", "localhost", "LOCALHOST", "localhost.", "localhost.localdomain", "127.1", "127.0.1", "127.127.127.127", "127.0.0.1.", "0.0.0.0", "0",  # noqa: S104
    "2130706433", "3221225985", "017700000001", "0177.0.0.1", "0177.0.0.01", "00177.0.0.1", "0x7f.0.0.1", "0x7f000001", "0x7F.1", "0x7f.0x0.0x0.0x1", "127.0x1",
    "[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[0000::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::ffff:0:127.0.0.1]", "[::127.0.0.1]", "[64:ff9b::127.0.0.1]", "[::1%25lo]", "[fe80::1%25lo]",
    "\u2460\u2461\u2466.\u24ea.\u24ea.\u2460", "127\u30020\u30020\u30021", "\uff11\uff12\uff17.0.0.1", "127.0.0.1%00.example.com", "127.0.0.1%2eexample.com",
    "example.com@127.0.0.1", "127.0.0.1#@example.com", "user:pw@localhost", "example.com:80@127.0.0.1",
    "127.0.0.1.nip.io", "localtest.me", "spoofed.burpcollaborator.example", "7f000001.c0a80001.rbndr.us", "make-127.0.0.1-rebind-example.1u.ms", "rebind.example",
)  # fmt: skip
_SCHEMES: Final = ("http", "https", "HTTP", "ftp", "gopher", "dict", "ldap", "tftp", "sftp", "ws", "jar:http", "view-source:http", "tcp", "clickhouse", "s3", "hdfs", "mysql", "postgresql", "redis", "mongodb")  # fmt: skip
_ELSEWHERE: Final = (
    "http://169.254.169.254/latest/meta-data/", "http://[fd00:ec2::254]/latest/meta-data/", "http://2852039166/", "http://0xA9FEA9FE/", "http://0251.0376.0251.0376/", "http://metadata.google.internal/computeMetadata/v1/",
    "http://100.100.100.200/latest/meta-data/", "http://192.168.0.1/", "http://10.0.0.1:9200/", "http://[fc00::1]/", "http://kubernetes.default.svc/", "file:///etc/passwd", "file://localhost/etc/passwd", "netdoc:///etc/passwd",
    "unix:///var/run/docker.sock", "http+unix://%2Fvar%2Frun%2Fdocker.sock/info", "php://filter/resource=x", "data:text/plain,x", "//127.0.0.1/", "\\\\127.0.0.1\\share",
)  # fmt: skip


def addresses(port: int) -> list[str]:
    """List them, those of this machine with a port on which somebody counts who connects."""
    here = [f"http://{host}:{port}/{number}" for number, host in enumerate(_THIS_HOST)]
    here += [f"{scheme}://127.0.0.1:{port}/x" for scheme in _SCHEMES]
    here += [
        f"http://127.0.0.1:{port}/redirect?to=http://169.254.169.254/",
        f"http://127.0.0.1:{port}\t/x",
        f"http://127.0.0.1:{port}/\r\nHost: x",
        f" http://127.0.0.1:{port}/",
        f"http:\\\\127.0.0.1:{port}\\x",
        f"http:127.0.0.1:{port}/x",
    ]
    return [*here, *_ELSEWHERE]


class Door:
    """Counts who connects to a port of this machine, over IPv4 and IPv6."""

    def __init__(self) -> None:
        self.port = 0
        self._knocked = threading.Condition()
        self._callers: list[tuple[str, int]] = []
        self._own: set[tuple[str, int]] = set()
        self._listening: list[socket.socket] = []
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        first = socket.create_server(("127.0.0.1", 0))
        self.port = first.getsockname()[1]
        self._listening = [first]
        if socket.has_ipv6:
            with contextlib.suppress(OSError):  # no IPv6 here, or the port is taken there
                self._listening.append(socket.create_server(("::1", self.port), family=socket.AF_INET6))
        for each in self._listening:
            thread = threading.Thread(target=self._count, args=(each,), daemon=True)
            thread.start()
            self._threads.append(thread)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for each in self._listening:
            each.shutdown(socket.SHUT_RDWR)
            each.close()
        for thread in self._threads:
            thread.join()

    def knocks(self) -> int:
        """Say how many others have connected: a door answers in order, so all who came before our own knock."""
        for each in self._listening:
            with socket.create_connection(each.getsockname()[:2]) as own:
                self._own.add(own.getsockname()[:2])
        with self._knocked:
            self._knocked.wait_for(lambda: self._own.issubset(self._callers))
            return len([caller for caller in self._callers if caller not in self._own])

    def _count(self, listening: socket.socket) -> None:
        while True:
            try:
                taken, caller = listening.accept()
            except OSError:
                return
            taken.close()
            with self._knocked:
                self._callers.append(caller[:2])
                self._knocked.notify_all()


def rotated(words: Sequence[str], by: int) -> list[str]:
    """Begin a list at another of its items."""
    at = by % len(words)
    return [*words[at:], *words[:at]]
