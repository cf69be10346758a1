"""The images of deploy/container, where there is no container engine: built, started and ended in chroots.

    bench/image.py --folder /var/tmp/image --json bench/results/image.json      # as root; debootstrap, iproute2, 5 GB of disk

Every RUN, COPY, ENV, WORKDIR and USER of the Dockerfile is executed, stage by stage, over a Debian from debootstrap: the same
packages as in the base image, whose digest only an engine can fetch. Then `tocsin` is started as its HEALTHCHECK and Compose see it:
PID 1, uid 10001, no capability, no new privileges, root read-only, its volume and /tmp writable, a network of its own. The example
sends a ticket from its own root, the span and its outcome are read back, SIGTERM ends both. Exits with 1 when a figure misses its goal.
"""

import json
import shutil
import signal
import sys
import time
from pathlib import Path

from _image.building import Builder
from _image.context import Context
from _image.dockerfile import read
from _image.roots import Root, debian, private
from _image.running import Image, Machine, machine
from _report import Figure, arguments, document, show

_CHECKOUT = Path(__file__).resolve().parents[1]
_QUIET_S = 20  # until it is called idle
_TOOLS = ("gcc", "cc", "g++", "make", "ld", "git", "pip", "pip3", "curl", "wget")
_ASK = """import http.client, json, sys
ask = http.client.HTTPConnection("127.0.0.1", 8000, timeout=10)
def post(path, document):
    ask.request("POST", path, json.dumps(document), {"content-type": "application/json"})
    return json.load(ask.getresponse())
ticket = post("/triage", {"text": "refund please"})
post("/outcomes", {"handle": ticket["handle"], "queue": "billing"})
print(ticket["queue"], ticket["decision"])"""
_STORED = {"use_case": "ticket-triage", "model_version": "naive-bayes-1", "labels": 1, "correct": 1}
_PASSWORDS = _CHECKOUT / "deploy/compose/passwords.py"
_FIRST_START = 'cd /tmp && mkdir tocsin clickhouse grafana && python -c "$0" . && python -c "$0" . && test -r clickhouse/hashes.xml'
_SERVES = {"TOCSIN_INSECURE": "true"}  # as docs/deploy/container.md starts it
_SENDS = {"TOCSIN_ENDPOINT": "http://127.0.0.1:4317", "TOCSIN_GUARD_ENDPOINT": "127.0.0.1:8015"}


def main() -> int:
    """Build, run, measure."""
    parser = arguments(__doc__ or "")
    parser.add_argument("--folder", type=Path, required=True, help="for the base (kept) and the stages (made anew)")
    told = parser.parse_args()
    private()
    folder = told.folder.resolve()
    base = debian(folder)
    work = folder / "work"
    shutil.rmtree(work, ignore_errors=True)
    file = read(_CHECKOUT / "deploy/container/Dockerfile")
    builder = Builder(file=file, context=Context.of(_CHECKOUT), base=base, folder=work / "stages")
    roots = {name: builder.build(name) for name in ("tocsin", "example")}
    images = {name: Image.of(file, name, root) for name, root in roots.items()}
    with machine(work / "run") as running:
        figures = run(running, images["tocsin"], images["example"])
        versions = json.loads(running.run(images["tocsin"], ["tocsin", "version", "--json"])[1])
    below = Root.over((base,), work / "base")
    figures += [Figure(name="debian_mb", value=below.size_mb(), unit="MB")]
    figures += [Figure(name=f"{name}_mb", value=root.size_mb(), unit="MB") for name, root in roots.items()]
    figures += [Figure(name=f"build_{name}_s", value=took, unit="s") for name, took in builder.took_s.items()]
    tools = [f"{name}:{tool}" for name, root in roots.items() for tool in _TOOLS if _has(root, tool)]
    figures += [Figure(name="build_tools_left", value=float(len(tools)), unit="files", goal="== 0")]
    show("image", figures)
    if told.json is not None:  # with the versions in the image, not those of the environment that this runs in
        told.json.write_text(json.dumps({**document(figures), "versions": versions}, indent=2) + "\n", encoding="utf-8")
    return 0 if all(figure.met is not False for figure in figures) else 1


def run(running: Machine, server: Image, example: Image) -> list[Figure]:
    """Start both, send, read back, end both."""
    before = server.root.fingerprint() | example.root.fingerprint()
    made, _ = running.run(server, ["sh", "-c", _FIRST_START, _PASSWORDS.read_text(encoding="utf-8")], user="0:0")
    with running.started(server, environment={}) as open_to_all:
        refused = open_to_all.process.wait(60)
    with running.started(server, environment=_SERVES) as tocsin:
        ready = running.until("tocsin to be healthy", lambda: _is_healthy(running, server))
        time.sleep(_QUIET_S)
        idle = tocsin.rss_mb()
        written = running.run(server, ["touch", "/etc/tocsin/tocsin.yaml"], user="0:0")[0]
        with running.started(example, environment=_SENDS) as service:
            running.until("the example to be healthy", lambda: _is_healthy(running, example))
            _, said = running.run(example, ["python", "-c", _ASK])
            print(f"the example answered: {said.strip()}", file=sys.stderr)
            stored = running.until("the call and its outcome", lambda: _answer(running, server) == [_STORED])
            service_code, service_s = service.end(signal.SIGTERM)
        balances = json.loads(running.run(server, ["tocsin", "status", "--json"])[1])["ledger"]["balances"]
        code, drained = tocsin.end(signal.SIGTERM)
        ended_is_healthy = _is_healthy(running, server)
    after = server.root.fingerprint() | example.root.fingerprint()
    changed = [path for path in before.keys() | after.keys() if before.get(path) != after.get(path)]
    print("".join(f"changed: {path}\n" for path in changed), end="", file=sys.stderr)
    logs = "".join(path.read_text(encoding="utf-8", errors="replace") for path in running.folder.glob("*.log"))
    return [
        Figure(name="passwords_exit_code", value=float(made), unit="", goal="== 0"),
        Figure(name="open_without_a_word_exit_code", value=float(refused), unit="", goal="== 2"),
        Figure(name="healthy_after_s", value=ready, unit="s"),
        Figure(name="idle_rss_mb", value=idle, unit="MB"),
        Figure(name="root_written", value=float(written == 0), unit="", goal="== 0"),
        Figure(name="call_and_outcome_read_back_s", value=stored, unit="s"),
        Figure(name="ledger_balances", value=float(balances), unit="", goal="== 1"),
        Figure(name="sigterm_exit_code", value=float(code), unit="", goal="== 0"),
        Figure(name="healthy_after_the_end", value=float(ended_is_healthy), unit="", goal="== 0"),
        Figure(name="sigterm_s", value=drained, unit="s"),
        Figure(name="example_sigterm_exit_code", value=float(service_code), unit="", goal="== 0"),
        Figure(name="example_sigterm_s", value=service_s, unit="s"),
        Figure(name="files_changed", value=float(len(changed)), unit="files", goal="== 0"),
        Figure(name="writes_refused_in_logs", value=float(logs.count("Read-only file system")), unit="", goal="== 0"),
    ]


def _is_healthy(running: Machine, image: Image) -> bool:
    return running.run(image, image.check)[0] == 0


def _answer(running: Machine, server: Image) -> list[dict[str, object]]:
    sql = "SELECT use_case, model_version, labels, correct_labels AS correct FROM quality_daily"
    code, said = running.run(server, ["tocsin", "query", "--json", sql])
    return list(json.loads(said)) if code == 0 else []


def _has(root: Root, tool: str) -> bool:
    places = ("usr/bin", "usr/local/bin", "opt/tocsin/bin", "opt/example/bin")
    return any((root.mounted / place / tool).exists() for place in places)


if __name__ == "__main__":
    sys.exit(main())
