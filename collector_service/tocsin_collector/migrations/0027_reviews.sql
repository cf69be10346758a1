-- The sample of calls that people score each week, with how likely each call was to be in it.

-- One draw a use case and week: drawing again gives the same, which is what makes it a sample and not a choice.
CREATE TABLE IF NOT EXISTS reviews ${on_cluster}
(
    `project` LowCardinality(String),
    `use_case` LowCardinality(String),
    `week` Date COMMENT 'its Monday',
    `draw` String COMMENT 'items of another draw are left over from one that was cut short',
    `since` DateTime('UTC') COMMENT 'calls from here ...',
    `until` DateTime('UTC') COMMENT '... to here could be drawn',
    `calls` UInt64 COMMENT 'that the model answered then',
    `drawable` UInt64 COMMENT 'of them: all, or those whose content was kept',
    `size` UInt32,
    `drawn_by` String,
    `drawn_at` DateTime64(3, 'UTC')
)
ENGINE = ${Replicated}ReplacingMergeTree(drawn_at)
ORDER BY (project, use_case, week)
COMMENT 'The draws';

CREATE TABLE IF NOT EXISTS review_items ${on_cluster}
(
    `project` LowCardinality(String),
    `use_case` LowCardinality(String),
    `week` Date,
    `draw` String,
    `call_id` String CODEC(ZSTD(1)),
    `position` UInt32 COMMENT 'the order in which they are scored: by chance, so that the first half is a sample too',
    `started_at` DateTime64(9, 'UTC') CODEC(Delta(8), ZSTD(1)),
    `stratum` LowCardinality(String) COMMENT 'why it was likelier: segment, confident, unsure, or others',
    `selection_probability` Float64 COMMENT 'of this call, among all calls that it stands for',
    `state` LowCardinality(String) COMMENT 'open, scored, skipped',
    `locked_by` String,
    `locked_until` DateTime64(3, 'UTC'),
    `reviewer` String,
    `score` Nullable(Float64),
    `correct` Nullable(UInt8),
    `minutes` Nullable(Float64),
    `version` UInt64,
    `at` DateTime64(3, 'UTC')
)
ENGINE = ${Replicated}ReplacingMergeTree(version)
ORDER BY (project, use_case, week, draw, call_id)
COMMENT 'Calls to be scored; what was said of them is in outcomes, kind review';
