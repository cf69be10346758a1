-- What the collector and the alert side know, so that both survive a restart.

CREATE TABLE IF NOT EXISTS load_ledger ${on_cluster}
(
    `segment` String COMMENT 'hash of the spool segment''s content',
    `kind` LowCardinality(String) COMMENT 'traces, logs, outcomes',
    `state` LowCardinality(String) COMMENT 'begun, loaded, set_aside',
    `requests` UInt64,
    `spans` UInt64 COMMENT 'rows: spans, log records or outcomes',
    `bytes` UInt64,
    `settings` String COMMENT 'block settings and versions of the insert, as JSON',
    `first_received_at` DateTime64(9, 'UTC'),
    `last_received_at` DateTime64(9, 'UTC'),
    `at` DateTime64(6, 'UTC')
)
ENGINE = ${Replicated}ReplacingMergeTree(at)
ORDER BY (segment, kind)
SETTINGS non_replicated_deduplication_window = 10000, replicated_deduplication_window = 10000;

CREATE TABLE IF NOT EXISTS watermarks ${on_cluster}
(
    `collector` String,
    `complete_to` DateTime64(9, 'UTC') COMMENT 'everything received before this is loaded',
    `data_complete_to` DateTime64(9, 'UTC') COMMENT 'the latest end of any loaded span: now, for --clock data',
    `at` DateTime64(3, 'UTC')
)
ENGINE = ${Replicated}ReplacingMergeTree(at)
ORDER BY collector;

CREATE TABLE IF NOT EXISTS dead_letters ${on_cluster}
(
    `project` LowCardinality(String),
    `kind` LowCardinality(String),
    `digest` String,
    `segment` String,
    `reason` String,
    `body` String CODEC(ZSTD(3)),
    `received_at` DateTime64(9, 'UTC'),
    `at` DateTime64(3, 'UTC')
)
ENGINE = ${Replicated}ReplacingMergeTree(at)
ORDER BY (project, kind, digest)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

CREATE TABLE IF NOT EXISTS evaluations ${on_cluster}
(
    `project` LowCardinality(String),
    `use_case` LowCardinality(String),
    `evaluator` LowCardinality(String),
    `labels` Map(LowCardinality(String), String) COMMENT 'beyond project and use case: field, model_version, segment, …',
    `slot` DateTime64(3, 'UTC') COMMENT 'end of the window that the sample speaks of',
    `value` Nullable(Float64) COMMENT 'NULL: not enough evidence to say',
    `lower` Nullable(Float64),
    `upper` Nullable(Float64),
    `baseline` Nullable(Float64),
    `n` UInt64 COMMENT 'calls or labels behind the value',
    `evaluator_hash` String,
    `evaluated_at` DateTime64(3, 'UTC')
)
ENGINE = ${Replicated}ReplacingMergeTree(evaluated_at)
PARTITION BY toYYYYMM(slot)
ORDER BY (project, use_case, evaluator, labels, slot, evaluator_hash)
SETTINGS non_replicated_deduplication_window = 10000, replicated_deduplication_window = 10000
COMMENT 'Every sample that an evaluator produced; charts and alerts read it';

CREATE TABLE IF NOT EXISTS reference_windows ${on_cluster}
(
    `project` LowCardinality(String),
    `use_case` LowCardinality(String),
    `model_version` LowCardinality(String),
    `prompt_version` LowCardinality(String),
    `since` DateTime('UTC'),
    `until` DateTime('UTC'),
    `kind` LowCardinality(String),
    `field` LowCardinality(String),
    `segment_name` LowCardinality(String),
    `segment_value` LowCardinality(String),
    `bin` Int16,
    `category` String,
    `n` Int64,
    `frozen_at` DateTime64(3, 'UTC')
)
ENGINE = ${Replicated}ReplacingMergeTree(frozen_at)
ORDER BY (project, use_case, model_version, prompt_version, kind, field, segment_name, segment_value, bin, category)
COMMENT 'The histograms that the present is compared with; kind "calls" holds the number of calls';

CREATE TABLE IF NOT EXISTS calibrations ${on_cluster}
(
    `project` LowCardinality(String),
    `use_case` LowCardinality(String),
    `model_version` LowCardinality(String),
    `prompt_version` LowCardinality(String),
    `bins` Array(Int16) COMMENT 'doubt bins, ascending (confidence descending); a bin belongs to the last knot not above it',
    `precision` Array(Float64) COMMENT 'isotonic share of right answers at each knot, never rising with doubt',
    `labels` Array(UInt64) COMMENT 'labels behind each knot',
    `n` UInt64,
    `accuracy` Float64 COMMENT 'realised on the labels it was fitted to',
    `fitted_at` DateTime64(3, 'UTC')
)
ENGINE = ${Replicated}ReplacingMergeTree(fitted_at)
ORDER BY (project, use_case, model_version, prompt_version);

CREATE TABLE IF NOT EXISTS rule_runs ${on_cluster}
(
    `rule` LowCardinality(String),
    `slot` DateTime64(3, 'UTC'),
    `state` LowCardinality(String) COMMENT 'done or failed; a failed slot is tried again',
    `samples` UInt64,
    `rule_hash` String,
    `epoch` UInt64,
    `duration_ms` Float64,
    `error` String,
    `at` DateTime64(3, 'UTC')
)
ENGINE = ${Replicated}ReplacingMergeTree(at)
PARTITION BY toYYYYMM(slot)
ORDER BY (rule, slot);

CREATE TABLE IF NOT EXISTS alert_events ${on_cluster}
(
    `event_id` String COMMENT 'hash(fingerprint, slot, to_state): the same transition replayed is the same row',
    `project` LowCardinality(String),
    `use_case` LowCardinality(String),
    `rule` LowCardinality(String),
    `labels` Map(LowCardinality(String), String),
    `fingerprint` String,
    `incident` String,
    `severity` LowCardinality(String),
    `from_state` LowCardinality(String),
    `to_state` LowCardinality(String),
    `slot` DateTime64(3, 'UTC'),
    `value` Nullable(Float64),
    `lower` Nullable(Float64),
    `upper` Nullable(Float64),
    `baseline` Nullable(Float64),
    `n` UInt64,
    `reason` String,
    `rule_hash` String,
    `epoch` UInt64,
    `at` DateTime64(3, 'UTC')
)
ENGINE = ${Replicated}ReplacingMergeTree(at)
ORDER BY (project, use_case, slot, event_id);

CREATE TABLE IF NOT EXISTS alert_state ${on_cluster}
(
    `fingerprint` String,
    `project` LowCardinality(String),
    `use_case` LowCardinality(String),
    `rule` LowCardinality(String),
    `labels` Map(LowCardinality(String), String),
    `state` LowCardinality(String),
    `overlay` LowCardinality(String) COMMENT 'empty, no_data, error, low_n',
    `incident` String,
    `severity` LowCardinality(String),
    `since` DateTime64(3, 'UTC') COMMENT 'slot at which this state was entered',
    `slot` DateTime64(3, 'UTC') COMMENT 'last slot taken in',
    `value` Nullable(Float64),
    `acknowledged_by` String,
    `rule_hash` String,
    `epoch` UInt64,
    `at` DateTime64(3, 'UTC')
)
ENGINE = ${Replicated}ReplacingMergeTree(slot)
ORDER BY fingerprint;

CREATE TABLE IF NOT EXISTS notifications ${on_cluster}
(
    `notification` String COMMENT 'hash(incident, transition, channel, repeat)',
    `incident` String,
    `project` LowCardinality(String),
    `use_case` LowCardinality(String),
    `transition` LowCardinality(String) COMMENT 'firing, updated, resolved',
    `channel` LowCardinality(String),
    `state` LowCardinality(String) COMMENT 'pending, sent, dead',
    `attempts` UInt32,
    `severity` LowCardinality(String),
    `subject` String,
    `body` String CODEC(ZSTD(1)),
    `error` String,
    `slot` DateTime64(3, 'UTC'),
    `version` UInt64 COMMENT 'rises with each change of state or attempt',
    `at` DateTime64(3, 'UTC')
)
ENGINE = ${Replicated}ReplacingMergeTree(version)
ORDER BY notification;

CREATE TABLE IF NOT EXISTS silences ${on_cluster}
(
    `silence` String,
    `project` LowCardinality(String),
    `use_case` String COMMENT 'empty: all',
    `rule` String COMMENT 'empty: all',
    `author` String,
    `reason` String,
    `since` DateTime64(3, 'UTC'),
    `until` DateTime64(3, 'UTC'),
    `at` DateTime64(3, 'UTC')
)
ENGINE = ${Replicated}ReplacingMergeTree(at)
ORDER BY silence;

CREATE TABLE IF NOT EXISTS guard_events ${on_cluster}
(
    `project` LowCardinality(String),
    `use_case` LowCardinality(String),
    `version` UInt64 COMMENT 'one more than the last of this use case',
    `state` LowCardinality(String) COMMENT 'normal, verify, fallback, off',
    `mode` LowCardinality(String) COMMENT 'automatic, shadow (would have tripped) or manual',
    `applied` UInt8 COMMENT '0: shadow only',
    `cause` String,
    `actor` String COMMENT 'rule:NAME or a person',
    `incident` String,
    `probe_share` Float64,
    `hold_until` Nullable(DateTime64(3, 'UTC')),
    `expires_at` Nullable(DateTime64(3, 'UTC')),
    `since` DateTime64(3, 'UTC'),
    `at` DateTime64(3, 'UTC')
)
ENGINE = ${Replicated}ReplacingMergeTree(at)
ORDER BY (project, use_case, version);

CREATE TABLE IF NOT EXISTS audit_log ${on_cluster}
(
    `id` String,
    `at` DateTime64(3, 'UTC'),
    `actor` String,
    `action` LowCardinality(String),
    `subject` String,
    `detail` String
)
ENGINE = ${Replicated}ReplacingMergeTree
ORDER BY (at, id);
