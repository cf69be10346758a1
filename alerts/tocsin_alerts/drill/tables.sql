-- What a drill needs beside a store's own tables, in a database of its own.
CREATE TABLE IF NOT EXISTS own_calls AS ai_calls ENGINE = MergeTree ORDER BY call_id;

CREATE TABLE IF NOT EXISTS own_labels (`call_id` String, `correct` UInt8) ENGINE = MergeTree ORDER BY call_id;

CREATE TABLE IF NOT EXISTS own_sure (`call_id` String, `day` Date, `sure` Float64, `right` Float64) ENGINE = MergeTree ORDER BY day;

CREATE TABLE IF NOT EXISTS drill_days (`at` Date, `own` Date, `tilt` Float64, `scale` Float64, `flip` Float64, `is_control` UInt8) ENGINE = MergeTree ORDER BY own;

CREATE TABLE IF NOT EXISTS drill_calls
(
    `call_id` String, `own_id` String, `at` Date, `own` Date, `is_right` UInt8, `is_control` UInt8
)
ENGINE = MergeTree ORDER BY own_id;
