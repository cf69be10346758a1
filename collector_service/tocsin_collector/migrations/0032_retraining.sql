-- What the retraining triggers of plans have set off, and what came of it.
CREATE TABLE IF NOT EXISTS retraining_runs ${on_cluster}
(
    `run` String COMMENT 'hash of project, use case and slot: the same trigger at the same slot is one run',
    `project` LowCardinality(String),
    `use_case` LowCardinality(String),
    `slot` DateTime64(3, 'UTC') COMMENT 'at which the condition had held for long enough',
    `metric` LowCardinality(String),
    `labels` Map(LowCardinality(String), String),
    `condition` String COMMENT 'in words',
    `value` Float64,
    `n` UInt64,
    `action` String COMMENT 'as the plan says it',
    `owner` String,
    `state` LowCardinality(String) COMMENT 'due, begun, done, failed, unclear, manual',
    `attempts` UInt8,
    `next_at` DateTime64(3, 'UTC') COMMENT 'when it is tried again',
    `said` String COMMENT 'what the action answered, or why it failed',
    `result` String COMMENT 'what came of it, as a person recorded it',
    `version` UInt64,
    `at` DateTime64(3, 'UTC')
)
ENGINE = ${Replicated}ReplacingMergeTree(version)
ORDER BY (project, use_case, run)
COMMENT 'Retrainings that were triggered. Kept for ever';
