-- What the spool lost on disk, how dead letters are retried, and a ledger that outlives a power loss.

-- A segment is unlinked after its row says loaded: the row must be on disk by then.
ALTER TABLE load_ledger ${on_cluster} MODIFY SETTING fsync_after_insert = 1, fsync_part_directory = 1;

CREATE TABLE IF NOT EXISTS spool_damage ${on_cluster}
(
    `kind` LowCardinality(String) COMMENT 'traces, logs, outcomes',
    `file` String COMMENT 'of the spool; what is left of its damaged bytes is in the spool''s folder damaged',
    `requests` UInt64 COMMENT 'acknowledged and lost',
    `items` UInt64 COMMENT 'spans, log records or outcomes in them, as far as known',
    `uncounted` UInt64 COMMENT 'requests of which nothing says how many items they held',
    `bytes` UInt64,
    `at` DateTime64(3, 'UTC')
)
ENGINE = ${Replicated}ReplacingMergeTree(at)
ORDER BY (kind, file, requests, items, bytes)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

ALTER TABLE dead_letters ${on_cluster} ADD COLUMN IF NOT EXISTS `received_ns` UInt64 COMMENT 'when it was received, exactly; 0 when an older version wrote this';
ALTER TABLE dead_letters ${on_cluster} ADD COLUMN IF NOT EXISTS `position` UInt32 COMMENT 'its place among the requests of its segment';
ALTER TABLE dead_letters ${on_cluster} ADD COLUMN IF NOT EXISTS `together` UInt32 COMMENT 'so many were set aside as one, and are retried as one; 0: it alone';
