-- Who may send: one row per ingest key, by which a request's project is known. The key itself is stored nowhere.
CREATE TABLE IF NOT EXISTS ingest_keys ${on_cluster}
(
    `key_id` String COMMENT 'the part of the key that may be shown',
    `project` LowCardinality(String),
    `name` String COMMENT 'who holds it, in somebody''s words',
    `hash` String COMMENT 'BLAKE2b-256 of the whole key, hex',
    `created_at` DateTime64(3, 'UTC'),
    `created_by` String,
    `revoked_at` Nullable(DateTime64(3, 'UTC')),
    `revoked_by` String,
    `at` DateTime64(3, 'UTC')
)
ENGINE = ${Replicated}ReplacingMergeTree(at)
ORDER BY key_id
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Ingest keys by project; a revoked one stays, so that it is known as such';
