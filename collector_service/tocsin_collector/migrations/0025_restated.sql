-- Samples that late labels have changed.
ALTER TABLE evaluations ${on_cluster} ADD COLUMN IF NOT EXISTS `restated` UInt8 COMMENT '1: told anew because labels came late; no alert moved by it';
