-- What the team's own model was asked to judge, what it said and what that cost.

CREATE TABLE IF NOT EXISTS judge_verdicts ${on_cluster}
(
    `project` LowCardinality(String),
    `use_case` LowCardinality(String),
    `day` Date COMMENT 'whose sample it belongs to; 1970-01-01: a call that people had scored',
    `source` LowCardinality(String) COMMENT 'model and hash of the rubric, as in outcomes',
    `call_id` String CODEC(ZSTD(1)),
    `started_at` DateTime64(9, 'UTC') CODEC(Delta(8), ZSTD(1)),
    `selection_probability` Float64,
    `state` LowCardinality(String) COMMENT 'open, reserved (the money is set aside, the answer not here), judged, failed',
    `correct` Nullable(UInt8),
    `reason` String COMMENT 'the judge''s, or why there is no verdict' CODEC(ZSTD(1)),
    `attempts` UInt8,
    `currency` LowCardinality(String),
    `reserved` Decimal(18, 9) COMMENT 'the most that the request can cost',
    `cost` Nullable(Decimal(18, 9)) COMMENT 'what it did cost; NULL: unknown, so that what was reserved counts',
    `input_tokens` Nullable(UInt64),
    `output_tokens` Nullable(UInt64),
    `spent_on` Date COMMENT 'the day whose cap it counts against',
    `version` UInt64,
    `at` DateTime64(3, 'UTC')
)
ENGINE = ${Replicated}ReplacingMergeTree(version)
ORDER BY (project, use_case, source, day, call_id)
COMMENT 'The judge''s work; its verdicts are in outcomes, kind judge';
