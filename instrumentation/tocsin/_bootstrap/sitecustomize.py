# ruff: noqa: INP001 - a folder for PYTHONPATH, not a package
"""Put first on PYTHONPATH by ``tocsin run``: start tocsin, then the ``sitecustomize`` that would have run without us."""

import sys
from pathlib import Path


def _start() -> None:
    try:
        import tocsin
    except ImportError:  # another Python, without tocsin: leave it alone
        return
    tocsin.init()
    tocsin.instrument_sklearn()


def _chain() -> None:
    """Run the next ``sitecustomize`` on the path, as the interpreter would have."""
    import importlib.util
    from importlib.machinery import PathFinder

    here = Path(__file__).resolve().parent
    rest = [path for path in sys.path if not path or Path(path).resolve() != here]
    spec = PathFinder.find_spec("sitecustomize", rest)
    if spec is None or spec.loader is None:
        return
    module = importlib.util.module_from_spec(spec)
    sys.modules["sitecustomize"] = module
    spec.loader.exec_module(module)


_start()
_chain()
