-- The attempts that a call is one of: what it repeats, what repeats it, and what repeats the same.
SELECT call_id, started_at, attempt, retry_of, duration_ns / 1e6 AS duration_ms, error_type, toFloat64(cost) AS amount, currency, served_by
FROM ai_calls
WHERE project = {project:String} AND use_case = {use_case:String} AND sign = 1
    AND toStartOfHour(started_at) >= toStartOfHour({started_at:DateTime('UTC')}) - 3600 AND toStartOfHour(started_at) <= toStartOfHour({started_at:DateTime('UTC')}) + 3600
    AND (call_id IN ({call_id:String}, {retry_of:String}) OR retry_of != '' AND retry_of IN ({call_id:String}, {retry_of:String})
        OR {trace_id:String} != '' AND trace_id = {trace_id:String} AND attempt > 0)
ORDER BY started_at, attempt
LIMIT 1 BY call_id
LIMIT 30
SETTINGS max_execution_time = 10
