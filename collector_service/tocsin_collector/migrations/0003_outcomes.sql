-- What turned out to be true of a call. Arrives late; carries the call's own facts, so nothing has to be looked up.
CREATE TABLE IF NOT EXISTS outcomes_in ${on_cluster}
(
    `project` LowCardinality(String),
    `use_case` LowCardinality(String),
    `call_id` String,
    `started_at` DateTime64(9, 'UTC'),
    `model_version` LowCardinality(String),
    `prompt_version` LowCardinality(String),
    `served_by` LowCardinality(String),
    `is_probe` UInt8,
    `predicted_label` String,
    `predicted_value` Nullable(Float64),
    `confidence` Nullable(Float64),
    `weight` Float64,
    `segments` Map(LowCardinality(String), String),
    `kind` LowCardinality(String),
    `source` LowCardinality(String),
    `outcome_id` String,
    `observed_at` DateTime64(9, 'UTC'),
    `label` String,
    `value` Nullable(Float64),
    `score` Nullable(Float64),
    `correct` Nullable(UInt8),
    `minutes` Nullable(Float64),
    `author` String,
    `comment` String,
    `received_at` DateTime64(9, 'UTC'),
    `ingested_at` DateTime64(3, 'UTC'),
    `segment` LowCardinality(String)
)
ENGINE = Null;

CREATE TABLE IF NOT EXISTS outcomes ${on_cluster}
(
    `project` LowCardinality(String),
    `use_case` LowCardinality(String),
    `call_id` String CODEC(ZSTD(1)),
    `started_at` DateTime64(9, 'UTC') COMMENT 'when the call was made, not when the label came' CODEC(Delta(8), ZSTD(1)),
    `model_version` LowCardinality(String),
    `prompt_version` LowCardinality(String),
    `served_by` LowCardinality(String),
    `is_probe` UInt8,
    `predicted_label` String CODEC(ZSTD(1)),
    `predicted_value` Nullable(Float64) CODEC(ZSTD(1)),
    `confidence` Nullable(Float64) CODEC(ZSTD(1)),
    `weight` Float64,
    `segments` Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    `kind` LowCardinality(String) COMMENT 'ground_truth, review, feedback, judge, support',
    `source` LowCardinality(String),
    `outcome_id` String COMMENT 'deterministic: the same outcome sent twice is one row' CODEC(ZSTD(1)),
    `observed_at` DateTime64(9, 'UTC') CODEC(Delta(8), ZSTD(1)),
    `label` String CODEC(ZSTD(1)),
    `value` Nullable(Float64) CODEC(ZSTD(1)),
    `score` Nullable(Float64) COMMENT '0 (worthless) to 1 (right)' CODEC(ZSTD(1)),
    `correct` Nullable(UInt8) COMMENT 'said, or concluded from the two labels; NULL when neither',
    `minutes` Nullable(Float64) COMMENT 'human time that the outcome cost',
    `author` String CODEC(ZSTD(1)),
    `comment` String CODEC(ZSTD(1)),
    `received_at` DateTime64(9, 'UTC') CODEC(Delta(8), ZSTD(1)),
    `ingested_at` DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)),
    `segment` LowCardinality(String)
)
ENGINE = ${Replicated}ReplacingMergeTree(ingested_at)
PARTITION BY toYYYYMM(started_at)
ORDER BY (project, call_id, kind, source, outcome_id)
SETTINGS non_replicated_deduplication_window = 10000, replicated_deduplication_window = 10000,
    fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Labels, scores, feedback and verdicts as they came, all kept';

CREATE MATERIALIZED VIEW IF NOT EXISTS outcomes_mv ${on_cluster} TO outcomes AS
SELECT
    * EXCEPT (correct),
    multiIf(outcomes_in.correct IS NOT NULL, outcomes_in.correct,
        label != '' AND predicted_label != '', toNullable(toUInt8(label = predicted_label)),
        NULL) AS correct
FROM outcomes_in;

-- The last word on each call: ground truth over review over judge over feedback, then the latest.
CREATE VIEW IF NOT EXISTS outcomes_latest ${on_cluster} AS
SELECT
    project, call_id,
    argMax(use_case, rank) AS use_case,
    argMax(started_at, rank) AS started_at,
    argMax(model_version, rank) AS model_version,
    argMax(prompt_version, rank) AS prompt_version,
    argMax(served_by, rank) AS served_by,
    argMax(is_probe, rank) AS is_probe,
    argMax(predicted_label, rank) AS predicted_label,
    argMax(confidence, rank) AS confidence,
    argMax(weight, rank) AS weight,
    argMax(segments, rank) AS segments,
    argMax(kind, rank) AS kind,
    argMax(source, rank) AS source,
    argMax(label, rank) AS label,
    argMax(score, rank) AS score,
    argMax(assumeNotNull(verdict), rank) AS correct,
    argMax(observed_at, rank) AS observed_at
FROM
(
    SELECT *,
        multiIf(correct IS NOT NULL, correct, score IS NOT NULL, toNullable(toUInt8(score >= 0.5)), NULL) AS verdict,
        (multiIf(kind = 'ground_truth', 4, kind = 'review', 3, kind = 'judge', 2, 1), observed_at, outcome_id) AS rank
    FROM outcomes FINAL
    WHERE kind != 'support'
)
WHERE verdict IS NOT NULL
GROUP BY project, call_id;
