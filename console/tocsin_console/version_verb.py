"""``tocsin version``: which tocsin, Python and engine this is; imports nothing of them."""

import argparse
import json
import platform
import sys
from collections.abc import Sequence
from importlib import metadata

_PARTS = ("chdb-core", "clickhouse-connect", "opentelemetry-sdk", "grpcio", "protobuf", "scikit-learn")


def parser() -> argparse.ArgumentParser:
    """Give what reads the verb's options."""
    made = argparse.ArgumentParser(prog="tocsin version", description="Print the versions of tocsin and its parts.")
    made.add_argument("--json", action="store_true", help="print one JSON document and nothing else")
    return made


def version(arguments: Sequence[str]) -> int:
    """Print the versions."""
    told = parser().parse_args(arguments)
    found = {
        "tocsin": _installed("tocsin"),
        "python": platform.python_version(),
        **{name: _installed(name) for name in _PARTS},
    }
    if told.json:
        sys.stdout.write(json.dumps(found, indent=2) + "\n")
    else:
        sys.stdout.writelines(f"{name} {number or 'not installed'}\n" for name, number in found.items())
    return 0


def _installed(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
