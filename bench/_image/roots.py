"""Root file systems: a Debian from debootstrap, layers over it, and commands run inside with what they need of this machine.

All mounts lie in a mount namespace of the caller's own (`private`) and end with it. Needs root.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# Of a RUN: what its commands need of this machine to reach their registries, and nothing that would be left in the image.
_BUILD: Final = """set -e
mount -t proc proc "$ROOT/proc"
mount --rbind /dev "$ROOT/dev"
mount -t tmpfs tmpfs "$ROOT/run"
mount --bind /etc/apt "$ROOT/etc/apt"
mount --bind /etc/resolv.conf "$ROOT/etc/resolv.conf"
if [ -n "$GIVEN" ]; then touch "$ROOT$AT"; mount --bind "$GIVEN" "$ROOT$AT"; fi
exec chroot "$ROOT" /bin/sh -c 'cd "$1" && shift && exec "$@"' sh "$@"
"""
_CERTIFICATES: Final = "/run/certificates.pem"
_SETTINGS: Final = ("index-url", "extra-index-url", "proxy", "trusted-host", "default-timeout")
_PASSED: Final = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")


def private() -> None:
    """Go on in a mount namespace of our own: nothing that is mounted from here on outlives this process."""
    if os.environ.get("_TOCSIN_IMAGE") != "private":
        os.environ["_TOCSIN_IMAGE"] = "private"
        os.execvp("unshare", ["unshare", "--mount", "--propagation", "private", sys.executable, *sys.argv])  # noqa: S606, S607


def debian(folder: Path) -> Path:
    """Give a minimal Debian 12, made by debootstrap where the folder has none yet."""
    base = folder / "base"
    if not (base / "etc" / "debian_version").exists():
        shutil.rmtree(base, ignore_errors=True)
        subprocess.run(["debootstrap", "--variant=minbase", "bookworm", base], check=True, stdout=sys.stderr)  # noqa: S607
        for left in (*(base / "var/cache/apt/archives").glob("*.deb"), *(base / "var/lib/apt/lists").glob("*_*")):
            left.unlink()
    (base / "etc" / "resolv.conf").unlink(missing_ok=True)
    (base / "etc" / "resolv.conf").touch()
    return base


@dataclass(frozen=True, slots=True, kw_only=True)
class Root:
    """A file system of layers; what is written goes into the last of them."""

    layers: tuple[Path, ...]  # the lowest first
    mounted: Path

    @classmethod
    def over(cls, below: tuple[Path, ...], folder: Path) -> "Root":
        """Put an empty layer over others and mount all of them."""
        for name in ("layer", "work", "root"):
            (folder / name).mkdir(parents=True)
        lower = ":".join(str(each) for each in reversed(below))
        options = f"lowerdir={lower},upperdir={folder / 'layer'},workdir={folder / 'work'}"
        subprocess.run(["mount", "-t", "overlay", "overlay", "-o", options, folder / "root"], check=True)  # noqa: S607
        return cls(layers=(*below, folder / "layer"), mounted=folder / "root")

    def run(self, command: Sequence[str], *, environment: Mapping[str, str], folder: str) -> None:
        """Run a command of the build; its output is on standard error.

        Raises:
            RuntimeError: it failed.
        """
        given, settings = _of_this_machine()
        ran = subprocess.run(
            ["unshare", "--mount", "--pid", "--fork", "--kill-child", "/bin/sh", "-c", _BUILD, "sh", folder, *command],  # noqa: S607
            check=False,
            env={
                "PATH": PATH,
                **settings,
                **environment,
                "ROOT": str(self.mounted),
                "GIVEN": given,
                "AT": _CERTIFICATES,
            },
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr,
        )
        if ran.returncode:
            raise RuntimeError(f"expected a RUN to succeed, exit code {ran.returncode}: {' '.join(command)[:200]} …")

    def size_mb(self) -> float:
        """Say how much disk it takes, in MB of a million bytes, all layers together."""
        said = subprocess.run(["du", "-s", "-B1", self.mounted], check=True, capture_output=True, text=True)  # noqa: S607
        return int(said.stdout.split()[0]) / 1e6

    def fingerprint(self) -> dict[str, tuple[int, int, int, int]]:
        """Describe every file but those of mounts: mode, owner, size, when it was changed."""
        found: dict[str, tuple[int, int, int, int]] = {}
        for folder, _, files in os.walk(self.mounted):
            for path in (folder, *(f"{folder}/{file}" for file in files)):
                seen = os.lstat(path)
                found[path] = (seen.st_mode, seen.st_uid, seen.st_size, seen.st_mtime_ns)
        return found


def _of_this_machine() -> tuple[str, dict[str, str]]:
    """Say how this machine reaches the package registry: its certificates, to be shown inside, and settings."""
    said = subprocess.run([sys.executable, "-m", "pip", "config", "list"], check=True, capture_output=True, text=True)
    found = {
        line.partition("=")[0].rpartition(".")[2]: line.partition("=")[2].strip("'\"")
        for line in said.stdout.splitlines()
    }
    settings = {f"PIP_{name.upper().replace('-', '_')}": found[name] for name in _SETTINGS if name in found}
    # An index in a folder of this machine is left out: what the images are made of comes from where everybody has it.
    settings = {name: value for name, value in settings.items() if "file:" not in value}
    certificates = found.get("cert", "")
    if certificates:
        settings["PIP_CERT"] = _CERTIFICATES
    return certificates, settings | {name: os.environ[name] for name in _PASSED if name in os.environ}
