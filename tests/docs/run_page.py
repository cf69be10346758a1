"""Runs one page: its blocks come as JSON on standard input; one namespace, one folder, in order.

A traceback names the page and the page's own line. A program of its own, so that what a page instruments ends with it.
"""

import json
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

from forked import Commands

_SHELL_WORDS = set("|&;<>()$`*?[]~=")  # of a line that a shell has to read


def main() -> None:
    """Run the page that standard input describes."""
    page = json.load(sys.stdin)
    commands = Commands()
    if any(block["kind"] in {"command", "sql"} for block in page["blocks"]):  # the SDK alone has no verbs
        commands.load()  # before anything starts a thread
    namespace: dict[str, Any] = {"__name__": "__main__"}
    for block in page["blocks"]:
        match block["kind"]:
            case "file":
                _write(block)
            case "command":
                _flush()
                _expect(page, block, *_run(commands, block["text"]))
            case "sql":
                _flush()
                _expect(page, block, *commands.run(["query", block["text"]]))
            case "json":
                json.loads(block["text"])
            case _:
                shifted = "\n" * (block["line"] - 1) + block["text"]
                exec(compile(shifted, page["path"], "exec"), namespace)  # noqa: S102 - running the page is the point


def _run(commands: Commands, line: str) -> tuple[int, str, str]:
    """Run one line: ours by a fork, which costs nothing, unless it needs a shell."""
    words = shlex.split(line, comments=True)
    if words[:2] == ["tocsin", "up"]:
        return _up(words)
    if words[:1] == ["tocsin"] and words[1:2] != ["run"] and not _SHELL_WORDS & set(_outside_quotes(line)):
        return commands.run(words[1:])
    done = subprocess.run(["/bin/sh", "-c", line], capture_output=True, text=True, check=False, timeout=90)
    return done.returncode, done.stdout, done.stderr


def _up(words: list[str]) -> tuple[int, str, str]:
    """Start one as the page says, on ports that are free, and end it once it is up: it would run for ever."""
    ports = [f"--{name}=127.0.0.1:0" for name in ("grpc", "http", "api", "guard", "clickhouse-http")]
    folder = [] if "--data-dir" in words else ["--data-dir", "data-of-up"]
    with subprocess.Popen(
        [*words, "--json", *ports, *folder], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as up:
        assert up.stdout
        said = ""
        for line in up.stdout:
            said += line
            if line == "}\n":
                break
        up.terminate()
        _, err = up.communicate()
        return up.returncode, said, err


def _outside_quotes(line: str) -> str:
    kept, quote = [], ""
    for letter in line.partition(" #")[0]:
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "'\"":
            quote = letter
        else:
            kept.append(letter)
    return "".join(kept)


def _expect(page: dict[str, Any], block: dict[str, Any], code: int, out: str, err: str) -> None:
    sys.stdout.write(out)
    if code != block["exits"] or "Traceback" in err:
        said = f"{page['path']}, line {block['line']}: {block['text']}\n"
        sys.exit(f"{said}ended with {code}, expected {block['exits']}\n{out}{err}")


def _write(block: dict[str, Any]) -> None:
    """Write a file, and read it as the product would."""
    file = Path(block["file"])
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(block["text"], encoding="utf-8")
    if file.name == "tocsin.yaml":
        from tocsin_alerts import documents
        from tocsin_console.config_file import TocsinYaml

        documents.load(file, TocsinYaml)
    elif file.parts[0] == "use_cases":
        from tocsin_alerts.plan import Plans

        Plans.load(file.parent)
    elif file.parts[0] == "rules" and file.suffix == ".yaml":
        from tocsin_alerts.evaluator import load_evaluators
        from tocsin_alerts.rules import load_rules

        load_rules(file.parent, evaluators=load_evaluators())
    elif file.suffix in {".yaml", ".yml"}:
        import yaml

        yaml.safe_load(block["text"])


def _flush() -> None:
    """What the page's program has recorded so far is there before a command looks for it."""
    tocsin = sys.modules.get("tocsin")
    if tocsin is not None:
        tocsin.flush()


if __name__ == "__main__":
    main()
