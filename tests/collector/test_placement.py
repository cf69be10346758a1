"""Where the statements of a cluster go is decided from their text."""

from tocsin_collector.store.placement import books, place


def test_views_read_books_in_the_database_of_everybody() -> None:
    """A view resolves names in its own database, where no books are."""
    view = "CREATE MATERIALIZED VIEW IF NOT EXISTS x_mv TO ai_calls AS SELECT plans.a FROM spans_in JOIN plans ON 1"

    placed = place(view, database="tocsin", known={"plans"})

    assert placed.on_shard
    assert placed.sql.endswith("TO ai_calls AS SELECT plans.a FROM spans_in JOIN `tocsin`.`plans` ON 1")


def test_books_are_replicated_to_every_node() -> None:
    """Two shards whose replicas have the same name must still be two replicas of a book."""
    text = "CREATE TABLE IF NOT EXISTS plans (a UInt8) ENGINE = ReplicatedReplacingMergeTree(a) ORDER BY a"

    placed = place(text, database="tocsin", known=books([text]))

    assert not placed.on_shard
    assert "ReplicatedReplacingMergeTree('/clickhouse/tables/all/tocsin/plans', '{shard}-{replica}', a)" in placed.sql


def test_sharded_tables_have_a_path_of_their_shard() -> None:
    """A replica that lost its disk finds its place by database, table and shard."""
    text = "CREATE TABLE IF NOT EXISTS ai_calls (a UInt8) ENGINE = ReplicatedMergeTree ORDER BY a"

    placed = place(text, database="tocsin", known=books([text]))

    assert placed.on_shard
    assert placed.twin == "ai_calls"
    assert "ReplicatedMergeTree('/clickhouse/tables/{shard}/tocsin/ai_calls', '{replica}') ORDER" in placed.sql
