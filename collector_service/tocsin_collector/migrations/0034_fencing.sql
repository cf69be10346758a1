-- Of several evaluators the last to take over is right: what an earlier one writes afterwards is not read.

ALTER TABLE leases ${on_cluster} ADD COLUMN IF NOT EXISTS `released` UInt8 COMMENT '1: its holder ended and left it to whoever asks';

-- One row for each time that an evaluator began: what it found, and took as settled.
CREATE TABLE IF NOT EXISTS takeovers ${on_cluster}
(
    `epoch` UInt64 COMMENT 'of the evaluator that began; rows of lower epochs that come later are of one that should have stopped',
    `done_to` Map(String, DateTime64(3, 'UTC')) COMMENT 'by rule: the last slot that was done',
    `unsettled` Array(String) COMMENT 'events that were stored, and whose slots were not done',
    `at` DateTime64(3, 'UTC')
)
ENGINE = ${Replicated}ReplacingMergeTree(at)
ORDER BY epoch;

-- Each evaluator has rows of its own: merging may not put a stale one in place of the right one.
ALTER TABLE alert_state ${on_cluster} ADD COLUMN IF NOT EXISTS `fence` UInt64 COMMENT 'epoch again, as part of the key', MODIFY ORDER BY (fingerprint, fence);

CREATE VIEW IF NOT EXISTS standing_alerts ${on_cluster} AS
SELECT
    fingerprint, project, use_case, rule, labels, state, overlay, incident, severity, since, slot, value, acknowledged_by, rule_hash, epoch, at
FROM alert_state FINAL
WHERE fence = (SELECT max(epoch) FROM takeovers);

ALTER TABLE evaluations ${on_cluster} ADD COLUMN IF NOT EXISTS `epoch` UInt64 COMMENT 'the evaluator that wrote this';
ALTER TABLE notifications ${on_cluster} ADD COLUMN IF NOT EXISTS `epoch` UInt64 COMMENT 'the evaluator that wrote this; part of version too';
ALTER TABLE guard_events ${on_cluster} ADD COLUMN IF NOT EXISTS `epoch` UInt64 COMMENT 'the evaluator that wrote this';
