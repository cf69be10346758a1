"""Servers that end and replace their processes all day, under load, in front of a real collector and its store."""

import http.client
import os
import re
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from tests.end_to_end.conftest import Up, _wait_for, running

APP = """
import os
import tocsin

tocsin.init(service_name="recycled")

@tocsin.observe(os.environ["USE_CASE"])
def triage(number):
    tocsin.current_call().set_output(label=number)

def wsgi(environ, start_response):
    triage(environ["PATH_INFO"][1:])
    start_response("200 OK", [("content-type", "text/plain"), ("content-length", "2")])
    return [b"ok"]

async def asgi(scope, receive, send):
    if scope["type"] != "http":
        return
    triage(scope["path"][1:])
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})
"""
TASKS = """
import os
import tocsin
from celery import Celery

tocsin.init(service_name="recycled")
app = Celery("tasks", broker="filesystem://")
app.conf.broker_transport_options = {"data_folder_in": "queue", "data_folder_out": "queue", "control_folder": "control"}
app.conf.task_ignore_result = True

@app.task(name="triage")
def triage(number):
    with tocsin.observe(os.environ["USE_CASE"]) as call:
        call.set_output(label=number)
    with open("done", "a") as done:
        done.write(number + "\\n")
"""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """One collector for all of them."""
    with running(tmp_path_factory.mktemp("up")) as up:
        yield up


@contextmanager
def serving(store: Up, folder: Path, use_case: str, *command: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Run a server of the application; yields it and its port."""
    (folder / "application.py").write_text(APP)
    own = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "TOCSIN_"))}
    server = subprocess.Popen(
        [sys.executable, "-m", *command],
        cwd=folder,
        env=own | {"TOCSIN_ENDPOINT": f"http://{store.facts['grpc']}", "USE_CASE": use_case},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert server.stderr is not None
    said = ""
    for line in server.stderr:
        said += line
        if found := re.search(r"http://127\.0\.0\.1:(\d+)", line):
            break
    else:
        raise AssertionError(said)
    rest = threading.Thread(
        target=lambda: sys.stderr.writelines(server.stderr or ())
    )  # a full pipe would stop the server
    rest.start()
    try:
        yield server, int(found[1])
    finally:
        if server.poll() is None:
            server.kill()
        server.wait()
        rest.join()
        server.stderr.close()


def ask(port: int, number: int) -> bool:
    """Make one request; true when it was answered."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", f"/{number}")
        return connection.getresponse().read() == b"ok"
    except OSError:
        return False
    finally:
        connection.close()


def load(port: int, requests: int) -> list[str]:
    """Make so many requests, eight at a time; say which were answered."""
    with ThreadPoolExecutor(8) as clients:
        answered = list(clients.map(lambda number: ask(port, number), range(requests)))
    return [str(number) for number, was in enumerate(answered) if was]


def stored(store: Up, use_case: str, answered: list[str]) -> Counter[str]:
    """Count the spans of a use case in the store by their number, once each that was answered is there, or a minute is over."""
    sql = (
        "SELECT SpanAttributes['tocsin.output.label'], count() FROM otel_traces "
        f"WHERE SpanAttributes['tocsin.use_case'] = '{use_case}' GROUP BY 1"
    )

    found: Counter[str] = Counter()

    def all_are_there() -> bool:
        found.clear()
        found.update({str(label): int(count) for label, count in store.query(sql)})
        return found.keys() >= set(answered)

    with suppress(AssertionError):  # the test says which ones are missing
        _wait_for(all_are_there, what="them")
    return found


@pytest.mark.parametrize(
    "options",
    [
        ("--workers", "2"),
        ("--workers", "2", "--preload"),
        ("--workers", "2", "--worker-class", "gthread", "--threads", "4", "--preload"),
    ],
    ids=["sync", "preloaded", "threads"],
)
def test_a_gunicorn_service_recycled_under_load_loses_nothing(
    store: Up, tmp_path: Path, options: tuple[str, ...]
) -> None:
    """`max_requests` ends a worker every few dozen requests, in the middle of the traffic; the last ones end by SIGTERM."""
    use_case = f"gunicorn-{tmp_path.name}"
    recycled = ("--max-requests", "40", "--max-requests-jitter", "20")
    command = ("gunicorn", "application:wsgi", "--bind", "127.0.0.1:0", *options, *recycled)

    with serving(store, tmp_path, use_case, *command) as (server, port):
        answered = load(port, 600)
        server.send_signal(signal.SIGTERM)
        code = server.wait(60)

    spans = stored(store, use_case, answered)
    assert code == 0
    assert len(answered) > 500
    assert [number for number in answered if spans[number] != 1] == []
    assert max(spans.values()) == 1


def test_a_uvicorn_service_loses_nothing_when_it_is_told_to_end(store: Up, tmp_path: Path) -> None:
    """It answers what it has accepted, then dies of SIGTERM's default action, past every exit handler."""
    use_case = "uvicorn"
    command = ("uvicorn", "application:asgi", "--port", "0")

    with serving(store, tmp_path, use_case, *command) as (server, port):
        clients = ThreadPoolExecutor(8)
        asked = [clients.submit(ask, port, number) for number in range(400)]
        asked[100].result()
        server.send_signal(signal.SIGTERM)
        server.wait(60)
        answered = [str(number) for number, each in enumerate(asked) if each.result()]
        clients.shutdown()

    spans = stored(store, use_case, answered)
    assert len(answered) > 100
    assert [number for number in answered if spans[number] != 1] == []
    assert max(spans.values()) == 1


def test_a_celery_worker_recycled_under_load_loses_nothing(store: Up, tmp_path: Path) -> None:
    """Its processes end by ``os._exit`` after every few tasks."""
    (tmp_path / "tasks.py").write_text(TASKS)
    (tmp_path / "queue").mkdir()
    own = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "TOCSIN_"))}
    own |= {"TOCSIN_ENDPOINT": f"http://{store.facts['grpc']}", "USE_CASE": "celery"}
    put = "import tasks\nfor number in range(60): tasks.triage.delay(str(number))"
    subprocess.run([sys.executable, "-c", put], cwd=tmp_path, env=own, check=True, timeout=60)
    options = ("-c", "2", "--max-tasks-per-child", "15", "--without-gossip", "--without-mingle", "--without-heartbeat")

    worker = subprocess.Popen(
        [sys.executable, "-m", "celery", "-A", "tasks", "worker", *options],
        cwd=tmp_path,
        env=own,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        done = tmp_path / "done"
        _wait_for(lambda: done.exists() and done.read_text().count("\n") == 60, what="sixty tasks")
        worker.send_signal(signal.SIGTERM)
        code = worker.wait(60)
    finally:
        if worker.poll() is None:
            worker.kill()
            worker.wait()

    assert code == 0
    assert stored(store, "celery", [str(number) for number in range(60)]) == Counter(
        {str(number): 1 for number in range(60)}
    )
