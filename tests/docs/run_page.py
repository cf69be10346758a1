"""Runs one page: its blocks come as JSON on standard input; one namespace, one folder, in order.

A traceback names the page and the page's own line. A program of its own, so that what a page instruments ends with it.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any


def main() -> None:
    """Run the page that standard input describes."""
    page = json.load(sys.stdin)
    namespace: dict[str, Any] = {"__name__": "__main__"}
    for block in page["blocks"]:
        match block["kind"]:
            case "file":
                Path(block["file"]).parent.mkdir(parents=True, exist_ok=True)
                Path(block["file"]).write_text(block["text"], encoding="utf-8")
            case "command":
                _flush()
                done = subprocess.run(
                    ["/bin/sh", "-c", block["text"]], capture_output=True, text=True, check=False, timeout=60
                )
                sys.stdout.write(done.stdout)
                if done.returncode or "Traceback" in done.stderr:
                    sys.exit(
                        f"{page['path']}, line {block['line']}: {block['text']}\n"
                        f"ended with {done.returncode}\n{done.stdout}{done.stderr}"
                    )
            case _:
                shifted = "\n" * (block["line"] - 1) + block["text"]
                exec(compile(shifted, page["path"], "exec"), namespace)  # noqa: S102 - running the page is the point


def _flush() -> None:
    """What the page's program has recorded so far is there before a command looks for it."""
    tocsin = sys.modules.get("tocsin")
    if tocsin is not None:
        tocsin.flush()


if __name__ == "__main__":
    main()
