# ruff: noqa: INP001 - a folder for PYTHONPATH, not a package
"""Put first on PYTHONPATH by ``tocsin run``: start tocsin, then the ``sitecustomize`` that would have run without us.

Runs in every Python of the command, also in one that has no tocsin, or another version of everything: it may not fail.
"""

import os
import sys


def _start() -> None:
    if os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return
    # Only the command itself is told about, not each of its children.
    told = os.environ.pop("TOCSIN_RUN_PID", "") == str(os.getpid())
    try:
        from tocsin._process.zero_code import start
    except ImportError as error:
        if told:
            sys.stderr.write(
                f"tocsin run: {sys.executable} cannot import tocsin ({error}), so nothing is measured; "
                f"install tocsin there: {sys.executable} -m pip install tocsin\n"
            )
        return
    start()


def _chain() -> None:
    """Run the next ``sitecustomize`` on the path, as the interpreter would have."""
    import importlib.util
    from importlib.machinery import PathFinder

    here = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120 - pathlib costs every Python 5 ms
    rest = [path for path in sys.path if not path or os.path.abspath(path) != here]  # noqa: PTH100
    spec = PathFinder.find_spec("sitecustomize", rest)
    if spec is None or spec.loader is None:
        return
    module = importlib.util.module_from_spec(spec)
    sys.modules["sitecustomize"] = module
    spec.loader.exec_module(module)


try:
    _start()
except Exception as error:
    sys.stderr.write(f"tocsin: could not start ({type(error).__name__}: {error}); your program is unaffected\n")
_chain()
