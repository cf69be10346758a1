-- The mathematics that evaluators share, as macros. Every lambda variable has its own name: a macro is pasted, not called.

-- One end of the Wilson score interval: wilson_z = -1.96 the lower, 1.96 the upper of 95 %. Needs at least one trial.
-- Source: Wilson (1927), Probable Inference, the Law of Succession, and Statistical Inference.
CREATE FUNCTION IF NOT EXISTS tocsin_wilson_v1 ${on_cluster} AS (wilson_k, wilson_n, wilson_z) ->
    (wilson_k + wilson_z * wilson_z / 2
        + wilson_z * sqrt(wilson_k / wilson_n * (wilson_n - wilson_k) + wilson_z * wilson_z / 4))
    / (wilson_n + wilson_z * wilson_z);

-- Counts per bucket, given where each ascending bucket starts; it ends where the next one starts.
CREATE FUNCTION IF NOT EXISTS tocsin_bucket_counts_v1 ${on_cluster} AS (bucket_edges, bucket_bins, bucket_counts) ->
    arrayMap((bucket_lo, bucket_hi) -> arraySum((bucket_bin, bucket_count) ->
        if(bucket_bin >= bucket_lo AND bucket_bin < bucket_hi, bucket_count, 0), bucket_bins, bucket_counts),
        bucket_edges, arrayPopFront(arrayPushBack(bucket_edges, 32767)));

-- Population stability index of two lists of bucket counts, each behind its total, less what chance alone would give.
-- Half the noise is added inside the logarithm, to both sides alike: an empty bucket stays finite, two empty ones are equal.
-- Source: Yurdakul (2018), Statistical Properties of Population Stability Index.
CREATE FUNCTION IF NOT EXISTS tocsin_psi_v1 ${on_cluster} AS (psi_now, psi_then, psi_n, psi_m) ->
    arraySum((psi_x, psi_y) -> (psi_x / psi_n - psi_y / psi_m)
        * log((psi_x / psi_n + 0.5 / psi_n + 0.5 / psi_m) / (psi_y / psi_m + 0.5 / psi_n + 0.5 / psi_m)), psi_now, psi_then)
    - (length(psi_then) - countEqual(psi_then, 0) - 1) * (1 / psi_n + 1 / psi_m);

-- The reference as evaluators compare with it: worked out once, when its window is frozen.
CREATE TABLE IF NOT EXISTS reference_profiles ${on_cluster}
(
    `project` LowCardinality(String),
    `use_case` LowCardinality(String),
    `model_version` LowCardinality(String),
    `prompt_version` LowCardinality(String),
    `kind` LowCardinality(String) COMMENT 'confidence, input, null, volume, silence, cost',
    `field` LowCardinality(String) COMMENT 'input field; empty for the others',
    `until` DateTime('UTC') COMMENT 'end of the reference window',
    `edges` Array(Int16) COMMENT 'confidence, input: the bin in which each bucket starts',
    `names` Array(String) COMMENT 'input: categories; null: fields; cost: currencies',
    `figures` Array(Float64) COMMENT 'confidence, input: counts by bucket, then by category, then of the rest; null: shares; volume: mean calls by hour of the week; silence: seconds by hour of the week; cost: mean by day',
    `n` UInt64 COMMENT 'calls behind it',
    `frozen_at` DateTime64(3, 'UTC')
)
ENGINE = ${Replicated}ReplacingMergeTree(frozen_at)
ORDER BY (project, use_case, kind, field, model_version, prompt_version)
COMMENT 'What the present is compared with; volume, silence and cost are of all versions together';

-- What a calibration says of its own reference window, so that evaluators need not add its histogram up again.
ALTER TABLE calibrations ${on_cluster} ADD COLUMN IF NOT EXISTS `until` DateTime('UTC') COMMENT 'end of the reference window';
ALTER TABLE calibrations ${on_cluster} ADD COLUMN IF NOT EXISTS `estimate` Float64 COMMENT 'accuracy estimated over every call of the reference window';
ALTER TABLE calibrations ${on_cluster} ADD COLUMN IF NOT EXISTS `segment_estimates` Map(String, Float64) COMMENT 'the same by segment, as name=value';
ALTER TABLE calibrations ${on_cluster} ADD COLUMN IF NOT EXISTS `segment_accuracies` Map(String, Float64) COMMENT 'accuracy by segment, as name=value';
