"""Clients of Node, from npm, where npm is to be had."""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest


def installed(sources: Path, *, name: str, proof: str, what: str) -> Path:
    """Give a folder with what a package.json asks for, kept between runs under its exact versions, and fresh copies of the scripts beside it.

    Args:
        sources: Where package.json and the scripts are.
        name: Of the folder.
        proof: A package that is there once it is installed.
        what: That is not tried where Node or the registry is missing.
    """
    npm = shutil.which("npm")
    if not (shutil.which("node") and npm):
        pytest.skip(f"needs node and npm: {what} was not tried")
    wanted = (sources / "package.json").read_bytes()
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache / "tocsin-tests" / f"{name}-{hashlib.sha256(wanted).hexdigest()[:12]}"
    if not (folder / "node_modules" / proof / "package.json").is_file():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_bytes(wanted)
        command = [npm, "install", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts", "--silent"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
        if done.returncode:
            pytest.skip(f"npm could not install {what}, which was not tried: {done.stderr.strip()[-200:]}")
    for script in sources.glob("*.js"):
        shutil.copy(script, folder)
    return folder
