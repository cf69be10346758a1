"""Generate the stubs of the `.proto` files again: `make proto`, or `python proto/regenerate.py [--check] [OUT]`.

The compiler's version is pinned, in a virtual environment of its own under the cache folder: generated code must not
change because somebody upgraded something, and the compiler's own pins must not meet the project's. With --check
nothing is written and the exit status says whether the committed stubs are what the compiler makes.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

COMPILER = ("grpcio-tools==1.63.2", "setuptools<81")  # that version still wants pkg_resources
HERE = Path(__file__).resolve().parent
PROTOS = ("tocsin_wire/v1/outcomes.proto",)


class Unreachable(Exception):  # noqa: N818 - reads as what it says
    """The compiler could not be installed: the package registry was not reached."""


def main(arguments: list[str] | None = None) -> int:
    """Generate, or check."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when the stubs differ")
    asked = parser.parse_args(arguments)
    try:
        if not asked.check:
            generate(HERE)
            return 0
        with tempfile.TemporaryDirectory() as folder:
            different = differences(Path(folder))
    except Unreachable as error:
        sys.stderr.write(f"{error}\n")
        return 3
    for path in different:
        sys.stderr.write(f"{path} is not what its .proto says: run make proto\n")
    return 1 if different else 0


def generate(out: Path) -> list[Path]:
    """Write the stubs below a folder; return their paths within it.

    Raises:
        Unreachable: the compiler is not cached and cannot be installed.
    """
    python = compiler()
    command = [str(python), "-W", "ignore", "-m", "grpc_tools.protoc", f"-I{HERE}"]
    subprocess.run([*command, f"--python_out={out}", f"--pyi_out={out}", *PROTOS], check=True, cwd=HERE)
    stubs = []
    for proto in PROTOS:
        stem = proto.removesuffix(".proto")
        stubs += [Path(f"{stem}_pb2.py"), Path(f"{stem}_pb2.pyi")]
    return stubs


def differences(scratch: Path) -> list[Path]:
    """Return the committed stubs that the compiler would write differently.

    Raises:
        Unreachable: the compiler is not cached and cannot be installed.
    """
    return [path for path in generate(scratch) if (HERE / path).read_bytes() != (scratch / path).read_bytes()]


def compiler() -> Path:
    """Return the Python that has the compiler; make it the first time.

    Raises:
        Unreachable: it is not cached and cannot be installed.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    home = cache / "tocsin" / f"{COMPILER[0].replace('==', '-')}-py{sys.version_info[0]}{sys.version_info[1]}"
    python = home / "bin" / "python"
    done = home / "installed"
    if done.exists():
        return python
    venv.create(home, clear=True, with_pip=True)
    installed = subprocess.run(
        # Never from source: where no wheel is, compiling it would take a quarter of an hour.
        [str(python), "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--only-binary=:all:", *COMPILER],
        capture_output=True,
        text=True,
        check=False,
    )
    if installed.returncode:
        last = (installed.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise Unreachable(f"expected to install {COMPILER[0]}, but: {last}. Check the package index, then try again.")
    done.touch()
    return python


if __name__ == "__main__":
    sys.exit(main())
