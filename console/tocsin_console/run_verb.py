"""``tocsin run -- CMD``: run a Python command with instrumentation and without a changed line."""

import argparse
import os
import sys
from collections.abc import Sequence


def run(arguments: Sequence[str]) -> int:
    """Run a command with the SDK in it; does not return when the command starts."""
    parser = argparse.ArgumentParser(
        prog="tocsin run",
        description="Run a Python command with instrumentation: tocsin run -- python service.py. "
        "Models are observed, spans go to OTEL_EXPORTER_OTLP_ENDPOINT or http://127.0.0.1:4317.",
    )
    parser.add_argument("--use-case", help="the use case of calls that do not name one")
    parser.add_argument("--service-name", help="service.name of the spans")
    parser.add_argument("--endpoint", help="where spans go, such as http://127.0.0.1:4317")
    parser.add_argument("command", nargs=argparse.REMAINDER, metavar="-- COMMAND", help="the command and its arguments")
    told = parser.parse_args(arguments)
    command = told.command[1:] if told.command[:1] == ["--"] else told.command
    if not command:
        parser.error("expected a command after --, such as: tocsin run -- python service.py")
    from tocsin._process.zero_code import environment

    changed = environment(
        use_case=told.use_case, service_name=told.service_name, endpoint=told.endpoint, base=os.environ
    )
    try:
        os.execvpe(command[0], command, changed)  # noqa: S606 - running the given command is what this verb is for
    except OSError as error:
        sys.stderr.write(f"tocsin run: {command[0]}: {error.strerror}\n")
        return 127 if isinstance(error, FileNotFoundError) else 126
