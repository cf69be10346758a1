"""The release before, used and killed, then this one over its data: bench/release.py does the same with pip, and over a server."""

import sys
from pathlib import Path

import pytest

from _release import building, older, upgrading


@pytest.mark.slow
def test_an_upgrade_keeps_everything_and_tells_nobody_anew(tmp_path: Path) -> None:
    """Calls, labels, alerts and what people decided are there; services of both generations go on."""
    if reason := older.unavailable():
        pytest.skip(f"{reason}: the upgrade from {older.VERSION} was not tried")
    python = Path(sys.executable)
    [wheel] = building.build(building.ROOT, tmp_path / "dist", "wheel", epoch=1_767_225_600)
    before = building.unpack(older.wheel_of_before(tmp_path / "old"), tmp_path / "before")
    old = older.Version(name=older.VERSION, python=python, path=str(before))
    new = older.Version(name="new", python=python, path=str(building.unpack(wheel, tmp_path / "new")))
    here = tmp_path / "here"
    here.mkdir()

    done = upgrading.upgrade(old=old, new=lambda: new, old_sdk=old, new_sdk=new, folder=here)

    assert done.missing == {}
    assert all(done.rows[table] for table in ("ai_calls", "outcomes", "alert_events", "silences", "guard_events"))
    assert done.said[1] == done.said[0]
    assert done.pages[1] == done.pages[0]
    assert done.calls == done.sent
    assert done.balances == (True, True)
    # 0.1.0 ends at its start over a guard that 0.2.0 has written, and has taken nothing with it; from 0.2.0 on, a version works
    # over the tables of the one after it, and says so.
    assert not done.returned
    assert done.missing_after_return == {}
    assert "only added to those of this one" in done.next_says
    assert (done.said[2], done.pages[2]) == (done.said[0], done.pages[0])
