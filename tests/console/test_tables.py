"""What the files say reaches the tables, and leaves them again."""

from datetime import UTC, datetime, timedelta

from tocsin_alerts.plan import Plan, Plans
from tocsin_alerts.plan_parts import Labels, Quality
from tocsin_collector.store.database import Database
from tocsin_console.sections.receiving import UseCaseMapping
from tocsin_console.tables import sync_plans, sync_use_case_map

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def test_a_plan_that_is_gone_leaves_everything_open_again(database: Database) -> None:
    """A floor of a deleted file would page for ever; and a clock put back must not keep the old word."""
    plan = Plan(use_case="a", quality=Quality(floor=0.9), labels=Labels(delay=timedelta(days=5)), segments=["device"])
    sync_plans(database, Plans.of(plan, Plan(use_case="b", quality=Quality(floor=0.8))), now=NOW)

    sync_plans(database, Plans.of(plan), now=NOW - timedelta(days=400))

    rows = database.rows("SELECT use_case, quality_floor, label_delay_s, segments FROM plans FINAL ORDER BY use_case")
    assert [tuple(row.values()) for row in rows] == [("a", 0.9, 432000, ["device"]), ("b", None, 0, [])]


def test_the_mapping_is_the_files_and_no_longer(database: Database) -> None:
    """First match wins, so a removed entry must stop matching."""
    one, two = UseCaseMapping(service="s", use_case="one"), UseCaseMapping(use_case="two")
    sync_use_case_map(database, [one, two], now=NOW)

    assert sync_use_case_map(database, [two], now=NOW) == 1

    rows = database.rows("SELECT service, use_case FROM use_case_map FINAL WHERE use_case != '' ORDER BY position")
    assert [tuple(row.values()) for row in rows] == [("", "two")]


def test_a_mapping_holds_in_its_project(database: Database) -> None:
    """Two teams may run a service of the same name; an entry that moves to another project leaves its first."""
    sync_use_case_map(database, [UseCaseMapping(project="shop", service="s", use_case="one")], now=NOW)

    sync_use_case_map(database, [UseCaseMapping(project="labs", service="s", use_case="two")], now=NOW)

    rows = database.rows("SELECT project, use_case FROM use_case_map FINAL WHERE use_case != ''")
    assert [tuple(row.values()) for row in rows] == [("labs", "two")]
