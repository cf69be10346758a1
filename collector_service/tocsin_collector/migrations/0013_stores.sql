-- Several collectors and evaluators over one store.

ALTER TABLE watermarks ${on_cluster} ADD COLUMN IF NOT EXISTS `state` LowCardinality(String) COMMENT 'ended: this collector went, and left nothing in its spool';

-- Who does what only one may do. Ages are told by the store's clock, so that no host's matters.
CREATE TABLE IF NOT EXISTS leases ${on_cluster}
(
    `name` LowCardinality(String),
    `epoch` UInt64 COMMENT 'one more with each change of hands; of several who ask for it, the first has it',
    `holder` String,
    `address` String COMMENT 'where its API listens',
    `asked_at` DateTime64(6, 'UTC'),
    `at` DateTime64(6, 'UTC') DEFAULT now64(6) COMMENT 'renewed'
)
ENGINE = ${Replicated}ReplacingMergeTree(at)
ORDER BY (name, epoch, holder);
