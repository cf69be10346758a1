"""What a release is held to before it is published: `make release-check`.

python bench/release.py --json bench/results/release.json [--part build …]

build     wheel and sdist of two clones at different places and umasks; the sdist's wheel
fresh     an environment with the wheel alone, by the lock and without it, runs the quick start; the SDK alone
upgrade   the release before, used and killed, then this one over the same data, and back; over ClickHouse too where
          CLICKHOUSE_BINARY names a server
contacts  `tocsin demo` and the parts apart, watched as tests/security/contacts watches the rest
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

sys.path.insert(1, str(Path(__file__).resolve().parents[1]))  # tests/docs reads the pages

from tests.docs import lived_in

import _report
from _release import building, fresh, older, upgrading
from _report import Figure

_PYTHON: Final = os.environ.get("TOCSIN_PYTHON", "/usr/bin/python3")  # the system's, which has nothing of ours


def build(folder: Path) -> Iterator[Figure]:
    """Build from two clones that have nothing in common but the commit."""
    epoch = building.epoch()
    made: list[dict[str, bytes]] = []
    for name, umask in (("one", 0o022), ("a longer place/two", 0o077)):
        clone = folder / name
        clone.parent.mkdir(exist_ok=True)
        subprocess.run(
            [shutil.which("git") or "git", "clone", "--quiet", "--no-local", str(building.ROOT), str(clone)],
            umask=umask,
            check=True,
        )
        built = building.build(clone, folder / f"dist {umask:o}", "sdist", "wheel", epoch=epoch, umask=umask)
        made.append({path.name: path.read_bytes() for path in built})
    [wheel] = [name for name in made[0] if name.endswith(".whl")]
    [sdist] = [name for name in made[0] if name.endswith(".tar.gz")]
    unpacked = building.unpack(folder / "dist 22" / sdist, folder / "unpacked")
    [of_sdist] = building.build(unpacked, folder / "of sdist", "wheel", epoch=epoch)
    checked = subprocess.run(
        [sys.executable, "-m", "twine", "check", "--strict", *map(str, sorted((folder / "dist 22").iterdir()))],
        capture_output=True,
        check=False,
    )
    print(f"  {wheel}  sha256 {hashlib.sha256(made[0][wheel]).hexdigest()}")
    yield Figure(name="build_wheel_differs", value=made[0][wheel] != made[1][wheel], unit="", goal="== 0")
    yield Figure(name="build_sdist_differs", value=made[0][sdist] != made[1][sdist], unit="", goal="== 0")
    yield Figure(
        name="build_wheel_of_sdist_differs", value=made[0][wheel] != of_sdist.read_bytes(), unit="", goal="== 0"
    )
    yield Figure(name="build_twine_findings", value=checked.returncode, unit="", goal="== 0")
    yield Figure(name="build_wheel_mb", value=round(len(made[0][wheel]) / 1e6, 2), unit="MB")
    yield Figure(name="build_sdist_mb", value=round(len(made[0][sdist]) / 1e6, 2), unit="MB")


def install(folder: Path) -> Iterator[Figure]:
    """Install the wheel where nothing else is, and begin as a reader would."""
    wheel = _wheel(folder)
    kinds = (("sdk_locked", "", True), ("server_locked", "server", True), ("server_resolved_today", "server", False))
    for name, extra, locked in kinds:
        made = fresh.install(_PYTHON, wheel, folder / name, extra=extra, locked=locked)
        yield Figure(name=f"fresh_{name}_packages", value=made.packages, unit="packages")
        yield Figure(name=f"fresh_{name}_mb", value=round(made.mb, 1), unit="MB", goal="" if extra else "<= 50")
        yield Figure(name=f"fresh_{name}_install_s", value=round(made.seconds, 1), unit="s")
        yield Figure(name=f"fresh_{name}_leads_back", value=len(fresh.leads_back(made)), unit="paths", goal="== 0")
        if extra:
            server = made
            yield from _begin(name, made, made, folder)
    yield from _begin("sdk_locked", fresh.install(_PYTHON, wheel, folder / "sdk", locked=True), server, folder)


def _begin(name: str, service: fresh.Fresh, server: fresh.Fresh, folder: Path) -> Iterator[Figure]:
    """Run the pages in one environment against the up of another; count what arrived."""
    here = folder / f"up {name}"
    here.mkdir()
    ran = 0
    pages = fresh.quick_start() if service is server else fresh.quick_start()[-1:]  # the SDK alone has no verbs but run
    lived_in.furnish(here)
    with fresh.as_version(server, "new").up(here) as up:
        words: dict[str, str] = {}
        if service is server:
            lived_in.live_in(up.facts, server.python)
            words = lived_in.words(up.facts)
        addresses = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{up.facts['grpc']}",
            "TOCSIN_GUARD_ENDPOINT": up.facts["guard"],
            "TOCSIN_API_ADDRESS": up.facts["api"],
            "TOCSIN_DATA_DIR": str(here / "data"),
        }
        for page in pages:
            ran += fresh.run_page(page, service, folder / f"{name} {page.stem}", addresses, words)
        calls = upgrading.calls(up, at_least=1)
    yield Figure(name=f"fresh_{name}_blocks_ran", value=ran, unit="blocks", goal=">= 1")
    yield Figure(name=f"fresh_{name}_calls_arrived", value=calls, unit="calls", goal=">= 1")


def upgrade(folder: Path) -> Iterator[Figure]:
    """Install the release before, use it, install this one over it."""
    if reason := older.unavailable():
        print(f"  the upgrade is skipped: {reason}")
        return
    old_wheel, new_wheel = older.wheel_of_before(folder / "old"), _wheel(folder)
    yield from _upgrade("embedded", "", old_wheel, new_wheel, folder)
    if binary := os.environ.get("CLICKHOUSE_BINARY"):
        from _clickhouse import ClickHouse

        with ClickHouse.of(Path(binary), folder / "clickhouse") as server:
            yield from _upgrade("server", server.urls[0], old_wheel, new_wheel, folder)


def _upgrade(kind: str, store: str, old_wheel: Path, new_wheel: Path, folder: Path) -> Iterator[Figure]:
    made = fresh.install(_PYTHON, old_wheel, folder / f"{kind} old", extra="server")
    installed = fresh.as_version(made, older.VERSION)
    paths = {
        wheel: str(building.unpack(wheel, folder / f"{kind} {number}"))
        for number, wheel in enumerate((old_wheel, new_wheel))
    }
    here = folder / f"{kind} here"
    here.mkdir()

    def over() -> older.Version:
        words = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", str(new_wheel)]
        subprocess.run([made.python, *words], env=made.environment(), check=True)
        return fresh.as_version(made, "new")

    done = upgrading.upgrade(
        old=installed,
        new=over,
        old_sdk=older.Version(name=older.VERSION, python=made.python, path=paths[old_wheel]),
        new_sdk=older.Version(name="new", python=made.python, path=paths[new_wheel]),
        folder=here,
        store=store,
    )
    start = f"upgrade_{kind}"
    yield Figure(name=f"{start}_rows_compared", value=sum(done.rows.values()), unit="rows", goal=">= 500")
    yield Figure(name=f"{start}_rows_missing", value=sum(done.missing.values()), unit="rows", goal="== 0")
    yield Figure(name=f"{start}_said_differently", value=done.said[0] != done.said[1], unit="", goal="== 0")
    yield Figure(name=f"{start}_paged_anew", value=done.pages[1] - done.pages[0], unit="pages", goal="== 0")
    yield Figure(name=f"{start}_ledger_off", value=not all(done.balances), unit="", goal="== 0")
    yield Figure(name=f"{start}_calls_missing", value=sum(done.sent) - sum(done.calls), unit="calls", goal="== 0")
    yield Figure(
        name=f"{start}_return_rows_missing", value=sum(done.missing_after_return.values()), unit="rows", goal="== 0"
    )
    yield Figure(name=f"{start}_returned", value=done.returned, unit="")
    yield Figure(name=f"{start}_next_said_differently", value=done.said[0] != done.said[2], unit="", goal="== 0")
    yield Figure(name=f"{start}_next_is_said", value=bool(done.next_says), unit="", goal="== 1")


def contacts(folder: Path) -> Iterator[Figure]:
    """Watch the demo from beginning to end."""
    from tests.security.contacts import audit

    if reason := audit.missing():
        print(f"  the contacts are skipped: {reason}")
        return
    own = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    log = folder / "contacts.log"
    done = audit.audited(
        [sys.executable, "-m", "tocsin_console", "demo", "--once", "--json", str(folder / "demo.json")],
        log=log,
        environment=own,
        cwd=folder,
        timeout_s=3600,
    )
    if done.returncode:
        raise RuntimeError(f"the demo failed: {done.stderr[-2000:]}")
    found = audit.contacts(log)
    elsewhere = {each for each in found if not each.is_loopback}
    for each in elsewhere:
        print(f"  {each}")
    yield Figure(name="contacts_demo_seen", value=len(found), unit="addresses", goal=">= 5")
    yield Figure(name="contacts_demo_elsewhere", value=len(elsewhere), unit="addresses", goal="== 0")


def _wheel(folder: Path) -> Path:
    into = folder / "wheel"
    built = list(into.glob("*.whl")) or building.build(building.ROOT, into, "wheel", epoch=building.epoch())
    return built[0]


PARTS: Final[Mapping[str, Callable[[Path], Iterator[Figure]]]] = {
    "build": build,
    "fresh": install,
    "upgrade": upgrade,
    "contacts": contacts,
}


def main() -> int:
    """Run the parts."""
    parser = _report.arguments(__doc__ or "")
    parser.add_argument("--part", action="append", choices=PARTS, help="again for more; all of them unless said")
    asked = parser.parse_args()
    met = True
    for name in asked.part or PARTS:
        with tempfile.TemporaryDirectory(prefix="tocsin-release-") as folder:
            figures = list(PARTS[name](Path(folder)))
        if not figures:
            continue
        _report.show(f"Release: {name}", figures)
        met &= all(figure.met is not False for figure in figures)
        if asked.json is not None:
            _report.keep(asked.json, figures)
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
