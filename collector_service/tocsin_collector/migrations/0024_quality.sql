-- What judges of quality compare with beyond the present: errors by day in the reference window, and how large an effect is.

ALTER TABLE calibrations ${on_cluster} ADD COLUMN IF NOT EXISTS `daily_errors` Array(Float64) COMMENT 'expected share of wrong answers by weekday, Monday first; empty: too few labels to say';
ALTER TABLE calibrations ${on_cluster} ADD COLUMN IF NOT EXISTS `daily_wander` Float64 COMMENT 'variance of a day''s share of wrong answers beyond the binomial';
ALTER TABLE calibrations ${on_cluster} ADD COLUMN IF NOT EXISTS `daily_doubt` Float64 COMMENT 'standard error of the reference''s own level';

ALTER TABLE evaluations ${on_cluster} ADD COLUMN IF NOT EXISTS `effect` Nullable(Float64) COMMENT 'of a value that is evidence: how large what it speaks of is, in the unit that people care for';
