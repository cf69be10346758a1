-- Alerts that fire and are not told at present, or only as tickets, and why.
CREATE TABLE IF NOT EXISTS held_alerts ${on_cluster}
(
    `incident` String,
    `fingerprint` String,
    `project` LowCardinality(String),
    `use_case` LowCardinality(String),
    `why` LowCardinality(String) COMMENT 'inhibited, silenced, waiting (for people to work again), ticket (the guard holds); empty: it is told',
    `detail` String,
    `until` Nullable(DateTime64(3, 'UTC')) COMMENT 'NULL: until something else changes',
    `wrong` Nullable(Float64) COMMENT 'answers estimated to be wrong until then, beyond the reference',
    `at` DateTime64(3, 'UTC')
)
ENGINE = ${Replicated}ReplacingMergeTree(at)
ORDER BY (incident, fingerprint);
