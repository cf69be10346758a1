"""``tocsin``: the two verbs that must start at once need only argparse; the rest load when they are asked for."""

import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words[:1] == ["run"]:
        from tocsin_console.run_verb import run

        return run(words[1:])
    if words[:1] in (["version"], ["--version"]):
        from tocsin_console.version_verb import version

        return version(words[1:])
    try:
        from tocsin_console.cli.app import build
    except ModuleNotFoundError as error:
        sys.stderr.write(f"tocsin: this verb needs {error.name}: pip install 'tocsin[server]'\n")
        return 2
    try:
        build()(args=words, prog_name="tocsin")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


if __name__ == "__main__":
    sys.exit(main())
