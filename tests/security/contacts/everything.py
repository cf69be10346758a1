"""Uses tocsin as people do, in one go: prints as JSON which addresses were configured, and what was done.

everything.py FOLDER     run by a test, with nothing but loopback around it
"""

import contextlib
import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from tests.genai import servers
from tests.security.contacts import pages, verbs
from tests.security.contacts.service import USE_CASE

from _release.failing import receiver, send_hours
from _up import up

_HERE: Final = Path(__file__).parent
_PATIENCE_S: Final = 300.0  # a loaded machine is slow, not broken
_CONFIG: Final = """\
clock: data
channels:
  - {{name: hook, type: webhook, url: "{url}/hook"}}
  - {{name: chat, type: slack, url: "file:chat.url"}}
dead_man: {{url: "{url}/alive"}}
"""
_PLAN: Final = """\
use_case: digits
owner: ana
"""


def main(folder: Path) -> None:
    """Do everything, and tell."""
    with receiver() as (address, posts), servers.running("openai") as provider:
        (folder / "tocsin.yaml").write_text(_CONFIG.format(url=address))
        (folder / "chat.url").write_text(f"{address}/chat")
        (folder / "use_cases").mkdir()
        (folder / "use_cases" / "digits.yaml").write_text(_PLAN)
        with up(folder) as running:
            facts = running.facts
            own = {
                **os.environ,
                **provider,
                "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{facts['grpc']}",
                "TOCSIN_GUARD_ENDPOINT": facts["guard"],
            }
            send_hours(facts["grpc"], USE_CASE, until=datetime.now(UTC))
            wait_for(lambda: {"/hook", "/chat"} <= {path for path, _ in posts}, what="a page on both channels")
            serve = [sys.executable, "-m", "tocsin_console", "run", "--", sys.executable, str(_HERE / "service.py")]
            done = subprocess.run(serve, cwd=folder, env=own, check=True, stdout=subprocess.PIPE, text=True)
            os.chdir(folder)
            os.environ["TOCSIN_DATA_DIR"] = "data"
            ended = run_verbs(handle=done.stdout.strip())
            looked = pages.look(facts["api"])
    addresses = {"receiver": address, "provider": provider["OPENAI_BASE_URL"].removesuffix("/v1")}
    addresses |= {name: facts[name] for name in ("grpc", "http", "api", "guard", "clickhouse_http")}
    told = {
        "ports": {name: int(each.rpartition(":")[2]) for name, each in addresses.items()},
        "posts": sorted({path for path, _ in posts}),
        "verbs": ended,
        "fetched": looked.fetched,
        "elsewhere": looked.elsewhere,
        "unguarded": looked.unguarded,
    }
    sys.stdout.write(json.dumps(told))


def run_verbs(*, handle: str) -> dict[str, list[Any]]:
    """Run every verb; give their exit codes, and what each said last."""

    def ask(*words: str) -> Any:
        return json.loads(run_verb([*words, "--json"])[1])

    def stored() -> list[Any]:
        rows: list[Any] = ask(
            "query",
            f"SELECT call_id FROM calls WHERE use_case = '{USE_CASE}' AND output_label = 'billing' AND confidence > 0",
        )
        return rows

    wait_for(lambda: bool(stored()), what="the service's call")
    found = {
        "today": f"{datetime.now(UTC):%Y-%m-%d}",
        "here": str(Path.cwd()),
        "handle": handle,
        "call": stored()[0]["call_id"],
        "incident": next(alert["incident"] for alert in ask("alerts", "list", "--all") if alert["incident"]),
        "silence": ask("alerts", "silence", USE_CASE, "--for", "1h", "--because", "trying")["silence"],
        "key": ask("keys", "create", "first")["facts"]["key_id"],
    }
    for name, text in verbs.FILES.items():
        Path(name).write_text(text.format(**found))
    return {" ".join(words): [code, said[-300:]] for words in verbs.lines(found) for code, said in [run_verb(words)]}


def run_verb(words: list[str]) -> tuple[int, str]:
    """Run a verb in this process; give its exit code and what it said."""
    from tocsin_console.__main__ import main as tocsin

    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        code = tocsin(words)
    return code, said.getvalue().strip()


def wait_for(seen: Callable[[], bool], *, what: str) -> None:
    """Ask again and again until it is so."""
    deadline = time.monotonic() + _PATIENCE_S
    while not seen():
        if time.monotonic() > deadline:
            raise SystemExit(f"waited {_PATIENCE_S:g} s in vain for {what}")
        time.sleep(0.05)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
