"""A built root started as an engine starts a hardened image.

Its entry point is PID 1 of its own, as its user and without a capability, over a root that cannot be written, in a network of its own.
"""

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from _image.dockerfile import Dockerfile
from _image.roots import PATH, Root

_RUN: Final = """set -e
mount --bind "$ROOT" "$ROOT"
cd /
mount -t proc proc "$ROOT/proc"
mount --rbind /sys "$ROOT/sys"
mount -t tmpfs -o mode=1777,noexec,nosuid,nodev,size=64m tmpfs "$ROOT/tmp"
mount -t tmpfs -o mode=755 tmpfs "$ROOT/dev"
for device in null zero full random urandom; do cp -a "/dev/$device" "$ROOT/dev/"; done
mkdir -m 1777 "$ROOT/dev/shm"
mount -t tmpfs -o mode=1777,size=64m tmpfs "$ROOT/dev/shm"
if [ -n "$DATA" ]; then mount --bind "$DATA" "$ROOT$AT"; fi
mount -o remount,bind,ro "$ROOT"
root="$ROOT"
unset ROOT DATA AT OLDPWD
HOME=/nonexistent exec /usr/sbin/chroot "$root" /bin/sh -c 'cd "$1" && shift && exec setpriv "$@"' sh "$@"
"""
_PATIENCE_S: Final = 180.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """What of a stage an engine would look at."""

    root: Root
    entry: tuple[str, ...]
    command: tuple[str, ...]
    check: tuple[str, ...]  # of HEALTHCHECK
    user: str  # uid:gid
    folder: str
    environment: Mapping[str, str]
    volume: str  # the one that can be written, beside /tmp; empty: none

    @classmethod
    def of(cls, file: Dockerfile, name: str, root: Root) -> "Image":
        """Read it off the Dockerfile.

        Raises:
            ValueError: entry point, command or health check is in shell form, which passes no signal on.
        """
        environment = file.environment(name, {"PATH": PATH})
        said = {
            word: found
            for word in ("ENTRYPOINT", "CMD", "VOLUME", "WORKDIR", "USER", "HEALTHCHECK")
            if (found := file.last(name, word))
        }
        for word in ("ENTRYPOINT", "CMD"):
            if not said[word].is_exec:
                raise ValueError(f"line {said[word].line}: expected {word} in exec form, as JSON")
        volumes = said["VOLUME"].words({}) if "VOLUME" in said else []
        return cls(
            root=root,
            entry=tuple(said["ENTRYPOINT"].words({})),
            command=tuple(said["CMD"].words({})),
            check=tuple(json.loads(said["HEALTHCHECK"].text.removeprefix("CMD").strip())),
            user=said["USER"].text,
            folder=said["WORKDIR"].text,
            environment=environment,
            volume=volumes[0] if volumes else "",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A network with nothing in it but loopback, and what was started there."""

    holder: int  # a process that keeps the network namespace
    folder: Path

    @contextmanager
    def started(
        self, image: Image, *, environment: Mapping[str, str], arguments: Sequence[str] = ()
    ) -> "Iterator[Process]":
        """Start an image; what still runs in the end is killed."""
        log = self.folder / f"{image.entry[0]}-{len(list(self.folder.glob('*.log')))}.log"
        with log.open("wb") as out:
            started = self._popen(
                image, [*image.entry, *(arguments or image.command)], environment, stdout=out, stderr=out
            )
            try:
                yield Process(process=started, log=log)
            finally:
                started.kill()
                started.wait()

    def run(
        self, image: Image, command: Sequence[str], *, environment: Mapping[str, str] | None = None, user: str = ""
    ) -> tuple[int, str]:
        """Run something beside it, in the same file system and network, as ``exec`` of an engine does; code and output."""
        with self._popen(
            image, command, environment or {}, user=user, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        ) as ran:
            said = ran.communicate(timeout=_PATIENCE_S)[0]
        return ran.returncode, said.decode()

    def until(self, what: str, holds: Callable[[], Any]) -> float:
        """Wait for a condition; gives the seconds that it took.

        Raises:
            TimeoutError: it does not hold after minutes.
        """
        began = time.monotonic()
        while not holds():
            if time.monotonic() - began > _PATIENCE_S:
                raise TimeoutError(f"expected {what} within {_PATIENCE_S:g} s: look at the logs in {self.folder}")
            time.sleep(0.1)
        return time.monotonic() - began

    def _popen(
        self, image: Image, command: Sequence[str], environment: Mapping[str, str], *, user: str = "", **how: Any
    ) -> "subprocess.Popen[bytes]":
        uid, _, gid = (user or image.user).partition(":")
        data = self.folder / "data" / image.volume.strip("/").replace("/", "-")
        if image.volume and not data.exists():  # as an engine fills a new volume: with the owner that the image says
            data.mkdir(parents=True)
            owner = (image.root.mounted / image.volume.lstrip("/")).stat()
            os.chown(data, owner.st_uid, owner.st_gid)
        within = [
            "nsenter",
            f"--net=/proc/{self.holder}/ns/net",
            "unshare",
            "--mount",
            "--pid",
            "--fork",
            "--kill-child",
        ]
        who = [
            f"--reuid={uid}",
            f"--regid={gid}",
            "--clear-groups",
            "--no-new-privs",
            "--bounding-set=-all",
            "--inh-caps=-all",
        ]
        return subprocess.Popen(
            [*within, "/bin/sh", "-c", _RUN, "sh", image.folder, *who, *command],
            env={
                **image.environment,
                **environment,
                "ROOT": str(image.root.mounted),
                "DATA": str(data) if image.volume else "",
                "AT": image.volume,
            },
            stdin=subprocess.DEVNULL,
            **how,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """One started image."""

    process: "subprocess.Popen[bytes]"  # what keeps its process namespace
    log: Path

    @property
    def pid(self) -> int:
        """Which process is its PID 1, as this machine counts."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text(encoding="utf-8")
        return int(children.split()[0])

    def rss_mb(self) -> float:
        """Say what it and its children hold in memory."""
        pids, total = [self.pid], 0
        while pids:
            pid = pids.pop()
            status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
            total += next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")), 0)
            pids += map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8").split())
        return total * 1024 / 1e6

    def end(self, number: int) -> tuple[int, float]:
        """Send its PID 1 a signal and wait; its exit code, and the seconds that it took."""
        began = time.monotonic()
        os.kill(self.pid, number)
        return self.process.wait(_PATIENCE_S), time.monotonic() - began


@contextmanager
def machine(folder: Path) -> Iterator[Machine]:
    """Give a network of its own, with loopback up."""
    folder.mkdir(parents=True)
    up = "ip link set lo up && echo up && exec sleep 86400"
    hold = subprocess.Popen(["unshare", "--net", "/bin/sh", "-c", up], stdout=subprocess.PIPE)  # noqa: S607
    try:
        if not hold.stdout or hold.stdout.readline() != b"up\n":
            raise RuntimeError("expected a network namespace with loopback, got none: run as root, with iproute2")
        yield Machine(holder=hold.pid, folder=folder)
    finally:
        hold.kill()
        hold.wait()
        if hold.stdout:
            hold.stdout.close()
