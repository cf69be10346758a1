-- What a backup found when it began, written before it is taken, so that it is in the backup itself and a restore can be compared.
CREATE TABLE IF NOT EXISTS backups ${on_cluster}
(
    `backup` String COMMENT 'its id in system.backups',
    `at` DateTime64(3, 'UTC') COMMENT 'what was stored before this is in it',
    `place` String COMMENT 'as given: disk:NAME/PATH, s3:COLLECTION/PATH or file:/PATH',
    `base` String COMMENT 'the place of the backup that it only adds to; empty: it is whole',
    `version` LowCardinality(String) COMMENT 'of tocsin',
    `shards` UInt32 COMMENT '0: not a cluster',
    `tables` Array(Tuple(database String, name String)) COMMENT 'all of them and the plain views, to be restored first',
    `views` Array(Tuple(database String, name String)) COMMENT 'that segments go through, to be restored last',
    `counts` Array(Tuple(shard UInt32, table String, rows UInt64, checksum Nullable(UInt64)))
        COMMENT 'shard 0: a table that is the same everywhere; no checksum of large tables'
)
ENGINE = ${Replicated}ReplacingMergeTree(at) ORDER BY backup
COMMENT 'Each backup and what was stored when it began';

-- A table that was made anew may hold rows and know none of their tokens: collectors look for what they were about to store.
CREATE TABLE IF NOT EXISTS restores ${on_cluster}
(
    `restore` String,
    `at` DateTime64(3, 'UTC'),
    `place` String COMMENT 'of the backup; empty: a node got its tables, and its rows from its sisters',
    `shard` UInt32 COMMENT '0: all of them'
)
ENGINE = ${Replicated}ReplacingMergeTree(at) ORDER BY restore
COMMENT 'Each time that tables were made anew';
