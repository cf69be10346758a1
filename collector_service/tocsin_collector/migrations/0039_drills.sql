-- What fire drills have shown: how soon a decay of a use case's own calls would be noticed.
CREATE TABLE IF NOT EXISTS drills ${on_cluster}
(
    `project` LowCardinality(String),
    `use_case` LowCardinality(String),
    `drill` String COMMENT 'one run; of several reviews a week it has several rows',
    `kind` LowCardinality(String) COMMENT 'concept, covariate',
    `fall` Float64 COMMENT 'of accuracy, as a share',
    `over_days` UInt16,
    `reviews` UInt32 COMMENT 'a week',
    `is_as_it_is` UInt8 COMMENT 'with what the use case has; else with more reviews',
    `noticed_after_days` Nullable(UInt16) COMMENT 'NULL: not in the days looked at',
    `rule` LowCardinality(String) COMMENT 'that paged first',
    `days` UInt16 COMMENT 'looked at, from the onset on',
    `said` String COMMENT 'in one sentence',
    `by` String,
    `at` DateTime64(3, 'UTC')
)
ENGINE = ${Replicated}ReplacingMergeTree(at)
ORDER BY (project, use_case, drill, reviews)
COMMENT 'Fire drills. Kept for ever';
