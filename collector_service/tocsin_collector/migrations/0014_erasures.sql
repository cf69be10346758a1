-- What was taken out of the tables on purpose, so that the loss ledger can tell it from what was lost.
CREATE TABLE IF NOT EXISTS erasures ${on_cluster}
(
    `id` String COMMENT 'hash of what was erased: the same erasure, run again after a crash, is the same row',
    `place` LowCardinality(String) COMMENT 'the table',
    `rows` UInt64,
    `reason` LowCardinality(String) COMMENT 'forget or disk',
    `at` DateTime64(3, 'UTC')
)
ENGINE = ${Replicated}ReplacingMergeTree(at)
ORDER BY (place, id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Rows erased for a person or to make room, by table; names nobody';
