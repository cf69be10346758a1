-- Corrections of calls whose spans came to several shards of a cluster.

-- The columns of ai_calls (a later one must be added here too), the token, and the shard that a row belongs to. The same on every
-- node and written in one block: what is here is whole. Then each shard's rows go into its own ai_calls under the token, and the
-- pairs are deleted there; then the token's rows here. Whatever of this a crash leaves undone is done again, with the same rows.
CREATE TABLE IF NOT EXISTS cluster_corrections ${on_cluster} AS ai_calls
ENGINE = ${Replicated}MergeTree
ORDER BY (project, use_case, toStartOfHour(started_at), call_id);

ALTER TABLE cluster_corrections ${on_cluster} ADD COLUMN IF NOT EXISTS `token` String;

ALTER TABLE cluster_corrections ${on_cluster} ADD COLUMN IF NOT EXISTS `shard` UInt32;
