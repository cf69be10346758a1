-- What was taken back, and the rows that took it back. By their hashes: a subquery could see something else on another replica.
DELETE FROM ai_calls
WHERE started_at >= {first:DateTime64(9)} AND started_at <= {last:DateTime64(9)}
    AND cityHash64(project, call_id, span_id, segment) IN {rows:Array(UInt64)}
