-- An evaluator that ran and saw nothing is not one that did not run: each run says what it read, and whether it was asked at all.

ALTER TABLE rule_runs ${on_cluster} ADD COLUMN IF NOT EXISTS `asked` UInt8 DEFAULT 1 COMMENT '0: nobody has sent any outcome of its kinds, so it was not asked';
ALTER TABLE rule_runs ${on_cluster} ADD COLUMN IF NOT EXISTS `rows_read` Nullable(UInt64) COMMENT 'from tables, a share of a range query over several slots; NULL: not known';
